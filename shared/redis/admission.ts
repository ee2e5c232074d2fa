/**
 * Jobs that ask to come in, as the admission script is asked and as it answers.
 *
 * One call is one step of Redis: see `admission-script.ts` for what it decides and in which order.
 */
import { sendAdmit } from "./admission-command.ts";
import type { RedisConnection } from "./connection.ts";
import type { QueuedJob } from "./queued-job.ts";

/** Jobs in one call: a call holds up every other client of Redis while it runs. */
export const CALL_JOBS_MAX = 100;

/** Characters of job data in one call. */
export const CALL_CHARS_MAX = 1024 * 1024;

/** How long a used key, or a client's own id, is remembered: it outlives the job. */
const IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000;

/** What the jobs of a queue have in common when they are admitted. */
export interface AdmissionTerms {
  readonly queue: string;
  /** Every lane the queue has had; a known job may be in any. */
  readonly lanes: readonly string[];
  /** The lane the job goes to; `null`: none takes it, and only a job that is known is answered. */
  readonly place: string | null;
  /** BullMQ's: 0 for none, else 1 first. */
  readonly priority: number;
  /** Waiting jobs of the queue from which on this one is refused. */
  readonly depthMax: number;
  /** The same of its scheduled jobs. */
  readonly scheduledMax: number;
  readonly tenant: string;
  /** The same of the tenant's jobs that have not ended. */
  readonly tenantMax: number;
}

/** A job that asks to come in. */
export interface AdmissionRequest extends QueuedJob {
  readonly terms: AdmissionTerms;
  /** The registry's revision that it was routed by; `null`: whatever it is now. */
  readonly revision: number | null;
  /** What it is remembered by, at most two, most specific first: `key:<hash>`, `id:<hash>`; none when nobody can repeat it. */
  readonly records: readonly string[];
  /** Of what was asked for; compared with that of the first use. Without spaces; "-" when there are no records. */
  readonly fingerprint: string;
  /** Hash of its dedup key; "" without. */
  readonly dedup: string;
}

/** `aborted`: its call was all or none, and another job of it was refused. */
export type AdmissionOutcome =
  | { readonly kind: "created" }
  | { readonly kind: "replayed" | "deduplicated"; readonly jobId: string }
  | { readonly kind: "conflict" | "unroutable" | "aborted" | "stale" }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

/** The call of one job of several failed: with `NotEnqueuedError` or `EnqueueUnknownError`. */
export interface AdmissionFailure {
  readonly kind: "failed";
  readonly error: unknown;
}

export type RefusalReason = "backlog" | "scheduled" | "tenant" | "memory";

/** What a call saw of a queue after it. */
export interface QueueSeen {
  readonly queue: string;
  /** Waiting jobs. */
  readonly depth: number;
  /** Jobs ever admitted. */
  readonly admitted: number;
}

export interface AdmissionAnswer {
  /** One a job, in order. */
  readonly outcomes: readonly AdmissionOutcome[];
  readonly queues: readonly QueueSeen[];
}

const CREATED: AdmissionOutcome = { kind: "created" };

const PLAIN_OUTCOMES: Readonly<Record<string, AdmissionOutcome>> = {
  c: CREATED,
  x: { kind: "conflict" },
  u: { kind: "unroutable" },
  a: { kind: "aborted" },
  b: { kind: "refused", reason: "backlog" },
  s: { kind: "refused", reason: "scheduled" },
  t: { kind: "refused", reason: "tenant" },
  m: { kind: "refused", reason: "memory" },
};

/** How the jobs of one call are to be taken. */
export interface CallOptions {
  readonly prefix: string;
  /** Of all its jobs; `null`: whatever it is now. */
  readonly revision: number | null;
  /** All or none. */
  readonly isAtomic: boolean;
}

/** What the script is told. */
export function argumentsOf(jobs: readonly AdmissionRequest[], call: CallOptions): string[] {
  const { queues, terms, numberOf } = gatherTerms(jobs);
  const { prefix, revision, isAtomic } = call;
  const args = [
    prefix,
    revision === null ? "" : String(revision),
    String(IDEMPOTENCY_WINDOW_MS),
    isAtomic ? "1" : "",
  ];
  args.push(String(queues.length));
  for (const { queue, scheduledMax, lanes } of queues) {
    args.push(queue, String(scheduledMax), String(lanes.length), ...lanes);
  }
  args.push(String(terms.length));
  for (const { queue, place, name, priority, depthMax, tenant, tenantMax } of terms) {
    args.push(queue, place, name, priority, depthMax, tenant, tenantMax);
  }
  for (const job of jobs) {
    args.push(
      numberOf(job),
      job.jobId,
      String(job.acceptedAtMs),
      String(job.delayMs),
      job.records[0] ?? "",
      job.records[1] ?? "",
      job.fingerprint,
      job.dedup,
      job.dataText,
    );
  }
  return args;
}

interface SentTerms {
  readonly queue: string;
  readonly place: string;
  readonly name: string;
  readonly priority: string;
  readonly depthMax: string;
  readonly tenant: string;
  readonly tenantMax: string;
}

/** Jobs of one call mostly share their terms, which are then sent once. */
function gatherTerms(jobs: readonly AdmissionRequest[]) {
  const queues: AdmissionTerms[] = [];
  const queueNumbers = new Map<string, number>();
  const terms: SentTerms[] = [];
  const termNumbers = new Map<AdmissionTerms, Map<string, string>>();

  const queueNumber = (of: AdmissionTerms): number => {
    const known = queueNumbers.get(of.queue);
    if (known !== undefined) return known;
    queues.push(of);
    queueNumbers.set(of.queue, queues.length);
    return queues.length;
  };
  const numberOf = ({ terms: of, name }: AdmissionRequest): string => {
    let byName = termNumbers.get(of);
    if (byName === undefined) {
      byName = new Map();
      termNumbers.set(of, byName);
    }
    const known = byName.get(name);
    if (known !== undefined) return known;
    terms.push({
      queue: String(queueNumber(of)),
      place: of.place ?? "",
      name,
      priority: String(of.priority),
      depthMax: String(of.depthMax),
      tenant: of.tenant,
      tenantMax: String(of.tenantMax),
    });
    const number = String(terms.length);
    byName.set(name, number);
    return number;
  };
  for (const job of jobs) numberOf(job);
  return { queues, terms, numberOf };
}

/** @param reply the script's, for `count` jobs. */
export function answerOf(reply: readonly (string | number)[], count: number): AdmissionAnswer {
  if (reply[0] === "stale") {
    return { outcomes: Array.from({ length: count }, () => ({ kind: "stale" })), queues: [] };
  }
  const queues: QueueSeen[] = [];
  for (let at = count; at < reply.length; at += 3) {
    queues.push({ queue: String(reply[at]), depth: Number(reply[at + 1]), admitted: Number(reply[at + 2]) });
  }
  return { outcomes: reply.slice(0, count).map((it) => outcomeOf(String(it))), queues };
}

function outcomeOf(answer: string): AdmissionOutcome {
  const plain = PLAIN_OUTCOMES[answer];
  if (plain !== undefined) return plain;
  const kind = answer.startsWith("r") ? "replayed" : "deduplicated";
  return { kind, jobId: answer.slice(1) };
}

/** What a call saw of a queue, told to whoever estimates from it. */
export type OnQueueSeen = (seen: QueueSeen) => void;

/** Sends one call. */
export async function admitCall(
  redis: RedisConnection,
  jobs: readonly AdmissionRequest[],
  call: CallOptions,
): Promise<AdmissionAnswer> {
  return answerOf(await sendAdmit(redis, argumentsOf(jobs, call), jobs.length), jobs.length);
}
