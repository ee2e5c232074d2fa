/**
 * Turns a checked request into a stamped envelope: what the server alone decides is written over
 * whatever the client sent.
 *
 * Attributes the client sent and we do not know stay as they are.
 */
import { randomUUID } from "node:crypto";
import type { Envelope, JobRequest, Priority } from "../envelope.ts";
import { quoted } from "../quoted.ts";
import { toRfc3339 } from "../system-clock.ts";

/** The source of a job that names none, when there is no credential to name it by either. */
export const ANONYMOUS_SOURCE = "/anonymous";

export interface Stamp {
  readonly tenant: string;
  /** Of a request that names none. */
  readonly source: string;
  readonly minReaderVersion: number;
  /** When the job is accepted, in milliseconds since the Unix epoch. */
  readonly acceptedAtMs: number;
  /** Instead of the one that was asked for. */
  readonly priority?: Priority;
}

export function stampEnvelope(request: JobRequest, stamp: Stamp): Envelope {
  // Not one literal with a spread in front: V8 builds that a hundred times slower.
  const stamped = {
    specversion: "1.0" as const,
    id: request.id ?? uuidv7(stamp.acceptedAtMs),
    source: request.source ?? stamp.source,
    minreaderversion: stamp.minReaderVersion,
    time: toRfc3339(stamp.acceptedAtMs),
    tenant: stamp.tenant,
  };
  const asked = "tenant" in request ? withoutTenant(request) : request;
  const priority = stamp.priority === undefined ? undefined : { priority: stamp.priority };
  return Object.assign({}, asked, priority, stamped);
}

/** The stamped one is then the last attribute of the text, where those look for it who must not parse every job. */
function withoutTenant({ tenant: _tenant, ...request }: JobRequest): JobRequest {
  return request;
}

export interface StampedText {
  readonly id: string;
  readonly source: string;
  /** The envelope as JSON. */
  readonly text: string;
}

/**
 * The stamped envelope as text, without making it: what is stamped is written behind the request's own text.
 *
 * @param requestText the request as `JSON.stringify` gives it.
 */
export function stampText(request: JobRequest, requestText: string, stamp: Stamp): StampedText {
  const { specversion, minreaderversion, time, tenant } = request;
  const isOverwritten = minreaderversion !== undefined || time !== undefined || tenant !== undefined;
  if (isOverwritten || stamp.priority !== undefined || (specversion ?? "1.0") !== "1.0") {
    const envelope = stampEnvelope(request, stamp);
    return { id: envelope.id, source: envelope.source, text: JSON.stringify(envelope) };
  }
  const id = request.id ?? uuidv7(stamp.acceptedAtMs);
  const source = request.source ?? stamp.source;
  let text = requestText.slice(0, -1);
  if (specversion === undefined) text += ',"specversion":"1.0"';
  if (request.id === undefined) text += `,"id":"${id}"`;
  if (request.source === undefined) text += `,"source":${quoted(source)}`;
  text += `,"minreaderversion":${stamp.minReaderVersion},"time":"${toRfc3339(stamp.acceptedAtMs)}"`;
  return { id, source, text: `${text},"tenant":${quoted(stamp.tenant)}}` };
}

/**
 * A UUID of version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then 74 random bits. The random
 * part is that of a version 4 UUID, which Node draws from a pool and is several times cheaper.
 */
function uuidv7(nowMs: number): string {
  // Under load many in a row are made in the same millisecond.
  if (nowMs !== newest.atMs) newest = { atMs: nowMs, text: timePartOf(nowMs) };
  return newest.text + randomUUID().slice(15);
}

let newest = { atMs: 0, text: timePartOf(0) };

function timePartOf(atMs: number): string {
  const time = atMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7`;
}
