/**
 * An app for replays of load traces: a worker that is ready a given time after its process began, jobs that hold their
 * slot for a given time, and one line in the ledger for each run, written with one append.
 */
import { appendFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { defineApp, defineContract, defineJob } from "sluice/worker";
import { z } from "zod";

const startsAfterMs = Number(process.env.REPLAY_START_MS ?? "0");
if (startsAfterMs > performance.now()) await sleep(startsAfterMs - performance.now());

const contract = defineContract({
  type: "replay.job",
  queue: "replay",
  policy: { attempts: 5, timeoutMs: 3_600_000, backoff: { baseMs: 100, maxMs: 1_000 } },
  versions: [
    { version: 1, minReaderVersion: 1, schema: z.looseObject({ n: z.int(), ms: z.number().min(0) }) },
  ],
});

async function run({ data }, { signal, fence }) {
  const takenAtMs = Date.now();
  let completed = false;
  try {
    await sleep(data.ms, undefined, { signal });
    completed = true;
  } finally {
    const endedAtMs = Date.now();
    const line = { n: data.n, pid: process.pid, takenAtMs, endedAtMs, starts: fence.starts, completed };
    appendFileSync(process.env.REPLAY_LEDGER, `${JSON.stringify(line)}\n`);
  }
}

export const app = defineApp({ name: "replay", jobs: [defineJob(contract, run)] });
