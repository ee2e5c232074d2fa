/**
 * Adds the jobs of requests that came together with one script: one call, one reply and, with AOF
 * always, one fsync for all of them.
 *
 * It writes for each job exactly what BullMQ's own `addStandardJob` writes; the layout test holds every
 * key of both against each other, and BullMQ is pinned. Only plain jobs go this way, delayed ones
 * through BullMQ. All arguments are text, which the client sends several times cheaper than buffers.
 */
import type { QueuedJob } from "./queued-job.ts";

/** Jobs in one call: a call holds up every other client of Redis while it runs. */
export const BATCH_JOBS_MAX = 100;

/** Characters of job data in one call. */
export const BATCH_CHARS_MAX = 1024 * 1024;

/**
 * KEYS: wait, active, meta, id, events, marker. ARGV: prefix of job keys, then id, name, time and data
 * of each job. A known id is announced as a duplicate and stored no second time. Returns how many were
 * stored. Redis refuses the whole call before its first write when memory is full.
 */
export const ADD_BATCH = `
local meta = redis.call("HMGET", KEYS[3], "paused", "concurrency", "opts.maxLenEvents")
local eventsMax = meta[3] or 10000
local added = 0
for at = 2, #ARGV, 4 do
  local id = ARGV[at]
  local key = ARGV[1] .. id
  if redis.call("EXISTS", key) == 1 then
    redis.call("XADD", KEYS[5], "MAXLEN", "~", eventsMax, "*", "event", "duplicated", "jobId", id)
  else
    redis.call("HSET", key, "name", ARGV[at + 1], "data", ARGV[at + 3], "opts", "{}",
      "timestamp", ARGV[at + 2], "delay", 0, "priority", 0)
    redis.call("XADD", KEYS[5], "*", "event", "added", "jobId", id, "name", ARGV[at + 1])
    redis.call("LPUSH", KEYS[1], id)
    redis.call("XADD", KEYS[5], "MAXLEN", "~", eventsMax, "*", "event", "waiting", "jobId", id)
    added = added + 1
  end
end
redis.call("INCRBY", KEYS[4], (#ARGV - 1) / 4)
local isFull = meta[2] and redis.call("LLEN", KEYS[2]) >= tonumber(meta[2])
if added > 0 and not meta[1] and not isFull then redis.call("ZADD", KEYS[6], 0, "0") end
return added
`;

/** A job waiting for its batch to be sent. */
interface Pending {
  readonly job: QueuedJob;
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

/** Sends a batch; resolves once Redis has all of it. */
export type SendBatch = (jobs: readonly QueuedJob[]) => Promise<void>;

/** Gathers the jobs for one place that are added in one turn of the event loop. */
export class AddBatch {
  readonly #send: SendBatch;
  #pending: Pending[] = [];
  #chars = 0;

  constructor(send: SendBatch) {
    this.#send = send;
  }

  /** Resolves once Redis has the job; rejects with what the whole batch was refused for. */
  add(job: QueuedJob): Promise<void> {
    return new Promise((stored, failed) => {
      if (this.#pending.length === 0) setImmediate(() => this.#flush());
      this.#pending.push({ job, stored, failed });
      this.#chars += job.dataText.length;
      if (this.#pending.length >= BATCH_JOBS_MAX || this.#chars >= BATCH_CHARS_MAX) this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    this.#chars = 0;
    this.#send(batch.map(({ job }) => job)).then(
      () => {
        for (const { stored } of batch) stored();
      },
      (error: unknown) => {
        for (const { failed } of batch) failed(error);
      },
    );
  }
}
