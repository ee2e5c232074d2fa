/**
 * Answers how many workers the last decision asks for, from one reading that many askers share.
 *
 * It decides on nothing and knows no protocol: the JSON routes and the gRPC scaler both ask here, on a leader and on
 * a standby alike.
 */
import type { Clock } from "#shared/clock";
import type { DesiredReading, DesiredStore } from "#shared/redis/desired-store";
import { type DesiredAnswer, type DesiredQuestion, decideDesiredAnswer } from "./decide-desired-answer.ts";

/** A reading is shared for this long, so that any number of askers costs Redis four reads a second. */
const FRESH_MS = 250;

/** A reading that takes longer has failed: an asker is not kept waiting for a Redis that is away. */
const READ_TIMEOUT_MS = 2_000;

export interface DesiredNumbersPorts {
  readonly store: Pick<DesiredStore, "read">;
  /** Names of pools and ids of releases, of the configuration. */
  readonly config: {
    readonly pools: Readonly<Record<string, unknown>>;
    readonly releases: readonly { readonly id: string }[];
  };
  readonly clock: Clock;
}

export class DesiredNumbers {
  readonly #ports: DesiredNumbersPorts;
  #last: { readonly atMs: number; readonly reading: Promise<DesiredReading> } | null = null;

  constructor(ports: DesiredNumbersPorts) {
    this.#ports = ports;
  }

  /** The pools of the configuration. */
  get pools(): readonly string[] {
    return Object.keys(this.#ports.config.pools);
  }

  /** Rejects when Redis is away. */
  async answer(question: DesiredQuestion): Promise<DesiredAnswer> {
    const { pools, releases } = this.#ports.config;
    const { pool, release } = question;
    const isPool = Object.hasOwn(pools, pool);
    const isRelease = releases.some(({ id }) => id === release);
    // What is not there is not there, whether or not Redis answers.
    if (!isPool) return decideDesiredAnswer(question, { isPool, isRelease, shown: null, nowMs: 0 });
    const { redisNowMs: nowMs, pools: shown } = await this.#read();
    return decideDesiredAnswer(question, { isPool, isRelease, shown: shown.get(pool) ?? null, nowMs });
  }

  #read(): Promise<DesiredReading> {
    const { store, clock } = this.#ports;
    const atMs = clock.monotonicMs();
    if (this.#last !== null && atMs - this.#last.atMs < FRESH_MS) return this.#last.reading;
    const reading = new Promise<DesiredReading>((resolve, reject) => {
      const tooLate = () => reject(new Error("Redis did not answer in time"));
      const cancel = clock.after(READ_TIMEOUT_MS, tooLate);
      store.read().then(resolve, reject).finally(cancel);
    });
    const last = { atMs, reading };
    reading.catch(() => {
      if (this.#last === last) this.#last = null;
    });
    this.#last = last;
    return reading;
  }
}
