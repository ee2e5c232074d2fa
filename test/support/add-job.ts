/** Puts a job into a place as a producer would that has no bounds and remembers nothing. */
import { randomUUID } from "node:crypto";
import type { AdmissionOutcome, AdmissionTerms } from "#shared/redis/admission";
import type { LaneQueues } from "#shared/redis/lane-queues";
import type { QueuedJob } from "#shared/redis/queued-job";

/** Terms under which there is room for everything. */
export function roomyTerms(place: string, terms: Partial<AdmissionTerms> = {}): AdmissionTerms {
  return {
    queue: place,
    lanes: [place],
    place,
    priority: 0,
    depthMax: 1_000_000,
    scheduledMax: 1_000_000,
    tenant: "default",
    tenantMax: 1_000_000,
    ...terms,
  };
}

/** A job whose id is known in this very place changes nothing. */
export function addJob(
  queues: Pick<LaneQueues, "admit">,
  place: string,
  job: QueuedJob,
): Promise<AdmissionOutcome> {
  return queues.admit({
    ...job,
    terms: roomyTerms(place),
    revision: null,
    // One that nothing was remembered by: only the place itself is asked for the id.
    records: [`id:${randomUUID()}`],
    fingerprint: "-",
    dedup: "",
  });
}
