/**
 * Runs a handler against its time limit and the ways a run can be ended from outside, and says how the
 * job settles.
 *
 * A handler that ignores its signal is left behind after a grace: its promise goes on, its outcome is
 * ignored, and the fence lets its late effects be told apart.
 */
import type { Clock } from "#shared/clock";
import type { Contract } from "#shared/contracts/contract";
import { type Envelope, runBoundsOf } from "#shared/envelope";
import { JobTimeoutError } from "#shared/errors";
import type { Flag } from "#shared/flag";
import {
  type AttemptEntry,
  failuresWithout,
  type JobRecord,
  MESSAGE_CHARS_MAX,
  RESULT_BYTES_MAX,
  type StoredOutcome,
  withAttempt,
} from "#shared/job-record";
import type { Log } from "#shared/log";
import type { Settlement, TakenJob } from "#shared/redis/lane-worker";
import { toRfc3339 } from "#shared/system-clock";
import type { Handler, HandlerContext } from "./app.ts";
import type { ChildDoor } from "./child-jobs.ts";
import { type AbortCause, decideOutcome, type RunEnd } from "./decide-outcome.ts";
import { ProgressReport } from "./progress.ts";
import { RunStop, type StopCause } from "./run-stop.ts";

/** What a handler gets to wind up in after its signal has aborted. */
const ABORT_GRACE_MS = 1_000;

/** Characters of an error's code that are kept. */
const CODE_CHARS_MAX = 64;

export interface HandlerRun {
  readonly contract: Contract;
  readonly handler: Handler<unknown>;
  readonly envelope: Envelope;
  readonly data: unknown;
  readonly job: TakenJob;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly release: string;
  readonly workerId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly children: ChildDoor;
  /** Releases whose failures do not count for any job, as far as is known now. */
  discounted(): ReadonlySet<string>;
  /** What can end the run from outside. */
  readonly aborts: Readonly<Record<AbortCause, Flag>>;
  /** A draw in [0, 1). */
  random(): number;
}

type Ended = { readonly end: RunEnd; readonly value?: unknown };

/** Never rejects. */
export async function runHandler(run: HandlerRun): Promise<Settlement> {
  const { job, random, release } = run;
  const policy = policyOf(run);
  const ended = await runToEnd(run, policy.timeoutMs);
  const { end } = ended;
  const discounted = run.discounted();
  const decision = decideOutcome(end, policy, {
    failures: failuresWithout(job.record, discounted),
    random: random(),
    cancelled: run.aborts.cancelled.raised,
    discounted: discounted.has(release),
  });
  switch (decision.kind) {
    case "succeeded":
      return { kind: "finished", outcome: succeeded(run, ended.value) };
    case "cancelled":
      return { kind: "finished", outcome: { outcome: "cancelled", release: run.release } };
    case "returned-to-head":
      return { kind: "returned", record: recorded(run, "handed-back", DRAINING) };
    case "abandoned":
      return { kind: "abandoned" };
    case "retry": {
      const cause = causeOf(end);
      const record = recorded(run, "retry", cause);
      return { kind: "retry", delayMs: decision.delayMs, record, reason: `${cause.code}: ${cause.message}` };
    }
    case "failed": {
      const cause = causeOf(end);
      run.log.warn({ jobId: job.jobId, code: cause.code, reason: decision.reason }, "job has failed");
      return {
        kind: "failed",
        record: recorded(run, "failed", cause),
        reason: `${cause.code}: ${cause.message}`,
      };
    }
  }
}

const DRAINING = { code: "DRAINING", message: "the worker was told to stop before the run ended" };

/** The type's policy, or less of it where the job asks for less. */
function policyOf({ contract: { policy }, envelope }: HandlerRun): Contract["policy"] {
  const { attempts, timeoutMs } = runBoundsOf(envelope);
  return {
    ...policy,
    attempts: Math.min(policy.attempts, attempts),
    timeoutMs: Math.min(policy.timeoutMs, timeoutMs),
  };
}

/** Resolves when the handler has ended, or has been told to and let its grace pass. */
function runToEnd(run: HandlerRun, timeoutMs: number): Promise<Ended> {
  const { clock, aborts, job } = run;
  const stop = new RunStop(timeoutMs);
  return new Promise((resolve) => {
    const finish = (ended: Ended | null) => {
      cancelTimeout();
      for (const forget of forgets) forget();
      resolve(endOf(ended, stop.cause, timeoutMs));
    };
    const leaveBehind = () => {
      run.log.warn({ jobId: job.jobId }, "handler ignored its signal and was left behind");
      finish(null);
    };
    const end = (cause: StopCause) => {
      if (stop.end(cause)) clock.after(ABORT_GRACE_MS, leaveBehind);
    };
    const cancelTimeout = clock.after(timeoutMs, () => end("timeout"));
    const forgets = [
      aborts.draining.onRaised(() => end("draining")),
      aborts["lease-lost"].onRaised(() => end("lease-lost")),
      aborts.cancelled.onRaised(() => end("cancelled")),
    ];
    void callHandler(run, stop).then(finish);
  });
}

/** Never rejects. */
async function callHandler(run: HandlerRun, stop: RunStop): Promise<Ended> {
  const { job, envelope, release, handler, log } = run;
  let hasEnded = false;
  const over = () => (stop.cause === null ? (hasEnded ? RUN_ENDED : undefined) : stop.signal.reason);
  let report: ProgressReport | null = null;
  const isOver = () => hasEnded || stop.cause !== null;
  const context: HandlerContext = {
    get signal() {
      return stop.signal;
    },
    fence: { jobId: job.jobId, starts: job.starts },
    attempt: job.record.failures + 1,
    release,
    enqueue: run.children.of({ jobId: job.jobId, envelope, over }),
    progress: (percent, message) => {
      report ??= new ProgressReport({ job, clock: run.clock, isOver });
      report.say(percent, message);
    },
    log: (message, facts) => log.info({ jobId: job.jobId, type: envelope.type, ...facts }, message),
  };
  const handled = {
    jobId: job.jobId,
    type: envelope.type,
    data: run.data,
    schemaVersion: envelope.schemaversion,
    get attributes() {
      const { data: _data, ...attributes } = envelope;
      return attributes;
    },
  };
  try {
    return { end: RETURNED, value: await handler(handled, context) };
  } catch (error) {
    return { end: thrown(error) };
  } finally {
    hasEnded = true;
  }
}

/** For a handler that enqueues without awaiting it: a job that nobody waited for may or may not be there. */
const RUN_ENDED = new Error("the run has ended: await what it enqueues");

const RETURNED: RunEnd = { kind: "returned" };

function thrown(error: unknown): RunEnd {
  const facts = error instanceof Error ? error : new Error(textOf(error));
  const retryability =
    "retryability" in facts && facts.retryability === "terminal" ? "terminal" : "retryable";
  const code = "code" in facts && typeof facts.code === "string" ? facts.code : textOf(facts.name);
  return {
    kind: "threw",
    retryability,
    code: code.slice(0, CODE_CHARS_MAX),
    message: textOf(facts.message).slice(0, MESSAGE_CHARS_MAX),
  };
}

/** Anything can be thrown, and an error's fields can hold anything: some of it cannot be made a text. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a thrown ${typeof value}`;
  }
}

/** What a run that was told to end counts as: work that finished all the same has finished. */
function endOf(ended: Ended | null, cause: StopCause | null, timeoutMs: number): Ended {
  if (ended !== null && (cause === null || ended.end.kind === "returned")) return ended;
  if (cause === null || cause === "timeout") {
    const { code, message, retryability } = new JobTimeoutError(timeoutMs);
    return { end: { kind: "threw", retryability, code, message } };
  }
  return { end: { kind: "aborted", cause } };
}

function succeeded(run: HandlerRun, value: unknown): StoredOutcome {
  const { release } = run;
  const base = { outcome: "succeeded" as const, release };
  if (value === undefined) return base;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    run.log.warn({ jobId: run.job.jobId }, "the handler's result is not JSON and is not kept");
  }
  if (text === undefined) return base;
  const bytes = Buffer.byteLength(text);
  return bytes <= RESULT_BYTES_MAX
    ? { outcome: "succeeded", release, result: value }
    : { outcome: "succeeded", release, resultBytesDropped: bytes };
}

function causeOf(end: RunEnd): { readonly code: string; readonly message: string } {
  return end.kind === "threw" ? end : DRAINING;
}

function recorded(
  run: HandlerRun,
  outcome: AttemptEntry["outcome"],
  cause: { readonly code: string; readonly message: string },
): JobRecord {
  return withAttempt(run.job.record, {
    attempt: run.job.record.failures + 1,
    release: run.release,
    worker: run.workerId,
    startedAt: run.startedAt,
    endedAt: toRfc3339(run.clock.nowMs()),
    outcome,
    code: cause.code,
    message: cause.message,
  });
}
