/**
 * Puts jobs whose worker was lost back into their lane, for a lane that may have no worker left to do so.
 *
 * It takes no job. Every worker does the same for its own lanes (`lane-worker.ts`); any number may.
 */
import { Worker } from "bullmq";
import type { RedisConnection } from "./connection.ts";
import { BULLMQ_CEILING, STALLED_CHECK_MS } from "./lane-worker.ts";

export interface LeaseCheckOptions {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly lane: string;
  onRedelivered(jobId: string): void;
  onError(error: Error): void;
}

export class LeaseCheck {
  readonly #worker: Worker;

  constructor({ redis, prefix, lane, onRedelivered, onError }: LeaseCheckOptions) {
    this.#worker = new Worker(lane, null, {
      connection: redis,
      prefix,
      autorun: false,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: BULLMQ_CEILING,
    });
    this.#worker.on("error", onError);
    this.#worker.on("stalled", onRedelivered);
  }

  async start(): Promise<void> {
    await this.#worker.startStalledCheckTimer();
  }

  /** May never resolve while Redis is away: race it. */
  async stop(): Promise<void> {
    await this.#worker.close();
  }
}
