/**
 * What can be said of one job, put together from the places it can be in.
 *
 * Unknown text in a job (its data, a handler's message) is passed on as data and never interpreted.
 */
import { ANYONE } from "../auth/caller.ts";
import { queueOfJobId } from "../job-id.ts";
import {
  type AttemptEntry,
  type JobRecord,
  parseOutcome,
  parseRecord,
  type StoredOutcome,
} from "../job-record.ts";
import type { JobState } from "../job-state.ts";
import { generationOf } from "../lane.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import { toRfc3339 } from "../system-clock.ts";
import { placedQueueOf, placesOf } from "./job-places.ts";

/** What BullMQ stores of a job, as far as it is shown. */
export interface StoredFacts {
  readonly name: string;
  /** The envelope as JSON text, or whatever whoever added the job put there. */
  readonly data: string;
  readonly timestamp: number;
  readonly delay?: number | undefined;
  readonly processedOn?: number | undefined;
  readonly finishedOn?: number | undefined;
  readonly attemptsStarted?: number | undefined;
  readonly stalledCounter?: number | undefined;
  readonly processedBy?: string | undefined;
  readonly progress?: unknown;
  readonly returnvalue?: unknown;
}

/** A job as it was found in a place. */
export interface LocatedJob {
  readonly place: string;
  readonly raw: StoredFacts;
  /** BullMQ's own state word. */
  readonly state: string;
  /** When a delayed job falls due, as far as that was read; milliseconds since the Unix epoch. */
  readonly dueAtMs?: number | null;
}

/** Looks for a job in places. */
export interface JobFinder {
  find(places: readonly string[], jobId: string): Promise<readonly LocatedJob[]>;
}

/** The answer of `GET /v1/jobs/{id}`. Times are RFC 3339 in UTC; `null` means "not yet" or "none". */
export interface JobView {
  readonly id: string;
  readonly type: string;
  readonly state: JobState;
  /** Whose it is; a job that names nobody is of the tenant that everybody is without credentials. */
  readonly tenant: string;
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
  /** What its handler last said; `null` when it said nothing, or does not run. */
  readonly progress: ProgressView | null;
  readonly result: unknown;
  /** Size of a result that was too large to keep, in bytes. */
  readonly resultBytesDropped: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface ProgressView {
  /** 0 to 100. */
  readonly percent: number;
  readonly message: string | null;
  readonly at: string;
}

/** `null` when no place of the job's queue has it. */
export async function findJob(
  finder: JobFinder,
  document: RegistryDocument,
  jobId: string,
): Promise<JobView | null> {
  const queue = queueOfJobId(jobId);
  const placed = queue === null ? null : placedQueueOf(document, queue);
  if (placed === null) return null;
  const found = await finder.find(placesOf(placed), jobId);
  const [telling] = [...found].sort((a, b) => tellingRank(a) - tellingRank(b));
  return telling === undefined ? null : viewOf(jobId, placed.queue, telling);
}

/**
 * Which of several copies tells most: one that is still to run, before records of what has ended. A move
 * makes no copies; a client's repeat does when its job goes to another lane than it went the first time.
 */
function tellingRank({ place, state }: LocatedJob): number {
  if (place.endsWith(".dead")) return 3;
  if (state === "completed" || state === "failed") return 2;
  return place.endsWith(".parked") ? 1 : 0;
}

function viewOf(jobId: string, queue: string, found: LocatedJob): JobView {
  const { raw, place } = found;
  const record = parseRecord(raw.progress);
  const outcome = parseOutcome(raw.returnvalue);
  const state = jobStateOf(found, outcome);
  const [release, worker] = runnerOf(raw);
  return {
    id: jobId,
    type: raw.name,
    state,
    queue,
    lane: generationOf(place) === null ? null : place,
    ...envelopeFacts(raw),
    acceptedAt: toRfc3339(Number(raw.timestamp)),
    dueAt: state === "scheduled" ? dueAt(found) : null,
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
    progress: progressOf(state, record, raw.attemptsStarted ?? 0),
    result: outcome?.result ?? null,
    resultBytesDropped: outcome?.resultBytesDropped ?? null,
    error: errorOf(state, record.attempts, outcome),
  };
}

/** Our word for BullMQ's state of a job in a place. */
export function jobStateOf(
  { place, state }: Pick<LocatedJob, "place" | "state">,
  outcome: Pick<StoredOutcome, "outcome"> | null,
): JobState {
  if (place.endsWith(".dead")) return "quarantined";
  if (state === "completed") return outcome?.outcome ?? "succeeded";
  if (place.endsWith(".parked")) return "parked";
  switch (state) {
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
function runnerOf(raw: StoredFacts): [string | null, string | null] {
  const [release, worker] = (raw.processedBy ?? "").split("/");
  return release !== undefined && worker !== undefined ? [release, worker] : [null, null];
}

function envelopeFacts(
  raw: StoredFacts,
): Pick<JobView, "tenant" | "schemaversion" | "minreaderversion" | "source"> {
  const attributes = attributesOf(raw.data);
  const whole = (name: string) => (typeof attributes[name] === "number" ? Number(attributes[name]) : null);
  return {
    tenant:
      typeof attributes.tenant === "string" && attributes.tenant !== "" ? attributes.tenant : ANYONE.tenant,
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

/** Of the start that runs: an earlier start's says nothing of this one, and an ended one's is over. */
function progressOf(state: JobState, { progress }: JobRecord, starts: number): ProgressView | null {
  if (progress === undefined || progress.start !== starts || state !== "running") return null;
  return { percent: progress.percent, message: progress.message ?? null, at: progress.at };
}

function errorOf(
  state: JobState,
  attempts: readonly AttemptEntry[],
  outcome: StoredOutcome | null,
): JobView["error"] {
  if (state === "cancelled" && outcome?.why !== undefined) return { code: "CANCELLED", message: outcome.why };
  const last = attempts.at(-1);
  if (last === undefined || state === "succeeded" || state === "cancelled") return null;
  return { code: last.code, message: last.message };
}

function dueAt({ raw, dueAtMs }: LocatedJob): string {
  if (dueAtMs !== undefined && dueAtMs !== null) return toRfc3339(dueAtMs);
  // For a retry BullMQ keeps the delay and not the moment; the newest start is its beginning.
  const from = Math.max(Number(raw.timestamp), Number(raw.processedOn ?? 0));
  return toRfc3339(from + Number(raw.delay ?? 0));
}

function moment(atMs: number | undefined): string | null {
  return atMs === undefined || atMs === null ? null : toRfc3339(Number(atMs));
}
