/**
 * What a handler enqueues: `context.enqueue`.
 *
 * A child's id follows from its parent's and from which call of the run it is, so a parent that runs again adds nothing
 * twice, as long as its handler makes its calls in the same order. Tenant, correlation and trace are the parent's.
 * Refusals reach the handler as they are; one that it does not catch fails the run like any other error.
 */
import { hash } from "node:crypto";
import { enqueueOnce, type OncePorts } from "#shared/enqueue/enqueue-once";
import { type Envelope, type JobRequest, type Priority, parsePlainRequest } from "#shared/envelope";
import { EnvelopeInvalidError, type Issue, NotEnqueuedError, SluiceError } from "#shared/errors";
import { findForbidden } from "#shared/json-walk";
import { toRfc3339 } from "#shared/system-clock";

/** A job that a handler enqueues. */
export interface ChildJob {
  readonly type: string;
  readonly schemaversion: number;
  /** JSON: what JSON does not have is lost or refused. */
  readonly data: object;
  /** How long it shall wait, in milliseconds, at most 30 days. @default 0 */
  readonly delayMs?: number;
  readonly priority?: Priority;
  /** At most what the type's policy has. */
  readonly attempts?: number;
  readonly timeoutms?: number;
  readonly subject?: string;
  readonly partitionkey?: string;
  readonly dedupkey?: string;
  /** RFC 3339. */
  readonly expirytime?: string;
}

export interface EnqueuedChild {
  /** The job id, as every surface shows it. */
  readonly id: string;
  /** Whether this call added it: not when an earlier run of the parent has, or its dedup key is taken. */
  readonly isNew: boolean;
}

export type EnqueueChild = (job: ChildJob) => Promise<EnqueuedChild>;

export interface Parent {
  readonly jobId: string;
  readonly envelope: Envelope;
  /** Why nothing may be enqueued any more; `undefined` while the run goes on. */
  over(): unknown;
}

/** Where handlers' jobs go. */
export interface ChildDoor {
  /** @returns the `enqueue` of one run. */
  of(parent: Parent): EnqueueChild;
}

export interface ChildJobsPorts {
  /** Opened when the first handler asks. Rejects when Redis is away. */
  open(): Promise<OncePorts>;
  nowMs(): number;
  /** A job of `parentType` has created a job. */
  onCreated(parentType: string): void;
}

/** Jobs without a tenant are of a time when there was one only. */
export const FIRST_TENANT = "default";

export class ChildJobs implements ChildDoor {
  readonly #ports: ChildJobsPorts;

  constructor(ports: ChildJobsPorts) {
    this.#ports = ports;
  }

  of(parent: Parent): EnqueueChild {
    let calls = 0;
    return (job) => {
      calls += 1;
      return this.#enqueue(parent, job, calls);
    };
  }

  async #enqueue(parent: Parent, job: ChildJob, ordinal: number): Promise<EnqueuedChild> {
    requireGoing(parent);
    const request = requestOf(job, parent, this.#ports.nowMs());
    const opened = await this.#ports.open().catch((error: unknown) => {
      if (error instanceof SluiceError) throw error;
      throw new NotEnqueuedError("Redis is not reachable", { cause: error });
    });
    requireGoing(parent);
    const { jobId, envelope } = parent;
    const id = hash("sha256", JSON.stringify([jobId, ordinal]));
    const terms = { tenant: envelope.tenant ?? FIRST_TENANT, source: `/jobs/${jobId}`, id };
    const { jobId: childId, isNew } = await enqueueOnce(request, terms, opened);
    if (isNew) this.#ports.onCreated(envelope.type);
    return { id: childId, isNew };
  }
}

function requireGoing({ over }: Parent): void {
  const reason = over();
  if (reason !== undefined) throw reason;
}

/** What a handler cannot choose. */
const FROM_PARENT = new Set(["id", "source", "causationid", "correlationid", "traceparent", "tracestate"]);

/** @throws {EnvelopeInvalidError} when it is no job, whatever its type. */
function requestOf(
  { delayMs = 0, data, ...attributes }: ChildJob,
  parent: Parent,
  nowMs: number,
): JobRequest {
  if (!(Number.isFinite(delayMs) && delayMs >= 0)) {
    throw invalid({ pointer: "/delayMs", rule: "type", message: "must be a number of milliseconds from 0" });
  }
  const own = Object.keys(attributes).filter((name) => FROM_PARENT.has(name));
  if (own.length > 0) {
    const message = "follows from the job that enqueues it; leave it out";
    throw new EnvelopeInvalidError(
      own.map((name) => ({ pointer: `/${name}`, rule: "from-parent", message })),
    );
  }
  const { correlationid = parent.jobId, traceparent, tracestate } = parent.envelope;
  return parsePlainRequest({
    ...attributes,
    data: asJson(data),
    ...(delayMs > 0 && { scheduledtime: toRfc3339(Math.ceil(nowMs + delayMs)) }),
    causationid: parent.jobId,
    correlationid,
    ...(traceparent !== undefined && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
  });
}

/** What a reader would get of it, so that this is what is checked. */
function asJson(data: unknown): unknown {
  let value: unknown;
  try {
    value = JSON.parse(JSON.stringify(data) ?? "null");
  } catch {
    throw invalid({ pointer: "/data", rule: "json", message: "is not JSON" });
  }
  const forbidden = findForbidden(value);
  if (forbidden !== null) throw invalid({ ...forbidden, pointer: `/data${forbidden.pointer}` });
  return value;
}

function invalid(issue: Issue): EnvelopeInvalidError {
  return new EnvelopeInvalidError([issue]);
}
