/**
 * Writes the record of a job that somebody holds the lease of, and of no other: a run that has lost its job
 * must not write over what the job's next run has left.
 *
 * The record lies where BullMQ's own update of a job's progress puts it. Unlike that it adds no entry to the
 * lane's event stream: nobody listens there, and records of running jobs would push out what is kept.
 */
import type { JobRecord } from "../job-record.ts";
import type { RedisConnection } from "./connection.ts";

/** KEYS: the job, its lock. ARGV: lease, record. */
const KEEP_PROGRESS = `
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "progress", ARGV[2])
return 1
`;

export interface HeldJob {
  readonly prefix: string;
  readonly lane: string;
  readonly jobId: string;
  readonly lease: string;
}

/** Answers whether it was written: the lease was still held. */
export async function keepProgress(
  redis: RedisConnection,
  { prefix, lane, jobId, lease }: HeldJob,
  record: JobRecord,
): Promise<boolean> {
  const key = `${prefix}:${lane}:${jobId}`;
  return (await redis.eval(KEEP_PROGRESS, 2, key, `${key}:lock`, lease, JSON.stringify(record))) === 1;
}
