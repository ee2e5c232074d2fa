/** The Redis keys by which the bench counts jobs, on either side. */
import type { Redis } from "ioredis";
import { laneName } from "#shared/lane";

/** Where one side keeps its jobs: the start of a BullMQ queue's keys. */
export const RAW_QUEUE = "bull:receipts";
export const SLUICE_LANE = `sluice:${laneName("receipts", 1)}`;

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly completed: number;
}

export async function countJobs(redis: Redis, queue: string): Promise<QueueCounts> {
  // Completed first: a job that moves on between two of the counts is then missed and never seen twice.
  const replies = await redis
    .multi()
    .zcard(`${queue}:completed`)
    .llen(`${queue}:active`)
    .llen(`${queue}:wait`)
    .exec();
  const [completed, active, waiting] = (replies ?? []).map(([error, count]) => {
    if (error !== null) throw error;
    return Number(count);
  });
  if (completed === undefined || active === undefined || waiting === undefined) {
    throw new Error("Redis did not count the jobs");
  }
  return { waiting, active, completed };
}
