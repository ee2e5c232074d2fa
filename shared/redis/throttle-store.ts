/**
 * What throttles have counted, in Redis: takes are decided there, in one step a request.
 *
 * Requests of one turn of the event loop share one call. Counts expire by themselves, a minute after
 * they stop mattering. What the numbers mean is in `shared/throttle/counted.ts`.
 */
import type { Excess, Throttle } from "../limits/limits-document.ts";
import { type Counted, counterOf, type Verdict } from "../throttle/counted.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { TAKE } from "./throttle-script.ts";

/** A job is scheduled at most this far ahead by a throttle; beyond it is refused. */
export const THROTTLE_DELAY_MS_MAX = 3_600_000;

/** One throttle that a request meets, with whom it counts and what becomes of excess. */
export interface ThrottleTerms {
  readonly throttle: Throttle;
  readonly subject: string;
  readonly excess: Excess;
}

export interface ThrottleTake {
  /** Jobs, at least 1. */
  readonly cost: number;
  /** None of them a concurrency cap. */
  readonly terms: readonly ThrottleTerms[];
}

interface Pending {
  readonly take: ThrottleTake;
  readonly done: (counted: readonly Counted[]) => void;
  readonly failed: (error: unknown) => void;
}

interface ScriptedRedis {
  sluiceThrottleTake(keys: number, ...args: string[]): Promise<readonly number[]>;
}

/** Takes in one call: it holds up every other client of Redis while it runs. */
const CALL_TAKES_MAX = 100;

const VERDICTS: readonly Verdict[] = ["passes", "delayed", "degraded", "refused"];

export class ThrottleStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #testNowMs: (() => number) | null;
  #pending: Pending[] = [];

  /** @param testNowMs of tests alone: the time instead of Redis' own. */
  constructor(redis: RedisConnection, keys: Keys, testNowMs: (() => number) | null = null) {
    this.#redis = redis;
    this.#keys = keys;
    this.#testNowMs = testNowMs;
    redis.defineCommand("sluiceThrottleTake", { lua: TAKE });
  }

  /**
   * Takes the cost from each throttle or, when one of them refuses, from none; answers in their order.
   * Rejects when Redis is away or refuses to write; a take whose answer was lost may have been made.
   */
  take(take: ThrottleTake): Promise<readonly Counted[]> {
    return new Promise((done, failed) => {
      if (this.#pending.length === 0) setImmediate(() => this.#flush());
      this.#pending.push({ take, done, failed });
    });
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    let call = new TakeCall(this.#keys);
    for (const it of pending) {
      if (!call.add(it)) {
        this.#send(call);
        call = new TakeCall(this.#keys);
        call.add(it);
      }
    }
    this.#send(call);
  }

  #send(call: TakeCall): void {
    const now = this.#testNowMs === null ? "" : String(this.#testNowMs());
    const args = call.argumentsAt(now);
    (this.#redis as unknown as ScriptedRedis).sluiceThrottleTake(call.keysCount, ...args).then(
      (reply) => call.tell(reply),
      (error: unknown) => call.fail(error),
    );
  }
}

/** Takes that are sent together, each throttle that they meet named once. */
class TakeCall {
  readonly #keys: Keys;
  readonly #numbers = new Map<string, { readonly number: string; readonly counter: string }>();
  readonly #names: string[] = [];
  readonly #counters: string[] = [];
  readonly #takes: string[] = [];
  readonly #pending: Pending[] = [];

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  get keysCount(): number {
    return this.#names.length;
  }

  /** @returns whether it goes with the others: not when there are enough, or one counts by a throttle's terms of before. */
  add(pending: Pending): boolean {
    const { cost, terms } = pending.take;
    if (this.#pending.length >= CALL_TAKES_MAX) return false;
    const met = terms.map((it) => ({ ...this.#counterOf(it), excess: it.excess }));
    if (met.some(({ key, counter }) => (this.#numbers.get(key)?.counter ?? counter) !== counter))
      return false;
    this.#takes.push(String(cost), String(terms.length));
    for (const { key, counter, excess } of met) this.#takes.push(this.#numberOf(key, counter), excess);
    this.#pending.push(pending);
    return true;
  }

  argumentsAt(now: string): readonly string[] {
    return [...this.#names, now, String(THROTTLE_DELAY_MS_MAX), ...this.#counters, ...this.#takes];
  }

  tell(reply: readonly number[]): void {
    let at = 0;
    for (const { take, done } of this.#pending) {
      const end = at + 4 * take.terms.length;
      done(countedOf(reply.slice(at, end)));
      at = end;
    }
  }

  fail(error: unknown): void {
    for (const { failed } of this.#pending) failed(error);
  }

  #counterOf({ throttle, subject }: ThrottleTerms): { readonly key: string; readonly counter: string } {
    const { kind, limit, windowMs, burst } = counterOf(throttle);
    const key = this.#keys.throttle(kind === "bucket" ? "bucket" : "window", throttle.name, subject);
    return { key, counter: `${kind} ${limit} ${windowMs} ${burst}` };
  }

  #numberOf(key: string, counter: string): string {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known.number;
    this.#names.push(key);
    this.#counters.push(...counter.split(" "));
    const number = String(this.#names.length);
    this.#numbers.set(key, { number, counter });
    return number;
  }
}

function countedOf(reply: readonly number[]): readonly Counted[] {
  const counted: Counted[] = [];
  for (let at = 0; at < reply.length; at += 4) {
    const [code = 3, first = 0, previous = 0, elapsedMs = 0] = reply.slice(at, at + 4);
    counted.push({ verdict: VERDICTS[code] ?? "refused", first, previous, elapsedMs });
  }
  return counted;
}
