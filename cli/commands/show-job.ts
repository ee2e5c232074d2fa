/** One job for people. Whatever the job or its worker said is neutralised. */
import type { JobAnswer } from "../answers.ts";
import type { Painter } from "../terminal/colour.ts";
import { neutraliseLine, safeJson } from "../terminal/neutralise.ts";
import { renderTable } from "../terminal/table.ts";

/** Characters of a result that are shown; `--json` has all of it. */
const RESULT_CHARS_MAX = 2_000;

const BAD_STATES = new Set(["failed", "quarantined", "expired", "cancelled"]);

export function showJob(jobId: string, job: JobAnswer, paint: Painter): string {
  const version = job.schemaversion === null ? "" : ` v${job.schemaversion}`;
  const facts: [string, string | null][] = [
    ["type", `${job.type}${version}`],
    ["lane", job.lane ?? `none (queue ${job.queue})`],
    ["accepted", job.acceptedAt],
    ["due", job.dueAt],
    ["started", job.startedAt],
    ["finished", job.finishedAt],
    ["release", job.worker === null ? job.release : `${job.release ?? "?"} (worker ${job.worker})`],
    ["starts", showStarts(job)],
    [
      "progress",
      job.progress && `${Math.round(job.progress.percent)} % ${job.progress.message ?? ""}`.trim(),
    ],
    ["result", showResult(job)],
    ["error", job.error && `${job.error.code}: ${job.error.message}`],
  ];
  const lines = facts.flatMap(([name, fact]) =>
    fact === null ? [] : [`  ${name.padEnd(9)} ${neutraliseLine(fact)}`],
  );
  return `${[showState(jobId, job, paint), ...lines, ...showAttempts(job)].join("\n")}\n`;
}

function showState(jobId: string, { state }: JobAnswer, paint: Painter): string {
  const safe = neutraliseLine(state);
  const painted = state === "succeeded" ? paint.good(safe) : BAD_STATES.has(state) ? paint.bad(safe) : safe;
  return `${paint.strong(neutraliseLine(jobId))}  ${painted}`;
}

function showStarts({ attempts: { starts, failed, crashes } }: JobAnswer): string {
  return `${starts}, of which ${failed} failed and ${crashes} lost their worker`;
}

function showResult({ result, resultBytesDropped }: JobAnswer): string | null {
  if (resultBytesDropped !== null) return `not kept: its ${resultBytesDropped} bytes are too many`;
  if (result === null || result === undefined) return null;
  const text = safeJson(result);
  return text.length <= RESULT_CHARS_MAX
    ? text
    : `${text.slice(0, RESULT_CHARS_MAX)}… (--json has all of it)`;
}

function showAttempts({ attempts: { entries } }: JobAnswer): string[] {
  if (entries.length === 0) return [];
  const columns = ["ATTEMPT", "ENDED", "RELEASE", "WORKER", "OUTCOME", "CODE", "MESSAGE"].map((title) => ({
    title,
    align: title === "ATTEMPT" ? ("right" as const) : ("left" as const),
  }));
  const rows = entries.map((it) => [
    String(it.attempt),
    it.endedAt,
    it.release,
    it.worker,
    it.outcome,
    it.code,
    it.message,
  ]);
  return ["", ...renderTable(columns, rows).map((line) => `  ${line}`)];
}
