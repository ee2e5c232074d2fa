/**
 * `sluice job watch`: a job's changes as they come, until it has ended.
 *
 * It follows the server's stream, and comes back when that ends early or the server is away for a moment. Each
 * change is a line beside the answer; the answer is the job at its end.
 */
import { type JobStateAnswer, jobAnswer, jobStateAnswer, understood } from "../../answers.ts";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { openEvents, requestJson } from "../../http-client.ts";
import { serverSentEvents } from "../../server-sent-events.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { showJob } from "../show-job.ts";

/** The server says that it is there every 15 s. */
const SILENCE_MS_MAX = 45_000;

const COME_BACK_MS = 2_000;

/** @throws {CliError} when the job is not known, or the server is not reached at the beginning. */
export async function watchJob(jobId: string, context: CommandContext): Promise<void> {
  const { apiUrl } = context.servers();
  const path = `/v1/jobs/${encodeURIComponent(jobId)}`;
  await untilEnded({ baseUrl: apiUrl, path: `${path}/events` }, context);
  const raw = await requestJson({ method: "GET", baseUrl: apiUrl, path });
  const job = understood(jobAnswer, raw, "job");
  context.answer({
    kind: "Job",
    json: { job: raw },
    text: showJob(jobId, job, context.paint),
    exitCode: job.state === "succeeded" ? CLI_EXIT.ok : CLI_EXIT.unhealthy,
  });
}

interface Place {
  readonly baseUrl: string;
  readonly path: string;
}

async function untilEnded(place: Place, context: CommandContext): Promise<void> {
  let told = "";
  const tell = (line: string) => {
    if (line !== told) context.note(line);
    told = line;
  };
  for (let hasBeenThere = false; ; ) {
    try {
      if (await follow(place, { context, tell })) return;
      hasBeenThere = true;
    } catch (error) {
      const isAway = error instanceof CliError && error.failure.exitCode === CLI_EXIT.unreachable;
      if (!hasBeenThere || !isAway) throw error;
      tell(`waiting: ${neutraliseLine(error.failure.message)}`);
    }
    await context.clock.sleep(COME_BACK_MS);
  }
}

/** Whether the job has ended; the stream may end before. */
async function follow(
  place: Place,
  { context, tell }: { readonly context: CommandContext; readonly tell: (line: string) => void },
): Promise<boolean> {
  const silence = new AbortController();
  let cancel = context.clock.after(SILENCE_MS_MAX, () => silence.abort());
  const heard = () => {
    cancel();
    cancel = context.clock.after(SILENCE_MS_MAX, () => silence.abort());
  };
  try {
    const body = await openEvents(place, silence.signal);
    for await (const { event, data } of serverSentEvents(body, heard)) {
      if (event === "end") return true;
      if (event === "state") tell(lineOf(data));
    }
    return false;
  } catch (error) {
    // A stream that breaks off is followed again; what the server refuses is an error of its own.
    if (error instanceof CliError) throw error;
    return false;
  } finally {
    cancel();
  }
}

function lineOf(data: string): string {
  const state = understood(jobStateAnswer, parsed(data), "event");
  const facts = [state.state, ...whereOf(state), ...progressOf(state)];
  return neutraliseLine(facts.join("  "));
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

function whereOf({ state, worker, release, dueAt, attempts }: JobStateAnswer): string[] {
  const failed = attempts.failed > 0 ? [`after ${attempts.failed} failed`] : [];
  if (dueAt !== null) return [`due ${dueAt}`, ...failed];
  return state === "running" ? [`${release ?? "?"} (worker ${worker ?? "?"})`, ...failed] : failed;
}

function progressOf({ progress }: JobStateAnswer): string[] {
  if (progress === null) return [];
  return [`${Math.round(progress.percent)} %${progress.message === null ? "" : ` ${progress.message}`}`];
}
