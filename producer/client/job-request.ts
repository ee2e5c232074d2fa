/** Turns a contract, data and options into the job request that the API takes (the plain JSON form). */
import { randomUUID } from "node:crypto";
import type { Contract } from "#shared/contracts/contract";
import { toRfc3339 } from "#shared/system-clock";
import type { Written } from "./written.ts";

/** A moment: RFC 3339 with an offset, or what can say itself so, such as a `Date`. */
export type Moment = string | { toISOString(): string };

/** What may be said of a job beside its data. */
export interface JobOptions {
  /** Unique for its source; the server makes one when it is left out. At most 256 characters. */
  readonly id?: string;
  /** URI reference that says where the job comes from; the key's name when it is left out. */
  readonly source?: string;
  /** Not to be run before so long from now, in milliseconds; at most 30 days. Not together with `scheduledTime`. */
  readonly delayMs?: number;
  readonly scheduledTime?: Moment;
  /** @default "normal" */
  readonly priority?: "critical" | "high" | "normal" | "low";
  /** After it the job is not run. */
  readonly expiryTime?: Moment;
  /** No second job of the type with it is added while one has not ended. */
  readonly dedupKey?: string;
  /** Runs that may fail; at most what the type's policy says. */
  readonly attempts?: number;
  /** How long one run may take, in milliseconds; at most what the type's policy says. */
  readonly timeoutMs?: number;
  readonly subject?: string;
  readonly partitionKey?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** One of several jobs. */
export interface JobItem<Data> extends JobOptions {
  readonly data: Written<Data>;
}

/** As it goes over the wire. */
export type JobBody = Readonly<Record<string, unknown>>;

/** @param nowMs when the request is made: a delay counts from here, however often it is sent. */
export function jobBodyOf(
  contract: Pick<Contract, "type" | "versions">,
  data: unknown,
  { options, nowMs }: { readonly options: JobOptions; readonly nowMs: number },
): JobBody {
  const { scheduledTime, delayMs } = options;
  const scheduled = scheduledTime ?? (delayMs === undefined ? undefined : toRfc3339(nowMs + delayMs));
  return defined({
    type: contract.type,
    schemaversion: contract.versions.at(-1)?.version,
    id: options.id,
    source: options.source,
    scheduledtime: momentText(scheduled),
    priority: options.priority,
    expirytime: momentText(options.expiryTime),
    dedupkey: options.dedupKey,
    attempts: options.attempts,
    timeoutms: options.timeoutMs,
    subject: options.subject,
    partitionkey: options.partitionKey,
    correlationid: options.correlationId,
    causationid: options.causationId,
    traceparent: options.traceparent,
    tracestate: options.tracestate,
    data,
  });
}

/**
 * The same with an id, which makes it safe to send again in other company: `source` and `id` together are a
 * job's own idempotency key.
 */
export function withId(body: JobBody): JobBody {
  return body.id === undefined ? { ...body, id: randomUUID() } : body;
}

function momentText(moment: Moment | undefined): string | undefined {
  return typeof moment === "object" ? moment.toISOString() : moment;
}

function defined(values: JobBody): JobBody {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
