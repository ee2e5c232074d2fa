/**
 * What can be said of one job, put together from the places it can be in.
 *
 * Unknown text in a job (its data, a handler's message) is passed on as data and never interpreted.
 */
import type { JobJson } from "bullmq";
import { queueOfJobId } from "../job-id.ts";
import { type AttemptEntry, parseOutcome, parseRecord, type StoredOutcome } from "../job-record.ts";
import type { JobState } from "../job-state.ts";
import { deadName, generationOf, laneName, parkedName } from "../lane.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import { toRfc3339 } from "../system-clock.ts";
import type { FoundJob, LaneQueues } from "./lane-queues.ts";

/** The answer of `GET /v1/jobs/{id}`. Times are RFC 3339 in UTC; `null` means "not yet" or "none". */
export interface JobView {
  readonly id: string;
  readonly type: string;
  readonly state: JobState;
  readonly queue: string;
  /** The lane that holds the job, `null` when it is parked or quarantined. */
  readonly lane: string | null;
  readonly schemaversion: number | null;
  readonly minreaderversion: number | null;
  readonly source: string | null;
  readonly acceptedAt: string;
  /** When a scheduled job falls due. */
  readonly dueAt: string | null;
  /** When the newest start began. */
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** The release that runs or ran it last. */
  readonly release: string | null;
  readonly worker: string | null;
  readonly attempts: {
    /** Attempts that counted and failed. */
    readonly failed: number;
    /** Times a worker began to run it, hand-backs and crashes included. */
    readonly starts: number;
    /** Times its worker was lost while running it. */
    readonly crashes: number;
    /** The newest ended starts that did not succeed, newest last. */
    readonly entries: readonly AttemptEntry[];
  };
  readonly result: unknown;
  /** Size of a result that was too large to keep, in bytes. */
  readonly resultBytesDropped: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** `null` when no place of the job's queue has it. */
export async function findJob(
  queues: LaneQueues,
  document: RegistryDocument,
  jobId: string,
): Promise<JobView | null> {
  const queue = queueOfJobId(jobId);
  // Whoever asks chooses the name: "constructor" is one that every object has.
  if (queue === null || !Object.hasOwn(document.queues, queue)) return null;
  const registered = document.queues[queue];
  if (registered === undefined) return null;
  const lanes = registered.generations.map((it) => laneName(queue, it.generation)).reverse();
  const found = await queues.find([...lanes, parkedName(queue), deadName(queue)], jobId);
  const [telling] = [...found].sort((a, b) => tellingRank(a) - tellingRank(b));
  return telling === undefined ? null : viewOf(jobId, queue, telling);
}

/**
 * Which of several copies tells most: one that is still to run, before records of what has ended. A move
 * makes no copies; a client's repeat does when its job goes to another lane than it went the first time.
 */
function tellingRank({ place, state }: FoundJob): number {
  if (place.endsWith(".dead")) return 3;
  if (place.endsWith(".parked")) return 1;
  return state === "completed" || state === "failed" ? 2 : 0;
}

function viewOf(jobId: string, queue: string, found: FoundJob): JobView {
  const { raw, place } = found;
  const record = parseRecord(raw.progress);
  const outcome = parseOutcome(raw.returnvalue);
  const state = stateOf(found, outcome);
  const [release, worker] = runnerOf(raw);
  return {
    id: jobId,
    type: raw.name,
    state,
    queue,
    lane: generationOf(place) === null ? null : place,
    ...envelopeFacts(raw),
    acceptedAt: toRfc3339(Number(raw.timestamp)),
    dueAt: state === "scheduled" ? dueAt(raw) : null,
    startedAt: moment(raw.processedOn),
    finishedAt: moment(raw.finishedOn),
    release: outcome?.release ?? release ?? record.attempts.at(-1)?.release ?? null,
    worker,
    attempts: {
      failed: record.failures,
      starts: raw.attemptsStarted ?? 0,
      crashes: raw.stalledCounter ?? 0,
      entries: record.attempts,
    },
    result: outcome?.result ?? null,
    resultBytesDropped: outcome?.resultBytesDropped ?? null,
    error: errorOf(state, record.attempts),
  };
}

function stateOf({ place, state }: FoundJob, outcome: StoredOutcome | null): JobState {
  if (place.endsWith(".dead")) return "quarantined";
  if (place.endsWith(".parked")) return "parked";
  switch (state) {
    case "completed":
      return outcome?.outcome ?? "succeeded";
    case "failed":
      return "failed";
    case "delayed":
      return "scheduled";
    case "active":
      return "running";
    default:
      return "waiting";
  }
}

/** Workers are named `<release>/<worker id>`; BullMQ keeps the name on each job it gives out. */
function runnerOf(raw: JobJson): [string | null, string | null] {
  const [release, worker] = (raw.processedBy ?? "").split("/");
  return release !== undefined && worker !== undefined ? [release, worker] : [null, null];
}

function envelopeFacts(raw: JobJson): Pick<JobView, "schemaversion" | "minreaderversion" | "source"> {
  const attributes = attributesOf(raw.data);
  const whole = (name: string) => (typeof attributes[name] === "number" ? Number(attributes[name]) : null);
  return {
    schemaversion: whole("schemaversion"),
    minreaderversion: whole("minreaderversion"),
    source: typeof attributes.source === "string" ? attributes.source : null,
  };
}

/** BullMQ hands out data as JSON text; whoever added the job may have put anything there. */
function attributesOf(dataText: string): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(dataText);
    return data !== null && typeof data === "object" ? (data as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function errorOf(state: JobState, attempts: readonly AttemptEntry[]): JobView["error"] {
  const last = attempts.at(-1);
  if (last === undefined || state === "succeeded" || state === "cancelled") return null;
  return { code: last.code, message: last.message };
}

function dueAt(raw: JobJson): string {
  // For a retry BullMQ keeps the delay and not the moment; the newest start is its beginning.
  const from = Math.max(Number(raw.timestamp), Number(raw.processedOn ?? 0));
  return toRfc3339(from + Number(raw.delay ?? 0));
}

function moment(atMs: number | undefined): string | null {
  return atMs === undefined || atMs === null ? null : toRfc3339(Number(atMs));
}
