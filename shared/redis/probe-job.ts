/**
 * One job through a queue of its own, on the way that all jobs take: added, taken, settled and found settled.
 *
 * It shows that a process can work with this Redis and its BullMQ before any real job is given to it. The queue holds
 * nothing else, nobody else reads it, and it is gone afterwards; a process that is killed in the middle leaves a
 * handful of keys behind. Everything that waits has a limit.
 */
import type { Queue } from "bullmq";
import type { Clock } from "../clock.ts";
import type { RedisConnection } from "./connection.ts";
import { LaneQueues } from "./lane-queues.ts";
import { LaneWorker } from "./lane-worker.ts";

/** From being added to being found settled. */
const JOB_MS_MAX = 10_000;

const CLEAN_UP_MS_MAX = 2_000;

/** What BullMQ leaves of a queue that was emptied. */
const LEFT_BEHIND = [
  "id",
  "meta",
  "marker",
  "events",
  "stalled-check",
  "metrics:completed",
  "metrics:failed",
];

export interface ProbeJobPorts {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly queue: string;
  readonly release: string;
  readonly workerId: string;
  readonly clock: Clock;
}

/** @throws with a sentence when the job was not taken and settled in time. */
export async function runProbeJob(ports: ProbeJobPorts): Promise<void> {
  const { redis, prefix, clock } = ports;
  const queues = new LaneQueues(redis, prefix);
  const place = probePlace(ports);
  const ended = new AbortController();
  const seen: { taken: boolean; error: Error | null } = { taken: false, error: null };
  const worker = probeWorker(ports, { queues, place, seen, onEnded: () => ended.abort() });
  const limit = new AbortController();
  try {
    const run = async () => {
      const queue = await queues.open(place);
      await queue.add("sluice.probe", { tenant: "default" }, { jobId: "probe", removeOnFail: true });
      worker.start(1);
      await clock.sleep(JOB_MS_MAX, ended.signal);
      return (await queue.getJob("probe"))?.returnvalue as { readonly release?: unknown } | null;
    };
    const outcome = await Promise.race([run(), late(clock, limit.signal)]);
    if (outcome?.release === ports.release) return;
    const why = seen.taken ? "was taken and not settled" : "was not taken";
    throw new Error(`its own job ${why} within ${JOB_MS_MAX / 1_000} s${saying(seen.error)}`);
  } finally {
    limit.abort();
    await Promise.race([cleanUp(ports, { queues, place, worker }), clock.sleep(CLEAN_UP_MS_MAX)]);
  }
}

/** No lane's name, and no other worker's: the worker's id holds no dot. */
export function probePlace({ queue, workerId }: Pick<ProbeJobPorts, "queue" | "workerId">): string {
  return `${queue}.probe.${workerId}`;
}

interface Watched {
  readonly queues: LaneQueues;
  readonly place: string;
  readonly seen: { taken: boolean; error: Error | null };
  onEnded(): void;
}

function probeWorker(ports: ProbeJobPorts, { queues, place, seen, onEnded }: Watched): LaneWorker {
  const { redis, prefix, release, workerId, clock } = ports;
  return new LaneWorker({
    redis,
    queues,
    prefix,
    lane: place,
    workerName: `${release}/${workerId}`,
    clock,
    run: async () => {
      seen.taken = true;
      return { kind: "finished", outcome: { outcome: "succeeded", release } };
    },
    onEmptied: () => undefined,
    onError: (error) => {
      seen.error = error;
    },
    onRedelivered: () => undefined,
    onEnded,
  });
}

async function cleanUp(
  { redis, prefix }: ProbeJobPorts,
  { queues, place, worker }: { queues: LaneQueues; place: string; worker: LaneWorker },
): Promise<void> {
  await worker.stopTaking().catch(() => undefined);
  await queues
    .open(place)
    .then((queue: Queue) => queue.obliterate({ force: true }))
    .catch(() => undefined);
  await redis.del(...LEFT_BEHIND.map((name) => `${prefix}:${place}:${name}`)).catch(() => undefined);
  queues.close();
}

async function late(clock: Clock, signal: AbortSignal): Promise<null> {
  await clock.sleep(JOB_MS_MAX + 1_000, signal);
  return null;
}

function saying(error: Error | null): string {
  return error === null ? "" : `: ${error.message}`;
}
