/** Measures raw BullMQ's adds, without HTTP: the ceiling that no server in front of it can pass. */
import { withCleanup } from "./cleanup.ts";
import { readCpu } from "./cpu-time.ts";
import { type LoadOptions, storedJobs } from "./measure-ingest.ts";
import { startProgram } from "./programs.ts";
import { RAW_QUEUE } from "./queue-keys.ts";
import { startRedis } from "./redis-server.ts";
import { type Sample, sampleOf } from "./sample.ts";

/** Jobs in one `addBulk`. */
export const BULK_JOBS = 500;

const WARM_UP_SECONDS = 1;
const ANSWER_MAX_MS = 60_000;

export const measureAdd = (options: LoadOptions) => measure(options, 1, options.connections);
export const measureAddBulk = (options: LoadOptions) => measure(options, BULK_JOBS, 1);

function measure(
  { seconds, redis, nodeArgs }: LoadOptions,
  batch: number,
  inFlight: number,
): Promise<Sample> {
  return withCleanup(async (cleanup) => {
    const store = await startRedis(cleanup, redis);
    const env = { BENCH_BATCH: String(batch), BENCH_IN_FLIGHT: String(inFlight) };
    const adder = startProgram("raw-add", { cleanup, redisUrl: store.url, nodeArgs }, env);
    await adder.untilPrinted(/ready/);
    const emptyBytes = await store.usedMemoryBytes();
    const add = (wantedSeconds: number) =>
      adder.ask<{ jobs: number }>({ seconds: wantedSeconds }, ANSWER_MAX_MS + wantedSeconds * 1_000);

    const warmUp = await add(WARM_UP_SECONDS);
    const before = readCpu(adder.pid, store.pid);
    const { jobs } = await add(seconds);
    const after = readCpu(adder.pid, store.pid);

    const stored = await storedJobs(store, RAW_QUEUE, warmUp.jobs + jobs);
    const redisBytesPerJob = ((await store.usedMemoryBytes()) - emptyBytes) / stored;
    return sampleOf({ jobs, before, after, redisBytesPerJob });
  });
}
