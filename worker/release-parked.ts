/**
 * Puts parked jobs that some live release reads back into their lane.
 *
 * Done when a worker registers: that is when a reader may have come that was missing. Adds to the lane
 * first and removes after, so a crash between the two leaves the job in both and never in neither.
 */

import { parseEnvelope } from "#shared/envelope";
import { parseRecord } from "#shared/job-record";
import { laneName, parkedName } from "#shared/lane";
import type { FoundJob, LaneQueues } from "#shared/redis/lane-queues";
import { decideLane } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";
import type { AcceptEnvelope } from "./accept-envelope.ts";

/** Jobs looked at in one go; the next worker to register looks at the next ones. */
const BATCH_MAX = 1_000;

export interface ParkedReader {
  readonly queue: string;
  /** The accept test of the build that has come. */
  readonly accept: AcceptEnvelope;
}

/** Answers how many jobs were put back. */
export async function releaseParked(
  queues: LaneQueues,
  document: RegistryDocument,
  { queue, accept }: ParkedReader,
): Promise<number> {
  const parked = await queues.waiting(parkedName(queue), BATCH_MAX);
  let released = 0;
  for (const job of parked) {
    const lane = laneOf(document, job, accept);
    if (lane === null) continue;
    await putBack(queues, job, lane);
    released += 1;
  }
  return released;
}

function laneOf(document: RegistryDocument, job: FoundJob, accept: AcceptEnvelope): string | null {
  try {
    const envelope = parseEnvelope(JSON.parse(job.raw.data));
    if (accept(envelope).kind !== "accept") return null;
    const decision = decideLane(document, envelope.type, envelope.schemaversion);
    return decision.kind === "lane" ? laneName(decision.queue, decision.generation) : null;
  } catch {
    // An envelope of another major stays parked until a build that knows it says so itself.
    return null;
  }
}

async function putBack(queues: LaneQueues, job: FoundJob, lane: string): Promise<void> {
  const record = parseRecord(job.raw.progress);
  const queued = {
    jobId: String(job.raw.id),
    name: job.raw.name,
    dataText: job.raw.data,
    acceptedAtMs: Number(job.raw.timestamp),
    delayMs: 0,
  };
  await queues.addWithRecord(lane, queued, { ...record, handBacks: 0 });
  await queues.remove(job.place, queued.jobId);
}
