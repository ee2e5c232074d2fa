/**
 * What holds an executor back from starting workers, whoever asks: how fast it may, and releases whose workers end at
 * birth. It keeps the count; the judgement is `decide-start-circuit.ts`.
 */
import type { Clock } from "#shared/clock";
import { EXIT } from "#shared/exit-codes";
import {
  afterFailedStart,
  afterHinderedStart,
  CLOSED_CIRCUIT,
  decideStart,
  type StartCircuit,
} from "../scaling/decide-start-circuit.ts";
import type { BlockedRelease } from "./fleet-executor.ts";
import type { WorkerEnd } from "./local-processes.ts";

/** A worker that ended this long after its start did not end at birth, heard of or not. */
const BIRTH_MS = 10_000;

/** Starts in any `RATE_WINDOW_MS`: a mistaken number must not start a thousand processes at once. */
export const STARTS_MAX = 30;
const RATE_WINDOW_MS = 10_000;

export class StartLimits {
  readonly #clock: Clock;
  readonly #circuits = new Map<string, StartCircuit>();
  /** Workers that were started and not heard of yet, to their `#circuits`. */
  readonly #unheard = new Map<string, string>();
  #startedAtMs: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many workers of a release may be started now, and what keeps it from more. */
  permitted(queue: string, release: string): { readonly starts: number; readonly by: "rate" | "failures" } {
    const nowMs = this.#clock.monotonicMs();
    const key = keyOf(queue, release);
    const permission = decideStart(this.#circuitOf(key), nowMs, this.#unheardOf(key));
    if (permission.kind === "wait") return { starts: 0, by: "failures" };
    if (permission.kind === "trial") return { starts: 1, by: "failures" };
    this.#startedAtMs = this.#startedAtMs.filter((it) => nowMs - it < RATE_WINDOW_MS);
    return { starts: Math.max(0, STARTS_MAX - this.#startedAtMs.length), by: "rate" };
  }

  started(workerId: string, queue: string, release: string): void {
    this.#startedAtMs.push(this.#clock.monotonicMs());
    this.#unheard.set(workerId, keyOf(queue, release));
  }

  /** The worker has come up well. */
  heard(workerId: string): void {
    const key = this.#unheard.get(workerId);
    if (key === undefined) return;
    this.#unheard.delete(workerId);
    this.#circuits.delete(key);
  }

  /** The system has refused to start one. @param why in a few words, when it has said. */
  refused(queue: string, release: string, why = "the system did not start its process"): void {
    this.#fail(keyOf(queue, release), why);
  }

  ended(end: WorkerEnd): void {
    const { worker, code, livedMs } = end;
    const key = keyOf(worker.queue, worker.release);
    const wasHeard = !this.#unheard.delete(worker.workerId);
    if (code === EXIT.ok || (livedMs >= BIRTH_MS && wasHeard)) return;
    // A worker that was well and is killed says nothing of its release.
    if (wasHeard && code === null) return;
    if (code === EXIT.redisUnreachable) {
      const nowMs = this.#clock.monotonicMs();
      this.#circuits.set(key, afterHinderedStart(this.#circuitOf(key), nowMs, showEnd(end)));
    } else this.#fail(key, showEnd(end));
  }

  /** Releases that cannot be started freely, with the reason. */
  blocked(): readonly BlockedRelease[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#circuits].flatMap(([key, circuit]) => {
      const permission = decideStart(circuit, nowMs, this.#unheardOf(key));
      if (permission.kind === "free") return [];
      const [queue = "", release = ""] = key.split("/");
      const { failures, lastEnd } = circuit;
      const count = failures === 1 ? `A worker of ${release}` : `${failures} workers of ${release} in a row`;
      const reason = `${count} ended at once (the last ${lastEnd}); ${nextTry(permission)}.`;
      return [{ queue, release, reason }];
    });
  }

  #fail(key: string, end: string): void {
    this.#circuits.set(key, afterFailedStart(this.#circuitOf(key), this.#clock.monotonicMs(), end));
  }

  #circuitOf(key: string): StartCircuit {
    return this.#circuits.get(key) ?? CLOSED_CIRCUIT;
  }

  #unheardOf(key: string): number {
    return [...this.#unheard.values()].filter((it) => it === key).length;
  }
}

function nextTry(permission: ReturnType<typeof decideStart>): string {
  if (permission.kind === "trial") return "one is tried next";
  if (permission.kind === "free" || permission.state === "half-open") return "one is being tried";
  return `next try in ${Math.ceil(permission.waitMs / 1_000)} s`;
}

function showEnd({ code, signal, words }: WorkerEnd): string {
  const how = code === null ? `by ${signal ?? "a signal"}` : `with exit code ${code}`;
  return words === null ? how : `${how}: ${words.text}`;
}

/** Neither name has a slash. */
function keyOf(queue: string, release: string): string {
  return `${queue}/${release}`;
}
