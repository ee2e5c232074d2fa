/**
 * An app for end-to-end tests: every start and end of a run is a line in the ledger file that
 * PROBE_LEDGER names, written with one append, so that a killed worker loses no line.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defineApp, defineContract, defineJob, TerminalJobError } from "sluice/worker";
import { z } from "zod";

function note(event, job, context) {
  const line = {
    event,
    jobId: job.jobId,
    n: job.data.n,
    starts: context.fence.starts,
    release: context.release,
  };
  const more = {
    attempt: context.attempt,
    schemaVersion: job.schemaVersion,
    atMs: Date.now(),
    pid: process.pid,
  };
  appendFileSync(process.env.PROBE_LEDGER, `${JSON.stringify({ ...line, ...more })}\n`);
}

async function run(job, context) {
  note("start", job, context);
  const { ms = 0, fail, deaf = false, progress, spawn = 0 } = job.data;
  for (let child = 1; child <= spawn; child += 1) {
    await context.enqueue({ type: "probe.task", schemaversion: 1, data: { n: 100 * job.data.n + child } });
  }
  if (progress !== undefined) context.progress(progress, "as asked");
  if (fail === "terminal") throw new TerminalJobError("asked to fail for good");
  if (fail === "always") throw new Error("asked to fail");
  if (fail === "once" && context.attempt === 1) throw new Error("asked to fail once");
  if (fail === "exit") process.exit(1);
  await sleep(ms, undefined, deaf ? {} : { signal: context.signal });
  note("end", job, context);
  return { n: job.data.n, total: job.data.total ?? null };
}

const policy = { attempts: 3, timeoutMs: 60_000, backoff: { baseMs: 100, maxMs: 1_000 } };

const taskV1 = z.looseObject({
  n: z.int(),
  ms: z.int().min(0).max(600_000).optional(),
  fail: z.enum(["once", "always", "terminal", "exit"]).optional(),
  deaf: z.boolean().optional(),
  progress: z.int().optional(),
  spawn: z.int().min(0).max(10).optional(),
  amount: z.int().optional(),
});

const taskV2 = z.looseObject({
  n: z.int(),
  ms: z.int().min(0).max(600_000).optional(),
  fail: z.enum(["once", "always", "terminal", "exit"]).optional(),
  deaf: z.boolean().optional(),
  progress: z.int().optional(),
  spawn: z.int().min(0).max(10).optional(),
  total: z.looseObject({ value: z.int(), currency: z.string() }),
});

function task(versions) {
  return defineJob(defineContract({ type: "probe.task", queue: "probe", policy, versions }), run);
}

/** Reads version 1 only. */
export const probeV1 = defineApp({
  name: "probe",
  jobs: [task([{ version: 1, minReaderVersion: 1, schema: taskV1 }])],
});

const upcast = ({ amount = 0, ...rest }) => ({ ...rest, total: { value: amount, currency: "USD" } });

const extra = defineJob(
  defineContract({
    type: "probe.extra",
    queue: "probe",
    policy,
    versions: [{ version: 1, minReaderVersion: 1, schema: z.looseObject({ n: z.int() }) }],
  }),
  run,
);

/** Reads versions 1 and 2, and a type that the older build does not know. */
function readingBoth(step, probe) {
  return defineApp({
    name: "probe",
    probe,
    jobs: [
      task([
        { version: 1, minReaderVersion: 1, schema: taskV1 },
        { version: 2, minReaderVersion: 2, schema: taskV2, upcast: step },
      ]),
      extra,
    ],
  });
}

export const probeV2 = readingBoth(upcast, ({ release, log }) => log("the app's probe runs", { release }));

/** The same with a step that has a bug, which its probe says: it throws for the amount 13. */
export const probeV2Broken = readingBoth(
  (data) => {
    if (data.amount === 13) throw new RangeError("this step has a bug");
    return upcast(data);
  },
  () => {
    throw new Error("this step has a bug");
  },
);
