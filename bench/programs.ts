/** How each program of the bench is started: those in bench/programs/, and Sluice's own from dist/. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import type { Cleanup } from "./cleanup.ts";

/** Jobs that a worker process runs at once, on both sides. */
export const SLOTS = 10;

const RELEASE = "bench-1";
const QUEUE = "receipts";
const SCRIPT_MAX_MS = 60_000;

/** One started side of a comparison, ready to be measured. */
export interface Side {
  readonly cleanup: Cleanup;
  /** Of the Redis server: `unix://<path>` or `redis://<host>:<port>`. */
  readonly redisUrl: string;
  /** For the measured process alone, such as a profiler's. */
  readonly nodeArgs: readonly string[];
}

/** Each spelled out, so that tools which look for unused files find them. */
const PROGRAMS = {
  "http-no-queue": new URL("./programs/http-no-queue.mjs", import.meta.url),
  "http-queue-add": new URL("./programs/http-queue-add.mjs", import.meta.url),
  "raw-add": new URL("./programs/raw-add.mjs", import.meta.url),
  "raw-worker": new URL("./programs/raw-worker.mjs", import.meta.url),
  load: new URL("./programs/load.mjs", import.meta.url),
  "stream-load": new URL("./programs/stream-load.mjs", import.meta.url),
};

export function startProgram(
  program: keyof typeof PROGRAMS,
  { cleanup, redisUrl, nodeArgs }: Side,
  env: Readonly<Record<string, string>> = {},
): Child {
  const script = fileURLToPath(PROGRAMS[program]);
  return Child.start(
    {
      name: program,
      command: process.execPath,
      args: [...nodeArgs, script],
      env: { BENCH_REDIS_URL: redisUrl, ...env },
    },
    cleanup,
  );
}

/** Enters the bench's app in the registry. */
export async function publishApp(side: Side): Promise<void> {
  const publishing = startSluice("worker", { ...side, nodeArgs: [] }, ["publish"]);
  await publishing.untilDone();
}

export function startSluiceProducer(side: Side): Child {
  return startSluice("producer", side, []);
}

export function startSluiceWorker(side: Side): Child {
  return startSluice("worker", side, []);
}

function startSluice(room: "producer" | "worker", side: Side, args: readonly string[]): Child {
  const script = fileURLToPath(new URL(`../dist/${room}/main.js`, import.meta.url));
  if (!existsSync(script)) throw new Error("dist/ is missing; run npm run build first");
  const env = {
    SLUICE_REDIS_URL: side.redisUrl,
    SLUICE_API_PORT: "0",
    SLUICE_APP: fileURLToPath(new URL("./programs/app.mjs", import.meta.url)),
    SLUICE_RELEASE: RELEASE,
    SLUICE_QUEUE: QUEUE,
    SLUICE_SLOTS: String(SLOTS),
  };
  const command = process.execPath;
  return Child.start(
    { name: `Sluice's ${room}`, command, args: [...side.nodeArgs, script, ...args], env },
    side.cleanup,
  );
}

/** The URL that a server's first line of JSON tells. */
export async function jobsUrl(server: Child): Promise<string> {
  const [, port] = await server.untilPrinted(/"port":(\d+)/);
  return `http://127.0.0.1:${port}/v1/jobs`;
}

export interface LoadRequest {
  readonly url: string;
  /** Each with one request at a time. */
  readonly connections?: number;
  /** Each request has an idempotency key of its own. */
  readonly keys?: boolean;
  readonly seconds?: number;
  /** Requests in all. */
  readonly amount?: number;
}

export interface LoadResult {
  /** Jobs accepted. */
  readonly answered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Loads a server. @throws when a job was answered with anything but that it is accepted, or not at all. */
export async function load(loader: Child, request: LoadRequest): Promise<LoadResult> {
  type Answer = LoadResult & { readonly refused: number; readonly failed: number };
  const answer = await loader.ask<Answer>(request, SCRIPT_MAX_MS + (request.seconds ?? 600) * 1_000);
  if (answer.refused === 0 && answer.failed === 0 && answer.answered > 0) return answer;
  const { answered, refused, failed } = answer;
  throw new Error(`${answered} jobs were accepted, ${refused} refused, and ${failed} failed`);
}
