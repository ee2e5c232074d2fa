/** A shop whose directories last for one test, and the jobs and contexts its handlers are given. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createShop } from "#examples/shop/shop";
import type { HandledJob, HandlerContext, JobDefinition } from "#worker/app";

export interface TemporaryShop extends ReturnType<typeof createShop> {
  readonly dataDir: string;
  readonly outputDir: string;
  /** Puts a file into the data directory and gives its path. */
  addFile(name: string, content: string | Uint8Array): Promise<string>;
  /** Every file below the output directory, with forward slashes; empty when nothing was written. */
  outputFiles(): Promise<string[]>;
}

export async function openTemporaryShop(): Promise<TemporaryShop> {
  const root = await mkdtemp(join(tmpdir(), "sluice-shop-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const dataDir = join(root, "data");
  const outputDir = join(root, "output");
  await mkdir(dataDir);
  return {
    ...createShop({ dataDir, outputDir }),
    dataDir,
    outputDir,
    async addFile(name, content) {
      const path = join(dataDir, name);
      await writeFile(path, content);
      return path;
    },
    async outputFiles() {
      const entries = await readdir(outputDir, { recursive: true, withFileTypes: true }).catch(() => []);
      const files = entries.filter((entry) => entry.isFile());
      return files.map((entry) => join(entry.parentPath, entry.name).slice(outputDir.length + 1)).sort();
    },
  };
}

export function aJob(data: unknown, overrides: Partial<HandledJob<unknown>> = {}): HandledJob<unknown> {
  return {
    jobId: "shop~abc",
    type: "receipt.render",
    data,
    schemaVersion: 1,
    attributes: {},
    ...overrides,
  };
}

export function aContext(overrides: Partial<HandlerContext> = {}): HandlerContext {
  return {
    signal: new AbortController().signal,
    fence: { jobId: "shop~abc", starts: 1 },
    attempt: 1,
    release: "shop-v2",
    progress: () => undefined,
    enqueue: () => Promise.reject(new Error("nothing is enqueued here")),
    log: () => {},
    ...overrides,
  };
}

/** Runs a handler as a worker would: what it throws at once is a rejection too. */
export async function run(
  definition: JobDefinition,
  data: unknown,
  context: Partial<HandlerContext> = {},
): Promise<unknown> {
  return definition.handler(aJob(data), aContext(context));
}
