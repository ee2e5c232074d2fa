/**
 * Puts parked jobs that some live release reads back into their lane.
 *
 * Done when a worker registers, or begins to take jobs: that is when a reader may have come that was missing. Each job
 * moves in one step, so workers that register together release it once.
 */
import { parseEnvelope } from "#shared/envelope";
import { parseRecord } from "#shared/job-record";
import { laneName, parkedName } from "#shared/lane";
import type { Log } from "#shared/log";
import type { FoundJob, LaneQueues } from "#shared/redis/lane-queues";
import { routeOf } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { type AcceptEnvelope, acceptTestOf } from "./accept-envelope.ts";
import type { ResolvedApp } from "./app.ts";

/** Jobs looked at in one go; the next worker to register looks at the next ones. */
const BATCH_MAX = 1_000;

export interface ParkedReader {
  readonly queue: string;
  /** The accept test of the build that has come. */
  readonly accept: AcceptEnvelope;
}

/** The same for a worker of this app, which says so in its log. */
export async function releaseParkedFor(
  app: ResolvedApp,
  at: {
    readonly queues: LaneQueues;
    readonly document: RegistryDocument;
    readonly queue: string;
    readonly log: Log;
  },
): Promise<void> {
  const accept = acceptTestOf(app.jobs.map((job) => job.contract));
  const released = await releaseParked(at.queues, at.document, { queue: at.queue, accept });
  if (released > 0) at.log.info({ released }, "parked jobs have a reader again");
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
    if (await putBack(queues, job, lane)) released += 1;
  }
  return released;
}

function laneOf(document: RegistryDocument, job: FoundJob, accept: AcceptEnvelope): string | null {
  try {
    const envelope = parseEnvelope(JSON.parse(job.raw.data));
    if (accept(envelope).kind !== "accept") return null;
    const route = routeOf(document, envelope.type, envelope.schemaversion);
    return route === null ? null : laneName(route.queue, route.generation);
  } catch {
    // An envelope of another major stays parked until a build that knows it says so itself.
    return null;
  }
}

/** Answers whether this call has put it back. */
async function putBack(queues: LaneQueues, job: FoundJob, lane: string): Promise<boolean> {
  const record = { ...parseRecord(job.raw.progress), handBacks: 0 };
  const move = { jobId: String(job.raw.id), lease: null, dataSha1: null, dataText: null, record };
  const [outcome] = await queues.move({ from: job.place, to: lane, due: "now" }, [move]);
  return outcome === "moved";
}
