/**
 * docs/reference/errors.md: every code that a program, a person or a record of a job may meet.
 *
 * What is answered over HTTP is asked of the code that answers, so the table cannot say otherwise.
 * Problems that a route or a hook builds on the spot are read from the source.
 */
import { errorCodes } from "fastify";
import { refusalProblem } from "#autoscaler/control-api/gate-routes";
import {
  BodyInvalidError,
  problemFor as controlProblemFor,
  QueryInvalidError,
  readRedis,
} from "#autoscaler/control-api/problems";
import { TraceInvalidError } from "#autoscaler/simulator/trace-error";
import { problemFor } from "#producer/problems";
import * as admission from "#shared/admission-errors";
import * as errors from "#shared/errors";
import { GATE_REFUSALS } from "#shared/registry/decide-gate";
import { code, table } from "./rendered-blocks.ts";
import { codeLiteralsIn, ERROR_SOURCES, errorClassesIn, sourcesIn } from "./source-facts.ts";

export async function renderErrors(): Promise<Readonly<Record<string, string>>> {
  return {
    classes: classTable(),
    "api-problems": problemTable([...producerProblems(), ...builtOnTheSpot("producer", "shared/http")]),
    "control-problems": problemTable([
      ...(await controlProblems()),
      ...builtOnTheSpot("autoscaler", "shared/http"),
    ]),
    command: commandTable(),
  };
}

function classTable(): string {
  const rows = ERROR_SOURCES.flatMap(errorClassesIn).map((it) => [
    code(it.code),
    code(it.name),
    it.retryability,
    it.fields.map(code).join(", ") || "–",
    it.meaning,
  ]);
  return table(["Code", "Class", "Try again?", "Facts", "Meaning"], rows);
}

interface ProblemRow {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly outcome: string;
  readonly retryAfterSeconds: number | null;
}

const ISSUE = { pointer: "/x", rule: "x", message: "x" };

/** One of each class, to be asked about. */
const SAMPLES: readonly errors.SluiceError[] = [
  new errors.EnvelopeInvalidError([ISSUE]),
  new errors.DataInvalidError("x.y", 1, [ISSUE]),
  new errors.TypeUnknownError("x.y", []),
  new errors.VersionUnknownError("x.y", 2, [1]),
  new errors.VersionNotActiveError("x.y", 2, 1),
  new errors.UpcastFailedError("x.y", 2, "x"),
  new errors.ConfigInvalidError("x", []),
  new errors.AppInvalidError("x", []),
  new errors.PublishRefusedError("x", []),
  new errors.NotEnqueuedError("x"),
  new errors.EnqueueUnknownError("x"),
  new errors.ThrottledError({ retryAfterMs: 1, violated: ["x"], costMax: null, fields: [] }),
  new errors.RedisUnavailableError(),
  new errors.DurabilityTooLowError([]),
  new errors.WorkerRefusedError("x"),
  new errors.JobTimeoutError(1),
  new errors.TerminalJobError("x"),
  new errors.StaleEpochError(1, 2),
  new errors.EpochFileCorruptError("x"),
  // Its answer's Retry-After is what it is told.
  ...(["BACKLOG_FULL", "SCHEDULED_FULL", "TENANT_BACKLOG_FULL", "MEMORY_LOW"] as const).map(
    (it) => new admission.NoRoomError(it, "x", 2_000),
  ),
  new admission.IdempotencyMismatchError(),
  new admission.IdempotencyKeyInvalidError(),
  new admission.BatchAbortedError(),
  new TraceInvalidError("x", { line: null, problem: "x" }),
];

/** Names of the classes above, to be held against the source. */
export const SAMPLED_CLASSES: readonly string[] = SAMPLES.map((it) => it.constructor.name);

/** Each error as the API's own mapping answers it; what is none of its business it answers as a bug. */
function producerProblems(): readonly ProblemRow[] {
  const bug = problemFor(new Error("x"));
  const own = SAMPLES.map(problemFor).filter(({ title }) => title !== bug.title);
  const framework = Object.values(errorCodes).map((FrameworkError) => problemFor(new FrameworkError()));
  const named = framework.filter((it) => it.code !== "BAD_REQUEST" && it.code !== bug.code);
  const unnamed = problemFor(new errorCodes.FST_ERR_BAD_URL());
  return [...own, ...named, unnamed, bug].map(rowOf);
}

async function controlProblems(): Promise<readonly ProblemRow[]> {
  const invalid = [new QueryInvalidError(ISSUE), new BodyInvalidError([ISSUE])];
  const unanswered: unknown = await readRedis(Promise.reject(new Error("x"))).catch(
    (error: unknown) => error,
  );
  const framework = new errorCodes.FST_ERR_BAD_URL();
  const thrown = [...invalid, unanswered, framework, new Error("x")].map(controlProblemFor);
  const refused = GATE_REFUSALS.map((refusal) => refusalProblem(refusal, "x"));
  return [...thrown, ...refused].map(rowOf);
}

function rowOf(problem: ReturnType<typeof problemFor>): ProblemRow {
  const { outcome = "–", retryAfterSeconds = null } = problem;
  return { code: problem.code, status: problem.status, title: problem.title, outcome, retryAfterSeconds };
}

function builtOnTheSpot(...places: readonly string[]): readonly ProblemRow[] {
  return codeLiteralsIn(sourcesIn(...places))
    .filter(({ beside }) => typeof beside.status === "number" && "title" in beside)
    .map((it) => ({
      code: it.code,
      status: Number(it.beside.status),
      title: String(it.beside.title),
      outcome: String(it.beside.outcome ?? "–"),
      retryAfterSeconds: typeof it.beside.retryAfterSeconds === "number" ? it.beside.retryAfterSeconds : null,
    }));
}

function problemTable(problems: readonly ProblemRow[]): string {
  const rows = problems.map((it) => [
    code(it.code),
    String(it.status),
    it.title,
    it.outcome === "–" ? "–" : code(it.outcome),
    it.retryAfterSeconds === null ? "–" : `${it.retryAfterSeconds} s`,
  ]);
  return table(["Code", "Status", "Title", "Outcome", "Retry after"], sorted(distinct(rows)));
}

/** Codes of the command itself; those of a server's refusal are passed on as they are. */
function commandTable(): string {
  const literals = codeLiteralsIn(sourcesIn("cli")).filter(({ beside }) => !("status" in beside));
  const rows = literals.map(({ code: name, beside }) => [
    code(name),
    beside.exitCode === undefined ? "–" : code(String(beside.exitCode)),
  ]);
  return table(["Code", "Exit code's name"], sorted(distinct(rows)));
}

function distinct(rows: readonly string[][]): readonly string[][] {
  return [...new Map(rows.map((row) => [row.join(), row])).values()];
}

function sorted(rows: readonly string[][]): readonly string[][] {
  return rows.toSorted((a, b) => (a.join() < b.join() ? -1 : 1));
}
