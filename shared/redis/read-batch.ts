/**
 * Reads of several stores in one pipeline: each store says what it asks and what it makes of the replies.
 *
 * A pipeline is no transaction: what is read is of nearly one moment, and Redis serves others in between,
 * which one long script would keep waiting. Every `ask` comes before the `send`; a batch is used once.
 */
import type { ChainableCommander } from "ioredis";
import type { RedisConnection } from "./connection.ts";

interface Question {
  /** Number of its first reply. */
  readonly first: number;
  readonly replies: number;
  resolve(replies: readonly unknown[]): void;
  reject(error: unknown): void;
}

export class ReadBatch {
  readonly #pipeline: ChainableCommander;
  readonly #questions: Question[] = [];

  constructor(redis: RedisConnection) {
    this.#pipeline = redis.pipeline();
  }

  /** Commands asked so far. */
  get commands(): number {
    return this.#pipeline.length;
  }

  /** The replies to the commands that `add` puts into the pipeline. Rejects with the first one's error. */
  ask(add: (pipeline: ChainableCommander) => void): Promise<readonly unknown[]> {
    const first = this.#pipeline.length;
    add(this.#pipeline);
    return new Promise((resolve, reject) => {
      this.#questions.push({ first, replies: this.#pipeline.length - first, resolve, reject });
    });
  }

  /** Sends what was asked, and answers everybody. Never rejects: whoever asked is told. */
  async send(): Promise<void> {
    try {
      const replies = (await this.#pipeline.exec()) ?? [];
      for (const question of this.#questions) answer(question, replies);
    } catch (error) {
      for (const { reject } of this.#questions) reject(error);
    }
  }
}

function answer(
  { first, replies, resolve, reject }: Question,
  all: readonly (readonly [error: Error | null, result: unknown])[],
): void {
  const own = all.slice(first, first + replies);
  const failed = own.find(([error]) => error !== null)?.[0];
  if (own.length < replies) reject(new Error("Redis has not answered all that was asked"));
  else if (failed) reject(failed);
  else resolve(own.map(([, result]) => result));
}
