/**
 * What throttles have counted, in Redis: takes are decided there, in one step a request.
 *
 * Requests of one turn of the event loop share one pipeline. Counts expire by themselves, a minute after
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
  readonly args: readonly string[];
  readonly done: (counted: readonly Counted[]) => void;
  readonly failed: (error: unknown) => void;
}

interface ScriptedPipeline {
  sluiceThrottleTake(keys: number, ...args: string[]): unknown;
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}

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
      this.#pending.push({ args: this.#argumentsOf(take), done, failed });
    });
  }

  #flush(): void {
    const takes = this.#pending;
    this.#pending = [];
    const pipeline = this.#redis.pipeline() as unknown as ScriptedPipeline;
    for (const { args } of takes) pipeline.sluiceThrottleTake(keysIn(args), ...args);
    pipeline.exec().then(
      (results) => {
        for (const [index, { done, failed }] of takes.entries()) {
          const [error, reply] = results?.[index] ?? [new Error("Redis did not answer"), null];
          if (error === null) done(countedOf(reply as readonly number[]));
          else failed(error);
        }
      },
      (error: unknown) => {
        for (const { failed } of takes) failed(error);
      },
    );
  }

  #argumentsOf({ cost, terms }: ThrottleTake): readonly string[] {
    const keys = terms.map(({ throttle, subject }) => {
      const kind = counterOf(throttle).kind === "bucket" ? "bucket" : "window";
      return this.#keys.throttle(kind, throttle.name, subject);
    });
    const now = this.#testNowMs === null ? "" : String(this.#testNowMs());
    return [
      ...keys,
      now,
      String(cost),
      String(THROTTLE_DELAY_MS_MAX),
      ...terms.flatMap(({ throttle, excess }) => {
        const { kind, limit, windowMs, burst } = counterOf(throttle);
        return [kind, String(limit), String(windowMs), String(burst), excess];
      }),
    ];
  }
}

/** Each throttle has one key and five arguments, beside three that all share. */
function keysIn(args: readonly string[]): number {
  return (args.length - 3) / 6;
}

function countedOf(reply: readonly number[]): readonly Counted[] {
  const counted: Counted[] = [];
  for (let at = 0; at < reply.length; at += 4) {
    const [code = 3, first = 0, previous = 0, elapsedMs = 0] = reply.slice(at, at + 4);
    counted.push({ verdict: VERDICTS[code] ?? "refused", first, previous, elapsedMs });
  }
  return counted;
}
