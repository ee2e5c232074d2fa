/**
 * What people want of single workers, beside and above what scaling wants of them: one hold a worker at most.
 *
 * It orders nobody: the leader heeds holds with its next round (`autoscaler/fleet/worker-holds.ts`), so that any
 * autoscaler takes one and no newer leader undoes it. A hold has no end of its own; the leader drops those of workers
 * that are gone, and their number is bounded.
 */
import { z } from "zod";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

export const HOLD_ORDERS = ["drain", "quarantine", "run"] as const;

export const workerHold = z.object({
  worker: z.string(),
  /** `run` lasts until the worker takes jobs again. */
  order: z.enum(HOLD_ORDERS),
  /** Hostile text, as is why. */
  by: z.string(),
  why: z.string(),
  /** RFC 3339, by the clock of the autoscaler that took it. */
  at: z.string(),
});

export type WorkerHold = Readonly<z.output<typeof workerHold>>;

/** Holds kept: more workers than that are not looked after one by one. */
export const HOLDS_MAX = 1_000;

/** KEYS: holds. ARGV: worker, hold, most holds. Returns 1 when it is stored. */
const SET = `
if redis.call("HEXISTS", KEYS[1], ARGV[1]) == 0 and redis.call("HLEN", KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
return 1
`;

/** KEYS: holds. ARGV: worker, hold. Drops that hold and no newer one. */
const DROP = `
if redis.call("HGET", KEYS[1], ARGV[1]) == ARGV[2] then redis.call("HDEL", KEYS[1], ARGV[1]) end
return 1
`;

export class WorkerHoldsStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** By worker. Those that this build cannot read are left out. Rejects when Redis is away. */
  async read(): Promise<readonly WorkerHold[]> {
    const texts = Object.values(await this.#redis.hgetall(this.#keys.fleetHolds));
    return texts.flatMap((text) => workerHold.safeParse(parsed(text)).data ?? []).toSorted(byWorker);
  }

  /** In place of the worker's hold before. `full`: there are as many holds as there may be. */
  async set(hold: WorkerHold): Promise<"set" | "full"> {
    const text = textOf(hold);
    const stored = await this.#redis.eval(SET, 1, this.#keys.fleetHolds, hold.worker, text, HOLDS_MAX);
    return stored === 1 ? "set" : "full";
  }

  /** Nothing happens when the worker has another one by now. */
  async drop(hold: WorkerHold): Promise<void> {
    await this.#redis.eval(DROP, 1, this.#keys.fleetHolds, hold.worker, textOf(hold));
  }
}

/** Always with the fields in this order: a hold that was read is the text that was stored. */
function textOf({ worker, order, by, why, at }: WorkerHold): string {
  return JSON.stringify({ worker, order, by, why, at });
}

function byWorker(left: WorkerHold, right: WorkerHold): number {
  return left.worker < right.worker ? -1 : 1;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
