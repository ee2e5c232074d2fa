/** Asks for a job until it has ended, patient with a server that is away for a moment. */
import type { Clock } from "#shared/clock";
import type { JobState } from "#shared/job-state";
import { type JobAnswer, jobAnswer, understood } from "../answers.ts";
import { CliError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";

const ENDED: ReadonlySet<string> = new Set<JobState>([
  "succeeded",
  "failed",
  "quarantined",
  "cancelled",
  "expired",
]);

/** Most jobs end at once, some take long: the pause grows from the first to the second. */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 1_000;

export interface WaitOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The server's answer about the job, as it came. */
  getJob(): Promise<unknown>;
}

export interface EndedJob {
  readonly job: JobAnswer;
  /** The answer as it came. */
  readonly raw: unknown;
}

/** @throws {CliError} when the time is up, or the job is no longer known. */
export async function waitForJob(
  jobId: string,
  { clock, timeoutMs, getJob }: WaitOptions,
): Promise<EndedJob> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  let last: EndedJob | null = null;
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 1.5)) {
    last = (await look(getJob)) ?? last;
    if (last !== null && ENDED.has(last.job.state)) return last;
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) throw timedOut(jobId, timeoutMs, last);
    await clock.sleep(Math.min(pauseMs, leftMs));
  }
}

/** `null` when the server was not reached. */
async function look(getJob: () => Promise<unknown>): Promise<EndedJob | null> {
  try {
    const raw = await getJob();
    return { job: understood(jobAnswer, raw, "job"), raw };
  } catch (error) {
    if (error instanceof CliError && error.failure.exitCode === CLI_EXIT.unreachable) return null;
    throw error;
  }
}

function timedOut(jobId: string, timeoutMs: number, last: EndedJob | null): CliError {
  const state = last?.job.state ?? null;
  const now = state === null ? "the server did not say how it is" : `it is ${state}`;
  return new CliError({
    exitCode: CLI_EXIT.timedOut,
    code: "WAIT_TIMEOUT",
    message: `The job ${jobId} has not ended within ${timeoutMs / 1_000} s; ${now}.`,
    hint: `It is accepted and goes on: \`sluice job get ${jobId}\` shows it.`,
    details: { jobId, state },
  });
}
