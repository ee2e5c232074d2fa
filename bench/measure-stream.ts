/** Measures a stream of jobs as lines through Sluice's producer. */
import { withCleanup } from "./cleanup.ts";
import { readCpu } from "./cpu-time.ts";
import { type LoadOptions, startSluiceDoor, storedJobs } from "./measure-ingest.ts";
import { jobsUrl, load, startProgram } from "./programs.ts";
import { SLUICE_LANE } from "./queue-keys.ts";
import { startRedis } from "./redis-server.ts";
import { type Sample, sampleOf } from "./sample.ts";

const WARM_UP_SECONDS = 1;

export function measureSluiceStream({ seconds, redis, nodeArgs }: LoadOptions): Promise<Sample> {
  return withCleanup(async (cleanup) => {
    const store = await startRedis(cleanup, redis);
    const { url: redisUrl } = store;
    const server = await startSluiceDoor({ cleanup, redisUrl, nodeArgs }, store);
    const url = await jobsUrl(server);
    const loader = startProgram("stream-load", { cleanup, redisUrl, nodeArgs: [] });
    await loader.untilPrinted(/ready/);
    const emptyBytes = await store.usedMemoryBytes();

    const warmUp = await load(loader, { url, seconds: WARM_UP_SECONDS });
    const before = readCpu(server.pid, store.pid);
    const { answered } = await load(loader, { url, seconds });
    const after = readCpu(server.pid, store.pid);

    const stored = await storedJobs(store, SLUICE_LANE, warmUp.answered + answered);
    const redisBytesPerJob = ((await store.usedMemoryBytes()) - emptyBytes) / stored;
    return sampleOf({ jobs: answered, before, after, redisBytesPerJob });
  });
}
