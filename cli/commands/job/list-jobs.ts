/** `sluice job list`: own jobs, newest first. */
import { type JobItemAnswer, jobListAnswer, understood } from "../../answers.ts";
import { usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import { left, renderTable, whole } from "../../terminal/table.ts";
import type { CommandContext } from "../context.ts";

export interface ListOptions {
  readonly state?: string;
  readonly type?: string;
  readonly limit?: string;
}

const JOBS = 20;
const JOBS_MAX = 1_000;
const PAGE_JOBS_MAX = 200;

/** A page may hold no job although there are more: the server looks at so many of all tenants at a time. */
const PAGES_MAX = 50;

/** @throws {CliError} when the server is not reached, or does not know the state. */
export async function listJobs(options: ListOptions, context: CommandContext): Promise<void> {
  const wanted = readLimit(options.limit);
  const { apiUrl } = context.servers();
  const jobs: JobItemAnswer[] = [];
  const raw: unknown[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX && jobs.length < wanted; page += 1) {
    const path = pathOf(options, Math.min(PAGE_JOBS_MAX, wanted - jobs.length), cursor);
    const answer = await requestJson({ method: "GET", baseUrl: apiUrl, path });
    const read = understood(jobListAnswer, answer, "list of jobs");
    jobs.push(...read.jobs);
    // As they came; `understood` has seen that they are there.
    raw.push(...(answer as { jobs: unknown[] }).jobs);
    cursor = read.nextCursor;
    if (cursor === null) break;
  }
  const hasMore = cursor !== null;
  const text = show(jobs, hasMore);
  context.answer({ kind: "JobList", json: { jobs: raw, hasMore }, text, exitCode: CLI_EXIT.ok });
}

function pathOf({ state, type }: ListOptions, limit: number, cursor: string | null): string {
  const query = new URLSearchParams({
    ...(state !== undefined && { state }),
    ...(type !== undefined && { type }),
    limit: String(limit),
    ...(cursor !== null && { cursor }),
  });
  return `/v1/jobs?${query}`;
}

function show(jobs: readonly JobItemAnswer[], hasMore: boolean): string {
  if (jobs.length === 0) return hasMore ? "No jobs so far; there may be older ones.\n" : "No jobs.\n";
  const columns = [whole("ID"), left("STATE"), left("TYPE"), left("LANE"), left("ACCEPTED"), left("THEN")];
  const rows = jobs.map((job) => [job.id, job.state, job.type, job.lane ?? "-", job.acceptedAt, thenOf(job)]);
  const lines = renderTable(columns, rows);
  return `${[...lines, ...(hasMore ? ["… there are more: --limit shows them"] : [])].join("\n")}\n`;
}

/** The newest that is known of it. */
function thenOf({ dueAt, startedAt, finishedAt }: JobItemAnswer): string {
  if (finishedAt !== null) return `finished ${finishedAt}`;
  if (dueAt !== null) return `due ${dueAt}`;
  return startedAt === null ? "-" : `started ${startedAt}`;
}

function readLimit(given: string | undefined): number {
  if (given === undefined) return JOBS;
  const limit = /^[1-9]\d{0,3}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > JOBS_MAX)
    throw usageError(`--limit must be a whole number from 1 to ${JOBS_MAX}.`);
  return limit;
}
