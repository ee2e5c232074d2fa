/** Measures accepting single jobs over HTTP, each server a process of its own with an empty Redis. */
import type { Child } from "./child.ts";
import { withCleanup } from "./cleanup.ts";
import { readCpu } from "./cpu-time.ts";
import { jobsUrl, load, publishApp, type Side, startProgram, startSluiceProducer } from "./programs.ts";
import { countJobs, RAW_QUEUE, SLUICE_LANE } from "./queue-keys.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { type Sample, sampleOf } from "./sample.ts";

/** For the just-in-time compiler; not measured. */
const WARM_UP_SECONDS = 1;

export interface LoadOptions {
  readonly seconds: number;
  readonly connections: number;
  readonly nodeArgs: readonly string[];
}

interface Server {
  start(side: Side): Promise<Child>;
  /** `null`: keeps nothing. */
  readonly queue: string | null;
}

const noQueue: Server = { start: async (side) => startProgram("http-no-queue", side), queue: null };

const queueAdd: Server = { start: async (side) => startProgram("http-queue-add", side), queue: RAW_QUEUE };

const sluice: Server = {
  async start(side) {
    await publishApp(side);
    return startSluiceProducer(side);
  },
  queue: SLUICE_LANE,
};

export const measureNoQueue = (options: LoadOptions) => measure(noQueue, options);
export const measureQueueAdd = (options: LoadOptions) => measure(queueAdd, options);
export const measureSluiceProducer = (options: LoadOptions) => measure(sluice, options);

function measure(kind: Server, { seconds, connections, nodeArgs }: LoadOptions): Promise<Sample> {
  return withCleanup(async (cleanup) => {
    const store = await startRedis(cleanup);
    const { socketPath } = store;
    const server = await kind.start({ cleanup, socketPath, nodeArgs });
    const url = await jobsUrl(server);
    const loader = startProgram("load", { cleanup, socketPath, nodeArgs: [] });
    const emptyBytes = await store.usedMemoryBytes();

    const warmUp = await load(loader, { url, connections, seconds: WARM_UP_SECONDS });
    const before = readCpu(server.pid, store.pid);
    const { answered, p50Ms, p99Ms } = await load(loader, { url, connections, seconds });
    const after = readCpu(server.pid, store.pid);

    const common = { jobs: answered, before, after, p50Ms, p99Ms };
    if (kind.queue === null) return sampleOf({ ...common, hasRedis: false });
    const stored = await storedJobs(store, kind.queue, warmUp.answered + answered);
    return sampleOf({ ...common, redisBytesPerJob: ((await store.usedMemoryBytes()) - emptyBytes) / stored });
  });
}

/** @throws when Redis has fewer jobs than were accepted: such a server would be fast for a bad reason. */
export async function storedJobs(store: RedisServer, queue: string, accepted: number): Promise<number> {
  const { waiting } = await countJobs(store.redis, queue);
  if (waiting >= accepted) return waiting;
  throw new Error(`${accepted} jobs were accepted, and Redis has ${waiting}`);
}
