/**
 * Looks for jobs as BullMQ itself does, to hold our own answers against. Its look at a job's state goes through the whole
 * backlog, which is why nothing but tests asks it.
 */
import type { JobFinder } from "#shared/redis/job-lookup";
import type { FoundJob, LaneQueues } from "#shared/redis/lane-queues";

export interface BullmqFinder extends JobFinder {
  find(places: readonly string[], jobId: string): Promise<readonly FoundJob[]>;
}

export function bullmqFinder(queues: Pick<LaneQueues, "open">): BullmqFinder {
  const findIn = async (place: string, jobId: string): Promise<readonly FoundJob[]> => {
    const backend = (await queues.open(place)).getBackend();
    const [raw, state] = await Promise.all([backend.getJobData(jobId), backend.getState(jobId)]);
    return raw === undefined || state === "unknown" ? [] : [{ place, raw, state }];
  };
  return {
    find: async (places, jobId) => (await Promise.all(places.map((place) => findIn(place, jobId)))).flat(),
  };
}
