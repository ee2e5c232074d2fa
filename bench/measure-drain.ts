/**
 * Measures a worker process that empties a lane of jobs that were there before it started.
 *
 * The span goes from the first job seen taken to the last seen finished; the worker's start is left
 * out, its warming up is not. Sluice's jobs come in through its own producer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./child.ts";
import { withCleanup } from "./cleanup.ts";
import { type CpuReading, readCpu } from "./cpu-time.ts";
import { startSluiceDoor, storedJobs } from "./measure-ingest.ts";
import { jobsUrl, load, type Side, SLOTS, startProgram, startSluiceWorker } from "./programs.ts";
import { countJobs, type QueueCounts, RAW_QUEUE, SLUICE_LANE } from "./queue-keys.ts";
import { type RedisServer, startRedis, type Transport } from "./redis-server.ts";
import { type Sample, sampleOf } from "./sample.ts";

const POLL_MS = 5;
const START_MAX_MS = 30_000;
/** Slower than that is broken. */
const DRAIN_MS_PER_JOB_MAX = 20;
const PRELOAD_CONNECTIONS = 64;
const PRELOAD_BATCH = 500;
const PRELOAD_MAX_MS = 600_000;

export interface DrainOptions {
  readonly jobs: number;
  readonly redis: Transport;
  readonly nodeArgs: readonly string[];
}

interface WorkerKind {
  readonly queue: string;
  preload(side: Side, jobs: number, store: RedisServer): Promise<void>;
  start(side: Side): Child;
}

const raw: WorkerKind = {
  queue: RAW_QUEUE,
  async preload(side, jobs) {
    const env = { BENCH_BATCH: String(PRELOAD_BATCH), BENCH_IN_FLIGHT: "1" };
    const adder = startProgram("raw-add", side, env);
    await adder.untilPrinted(/ready/);
    await adder.ask({ jobs }, PRELOAD_MAX_MS);
  },
  start: (side) => startProgram("raw-worker", side, { BENCH_SLOTS: String(SLOTS) }),
};

const sluice: WorkerKind = {
  queue: SLUICE_LANE,
  async preload(side, jobs, store) {
    const url = await jobsUrl(await startSluiceDoor(side, store));
    const loader = startProgram("load", side);
    await load(loader, { url, connections: PRELOAD_CONNECTIONS, amount: jobs });
  },
  start: (side) => startSluiceWorker(side),
};

export const measureRawWorker = (options: DrainOptions) => measure(raw, options);
export const measureSluiceWorker = (options: DrainOptions) => measure(sluice, options);

function measure(kind: WorkerKind, { jobs, redis, nodeArgs }: DrainOptions): Promise<Sample> {
  return withCleanup(async (cleanup) => {
    const store = await startRedis(cleanup, redis);
    const { url: redisUrl } = store;
    const emptyBytes = await store.usedMemoryBytes();
    await withCleanup(async (preloading) => {
      await kind.preload({ cleanup: preloading, redisUrl, nodeArgs: [] }, jobs, store);
    });
    await storedJobs(store, kind.queue, jobs);

    const { before, after } = await withCleanup(async (running) => {
      const worker = kind.start({ cleanup: running, redisUrl, nodeArgs });
      return watchDrain(store, { worker, queue: kind.queue, jobs });
    });
    const redisBytesPerJob = ((await store.usedMemoryBytes()) - emptyBytes) / jobs;
    return sampleOf({ jobs, before, after, redisBytesPerJob });
  });
}

interface Drain {
  readonly worker: Child;
  readonly queue: string;
  readonly jobs: number;
}

async function watchDrain(
  store: RedisServer,
  drain: Drain,
): Promise<{ readonly before: CpuReading; readonly after: CpuReading }> {
  const read = () => readCpu(drain.worker.pid, store.pid);
  await untilCounts(store, drain, START_MAX_MS, (counts) => counts.active + counts.completed > 0);
  const before = read();
  const isDone = ({ waiting, active, completed }: QueueCounts) =>
    waiting === 0 && active === 0 && completed >= drain.jobs;
  await untilCounts(store, drain, drain.jobs * DRAIN_MS_PER_JOB_MAX, isDone);
  return { before, after: read() };
}

/** @throws when it takes longer than `maxMs`. */
async function untilCounts(
  store: RedisServer,
  { queue, worker }: Drain,
  maxMs: number,
  isSo: (counts: QueueCounts) => boolean,
): Promise<void> {
  const untilMs = performance.now() + maxMs;
  for (;;) {
    const counts = await countJobs(store.redis, queue);
    if (isSo(counts)) return;
    if (performance.now() > untilMs) {
      await worker.stop();
      throw new Error(`the worker is not done after ${maxMs} ms: ${JSON.stringify(counts)}`);
    }
    await sleep(POLL_MS);
  }
}
