/**
 * Puts jobs that ended failed back to wait, with the record they shall go on with.
 *
 * What the lane holds then is what BullMQ's own retry of a failed job leaves there: a test holds every key of both
 * against each other, and BullMQ is pinned. One call is one step: a job is failed, or waits with its new record and is
 * open again.
 */
import type { JobRecord } from "../job-record.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** Jobs in one call: a call holds up every other client of Redis while it runs. */
export const REQUEUE_JOBS_MAX = 100;

/**
 * KEYS: the queue's tenants. ARGV: key prefix of the lane's jobs, prefix of the tenants' open sets, then of each job: id,
 * the record that it must have, the new one, tenant or "". Returns the ids that wait again.
 */
const REQUEUE = `
local lane, open = ARGV[1], ARGV[2]
local meta = redis.call("HMGET", lane .. "meta", "paused", "concurrency", "opts.maxLenEvents")
if not meta[3] then redis.call("HSET", lane .. "meta", "opts.maxLenEvents", 10000) end

local function queueUp(id)
  local priority = tonumber(redis.call("HGET", lane .. id, "priority")) or 0
  if priority > 0 then
    local count = redis.call("INCR", lane .. "pc")
    redis.call("ZADD", lane .. "prioritized", priority * 0x100000000 + count % 0x100000000, id)
  else
    redis.call("LPUSH", lane .. "wait", id)
  end
  local isFull = meta[2] and redis.call("LLEN", lane .. "active") >= tonumber(meta[2])
  if not meta[1] and not isFull then redis.call("ZADD", lane .. "marker", 0, "0") end
end

local again = {}
for at = 3, #ARGV, 4 do
  local id, before, after, tenant = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local job = redis.call("HMGET", lane .. id, "progress", "timestamp")
  if job[1] == before and redis.call("ZREM", lane .. "failed", id) == 1 then
    redis.call("HSET", lane .. id, "progress", after)
    redis.call("HDEL", lane .. id, "finishedOn", "processedOn", "failedReason")
    queueUp(id)
    if tenant ~= "" then
      redis.call("ZADD", open .. tenant, job[2] or 0, id)
      redis.call("SADD", KEYS[1], tenant)
    end
    redis.call("XADD", lane .. "events", "MAXLEN", "~", meta[3] or 10000, "*", "event", "waiting", "jobId", id, "prev", "failed")
    again[#again + 1] = id
  end
end
return again
`;

export interface FailedJob {
  readonly jobId: string;
  /** Its record as it is stored. */
  readonly recordText: string;
  /** Starts so far. */
  readonly starts: number;
  /** The stored envelope, as text. */
  readonly data: string;
}

export interface Requeue {
  readonly jobId: string;
  /** The stored record that this was decided on. */
  readonly recordText: string;
  readonly record: JobRecord;
  /** `null`: of no tenant. */
  readonly tenant: string | null;
}

export class RequeueStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Jobs of a lane that failed at `sinceMs` or later, oldest first. */
  async failedIn(
    lane: string,
    { sinceMs, skip, max }: { readonly sinceMs: number; readonly skip: number; readonly max: number },
  ): Promise<readonly FailedJob[]> {
    const prefix = this.#prefixOf(lane);
    const ids = await this.#redis.zrangebyscore(`${prefix}failed`, sinceMs, "+inf", "LIMIT", skip, max);
    if (ids.length === 0) return [];
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hmget(`${prefix}${id}`, "progress", "ats", "data");
    const replies = (await pipeline.exec()) ?? [];
    return replies.flatMap(([error, reply], index) => {
      if (error !== null) throw error;
      const [recordText, starts, data] = reply as (string | null)[];
      const jobId = ids[index] ?? "";
      return recordText == null ? [] : [{ jobId, recordText, starts: Number(starts ?? 0), data: data ?? "" }];
    });
  }

  /** Answers the ids that wait again: not those that somebody has changed since. */
  async requeue(queue: string, lane: string, jobs: readonly Requeue[]): Promise<readonly string[]> {
    const { tenants, open } = this.#keys;
    const again: string[] = [];
    for (let at = 0; at < jobs.length; at += REQUEUE_JOBS_MAX) {
      const told = jobs
        .slice(at, at + REQUEUE_JOBS_MAX)
        .flatMap(({ jobId, recordText, record, tenant }) => [
          jobId,
          recordText,
          JSON.stringify(record),
          tenant ?? "",
        ]);
      const keys = [tenants(queue), this.#prefixOf(lane), open(queue, "")];
      again.push(...((await this.#redis.eval(REQUEUE, 1, ...keys, ...told)) as string[]));
    }
    return again;
  }

  #prefixOf(lane: string): string {
    return `${this.#keys.prefix}:${lane}:`;
  }
}
