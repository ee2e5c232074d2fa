/**
 * What the leader tidies up in Redis, each in bounded steps: jobs that waited long, finished and quarantined jobs, and
 * tenants' sets of open jobs.
 *
 * What is to be done is decided elsewhere; this file looks and does.
 */
import { parseRecord } from "../job-record.ts";
import { fromRfc3339 } from "../system-clock.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import type { LaneQueues } from "./lane-queues.ts";
import { type MemoryUse, memoryUseIn } from "./memory-watch.ts";
import { RAISE_OLD } from "./raise-script.ts";

/** Jobs in one call: a call holds up every other client of Redis while it runs. */
const RAISED_MAX = 200;
const CLEANED_MAX = 250;

/**
 * KEYS: the tenant's open set, the queue's tenants. ARGV: tenant, how many to skip, how many to look at, then the prefixes
 * of the places where a job that has not ended can be. Returns how many were removed and how many looked at.
 */
const SWEEP_OPEN = `
local ids = redis.call("ZRANGE", KEYS[1], ARGV[2], ARGV[2] + ARGV[3] - 1)
local ended = {}
for _, id in ipairs(ids) do
  local isOpen = false
  for place = 4, #ARGV do
    local job = redis.call("HMGET", ARGV[place] .. id, "name", "finishedOn")
    if job[1] and not job[2] then
      isOpen = true
      break
    end
  end
  if not isOpen then ended[#ended + 1] = id end
end
if #ended > 0 then redis.call("ZREM", KEYS[1], unpack(ended)) end
if redis.call("EXISTS", KEYS[1]) == 0 then redis.call("SREM", KEYS[2], ARGV[1]) end
return {#ended, #ids}
`;

export interface RaiseAnswer {
  readonly redisNowMs: number;
  /** BullMQ's counter of jobs that came to wait with a priority. */
  readonly counter: number;
  readonly raised: number;
}

export interface SucceededJobs {
  readonly place: string;
  readonly count: number;
  /** When the oldest finished; `null` when there is none. */
  readonly oldestMs: number | null;
}

export interface HeldJob {
  readonly jobId: string;
  /** When it came here; `null` when nothing tells. */
  readonly heldSinceMs: number | null;
}

export interface HeldJobs {
  readonly count: number;
  /** Some of them, oldest first. */
  readonly oldest: readonly HeldJob[];
}

export class ChoreStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #queues: LaneQueues;

  constructor(redis: RedisConnection, keys: Keys, queues: LaneQueues) {
    this.#redis = redis;
    this.#keys = keys;
    this.#queues = queues;
  }

  /** @param waited jobs up to this counter have waited long enough, if they are old enough too; `null`: raise none. */
  async raiseOld(
    lane: string,
    {
      highest,
      waited,
      ageMs,
    }: { readonly highest: number; readonly waited: number | null; readonly ageMs: number },
  ): Promise<RaiseAnswer> {
    const args = [this.#keyOf(lane, ""), highest, waited ?? "", ageMs, RAISED_MAX];
    const reply = (await this.#redis.eval(RAISE_OLD, 0, ...args)) as [number, number, number];
    const [redisNowMs, counter, raised] = reply;
    return { redisNowMs, counter, raised };
  }

  async memoryUse(): Promise<MemoryUse> {
    return memoryUseIn(await this.#redis.info("memory"));
  }

  async succeededIn(places: readonly string[]): Promise<readonly SucceededJobs[]> {
    const pipeline = this.#redis.pipeline();
    for (const place of places) {
      const key = this.#keyOf(place, "completed");
      pipeline.zcard(key).zrange(key, "0", "0", "WITHSCORES");
    }
    const replies = repliesOf(await pipeline.exec());
    return places.map((place, index) => {
      const [, oldest] = replies[2 * index + 1] as string[];
      const oldestMs = oldest === undefined ? null : Number(oldest);
      return { place, count: Number(replies[2 * index]), oldestMs };
    });
  }

  /** Removes up to `max` succeeded jobs of a place, oldest first. @returns how many. */
  async cleanSucceeded(place: string, max: number): Promise<number> {
    const queue = await this.#queues.open(place);
    let removed = 0;
    while (removed < max) {
      const asked = Math.min(CLEANED_MAX, max - removed);
      const ids = await queue.clean(0, asked, "completed");
      removed += ids.length;
      if (ids.length < asked) break;
    }
    return removed;
  }

  /** Jobs that rest in `.parked` or `.dead`, and the `max` that came first. */
  async heldIn(place: string, max: number): Promise<HeldJobs> {
    const pipeline = this.#redis.pipeline();
    pipeline.llen(this.#keyOf(place, "wait")).zcard(this.#keyOf(place, "prioritized"));
    const [plain, prioritized] = repliesOf(await pipeline.exec());
    const first = { skip: 0, max };
    const ids = [
      ...(await this.#queues.restingIds(place, "wait", first)),
      ...(await this.#queues.restingIds(place, "prioritized", first)),
    ];
    const records = this.#redis.pipeline();
    for (const jobId of ids) records.hget(this.#keyOf(place, jobId), "progress");
    const oldest = repliesOf(await records.exec())
      .map((record, index) => ({ jobId: ids[index] ?? "", heldSinceMs: heldSince(record) }))
      .sort((a, b) => (a.heldSinceMs ?? 0) - (b.heldSinceMs ?? 0))
      .slice(0, max);
    return { count: Number(plain) + Number(prioritized), oldest };
  }

  /** Removes a job for good. */
  async remove(place: string, jobId: string): Promise<void> {
    const queue = await this.#queues.open(place);
    await queue.remove(jobId);
  }

  async tenantsOf(queue: string): Promise<readonly string[]> {
    return (await this.#redis.smembers(this.#keys.tenants(queue))).sort();
  }

  /**
   * Takes ids out of a tenant's open set whose jobs have ended, and the tenant out of the queue's when none is left.
   *
   * @param places where a job that has not ended can be.
   * @param part of the set, oldest first.
   */
  async sweepOpen(
    {
      queue,
      tenant,
      places,
    }: { readonly queue: string; readonly tenant: string; readonly places: readonly string[] },
    { skip, max }: { readonly skip: number; readonly max: number },
  ): Promise<{ readonly removed: number; readonly seen: number }> {
    const { open, tenants } = this.#keys;
    const prefixes = places.map((place) => this.#keyOf(place, ""));
    const keys = [open(queue, tenant), tenants(queue)];
    const reply = await this.#redis.eval(SWEEP_OPEN, 2, ...keys, tenant, skip, max, ...prefixes);
    const [removed, seen] = reply as [number, number];
    return { removed, seen };
  }

  /** A key of BullMQ's: the job `name` of a place, or its list or set of that name. */
  #keyOf(place: string, name: string): string {
    return `${this.#keys.prefix}:${place}:${name}`;
  }
}

function repliesOf(replies: [error: Error | null, reply: unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}

/** A job is put aside at the end of a start, which its record tells of last. */
function heldSince(record: unknown): number | null {
  const last = parseRecord(record ?? undefined).attempts.at(-1);
  return last === undefined ? null : fromRfc3339(last.endedAt);
}
