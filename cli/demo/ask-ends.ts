/**
 * Asks the API what every accepted job came to, again until all have ended or the time is over.
 *
 * One request a job, several at once; a job that has ended is not asked about again.
 */
import { z } from "zod";
import type { Clock } from "#shared/clock";
import { understood } from "../answers.ts";
import { CliError } from "../cli-error.ts";
import { send } from "../http-client.ts";
import type { JobEnd } from "./decide-ledger.ts";

const AT_ONCE = 16;
const LOOK_AGAIN_MS = 500;
const OVERLOADED_MS = 200;
const TRIES_MAX = 50;

const jobAnswer = z.object({
  state: z.string(),
  attempts: z.object({
    failed: z.int(),
    crashes: z.int(),
    entries: z.array(z.object({ release: z.string(), outcome: z.string(), code: z.string() })),
  }),
});

const ENDED = new Set(["succeeded", "failed", "quarantined", "cancelled", "expired"]);

export interface AskEndsOptions {
  readonly apiUrl: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
  /** Called after every round with how many have not ended. */
  onLeft?(left: number): void;
}

/** Of every id what was last seen. @throws {CliError} when the API is away for long. */
export async function askEnds(ids: readonly string[], options: AskEndsOptions): Promise<readonly JobEnd[]> {
  const { clock, timeoutMs, stop } = options;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  const ends = new Map<string, JobEnd>();
  let left: readonly string[] = [...new Set(ids)];
  for (;;) {
    for (const end of await askAll(left, options)) ends.set(end.id, end);
    left = left.filter((id) => !hasEnded(ends.get(id)));
    options.onLeft?.(left.length);
    if (left.length === 0 || stop.aborted || clock.monotonicMs() >= deadlineMs) return [...ends.values()];
    await clock.sleep(LOOK_AGAIN_MS, stop);
  }
}

async function askAll(ids: readonly string[], options: AskEndsOptions): Promise<readonly JobEnd[]> {
  const ends: JobEnd[] = [];
  let next = 0;
  const askNext = async () => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) ends.push(await ask(id, options));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, askNext));
  return ends;
}

async function ask(id: string, { apiUrl, clock }: AskEndsOptions): Promise<JobEnd> {
  for (let tries = 1; ; tries += 1) {
    const { status, value } = await send({ method: "GET", baseUrl: apiUrl, path: `/v1/jobs/${id}` });
    if (status === 404) return { id, state: null, failures: 0, crashes: 0, entries: [] };
    if (status === 200) {
      const { state, attempts } = understood(jobAnswer, value, "job");
      return { id, state, failures: attempts.failed, crashes: attempts.crashes, entries: attempts.entries };
    }
    if (tries === TRIES_MAX || (status !== 503 && status !== 429)) throw unanswered(id, status);
    await clock.sleep(OVERLOADED_MS);
  }
}

function hasEnded(end: JobEnd | undefined): boolean {
  return end !== undefined && (end.state === null || ENDED.has(end.state));
}

function unanswered(id: string, status: number): CliError {
  return new CliError({
    exitCode: 6,
    code: "DEMO_UNANSWERED",
    message: `The API answers ${status} when it is asked about ${id}.`,
  });
}
