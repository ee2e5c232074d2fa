/**
 * Counts refused credentials by where they come from, and says when it has been enough.
 *
 * It does not protect the secrets, which nobody can guess: it keeps a client with a wrong key, or a guesser,
 * from filling the log and from asking Redis. A right credential passes at all times, so nobody behind a
 * shared address (a proxy, an office) is locked out by a neighbour. It never grows beyond its bound.
 */
import type { Clock } from "../clock.ts";

/** Refusals that one address may have within a window. */
const FAILURES_MAX = 20;

const WINDOW_MS = 60_000;

/** When there are more addresses, the one that failed first is forgotten. */
const ADDRESSES_MAX = 10_000;

interface Window {
  readonly startMs: number;
  failures: number;
}

export class FailureBrake {
  readonly #clock: Clock;
  /** In the order in which their windows began. */
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  /** Whole seconds until an address is heard again, `null` while it is. */
  secondsLeft(address: string): number | null {
    const window = this.#current(placeOf(address));
    if (window === null || window.failures < FAILURES_MAX) return null;
    return Math.max(1, Math.ceil((window.startMs + WINDOW_MS - this.#clock.monotonicMs()) / 1_000));
  }

  failed(address: string): void {
    const place = placeOf(address);
    const window = this.#current(place);
    if (window !== null) {
      window.failures += 1;
      return;
    }
    this.#windows.delete(place);
    this.#windows.set(place, { startMs: this.#clock.monotonicMs(), failures: 1 });
    if (this.#windows.size <= ADDRESSES_MAX) return;
    for (const oldest of this.#windows.keys()) {
      this.#windows.delete(oldest);
      return;
    }
  }

  #current(place: string): Window | null {
    const window = this.#windows.get(place);
    return window !== undefined && this.#clock.monotonicMs() < window.startMs + WINDOW_MS ? window : null;
  }
}

/**
 * What stands for an address: an IPv4 address itself, also when it is written as an IPv6 one, and of an IPv6
 * address its first 64 bits, since whoever has one has all that share them (RFC 4291, 2.5.1).
 */
export function placeOf(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [start = "", end] = address.replace(/%.*$/, "").split("::");
  const before = start === "" ? [] : start.split(":");
  const after = end === undefined || end === "" ? [] : end.split(":");
  const zeros = end === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after].slice(0, 4);
  return `${groups.map((it) => it.toLowerCase().replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
