/** Measures accepting single jobs over HTTP, each server a process of its own with an empty Redis. */
import type { Child } from "./child.ts";
import { withCleanup } from "./cleanup.ts";
import { readCpu } from "./cpu-time.ts";
import { publishLimits } from "./limits.ts";
import { jobsUrl, load, publishApp, type Side, startProgram, startSluiceProducer } from "./programs.ts";
import { countJobs, RAW_QUEUE, SLUICE_LANE } from "./queue-keys.ts";
import { type RedisServer, startRedis, type Transport } from "./redis-server.ts";
import { type Sample, sampleOf } from "./sample.ts";

/** For the just-in-time compiler; not measured. */
const WARM_UP_SECONDS = 1;

export interface LoadOptions {
  readonly seconds: number;
  readonly connections: number;
  readonly redis: Transport;
  readonly nodeArgs: readonly string[];
}

interface Server {
  start(side: Side, store: RedisServer): Promise<Child>;
  /** Each request has an idempotency key of its own. */
  readonly keys: boolean;
  /** `null`: keeps nothing. */
  readonly queue: string | null;
}

const noQueue: Server = {
  start: async (side) => startProgram("http-no-queue", side),
  keys: false,
  queue: null,
};

const queueAdd: Server = {
  start: async (side) => startProgram("http-queue-add", side),
  keys: false,
  queue: RAW_QUEUE,
};

const sluice = (settings: { readonly keys: boolean; readonly isThrottled: boolean }): Server => ({
  start: (side, store) => startSluiceDoor(side, store, settings.isThrottled),
  keys: settings.keys,
  queue: SLUICE_LANE,
});

export const measureNoQueue = (options: LoadOptions) => measure(noQueue, options);
export const measureQueueAdd = (options: LoadOptions) => measure(queueAdd, options);
export const measureSluiceBare = (options: LoadOptions) =>
  measure(sluice({ keys: false, isThrottled: false }), options);
export const measureSluice = (options: LoadOptions) =>
  measure(sluice({ keys: true, isThrottled: false }), options);
export const measureSluiceThrottled = (options: LoadOptions) =>
  measure(sluice({ keys: true, isThrottled: true }), options);

/** A producer that knows its app and its limits. */
export async function startSluiceDoor(side: Side, store: RedisServer, isThrottled = false): Promise<Child> {
  await publishApp(side);
  await publishLimits(store, isThrottled);
  return startSluiceProducer(side);
}

function measure(kind: Server, { seconds, connections, redis, nodeArgs }: LoadOptions): Promise<Sample> {
  return withCleanup(async (cleanup) => {
    const store = await startRedis(cleanup, redis);
    const { url: redisUrl } = store;
    const server = await kind.start({ cleanup, redisUrl, nodeArgs }, store);
    const url = await jobsUrl(server);
    const loader = startProgram("load", { cleanup, redisUrl, nodeArgs: [] });
    const emptyBytes = await store.usedMemoryBytes();

    const warmUp = await load(loader, { url, connections, keys: kind.keys, seconds: WARM_UP_SECONDS });
    const before = readCpu(server.pid, store.pid);
    const { answered, p50Ms, p99Ms } = await load(loader, { url, connections, keys: kind.keys, seconds });
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
