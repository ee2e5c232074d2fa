/**
 * What a job is remembered by, so that a client may send it again: the key it sent, and the id it chose.
 *
 * Both are remembered for 24 hours, which outlives the job, with a fingerprint of what was asked for. A job with
 * neither is remembered by nothing: nobody can repeat it.
 */
import { hash } from "node:crypto";
import type { JobRequest } from "../envelope.ts";
import { quoted } from "../quoted.ts";

export interface Remembering {
  readonly tenant: string;
  /** As the client sent it; `null` without. */
  readonly idempotencyKey: string | null;
  readonly jobId: string;
  readonly request: JobRequest;
  /** The request as JSON, where it is at hand. */
  readonly requestText?: string;
}

export interface Remembered {
  /** Names of the records, the key's before the id's. */
  readonly records: readonly string[];
  readonly fingerprint: string;
}

const NOTHING: Remembered = { records: [], fingerprint: "-" };

export function rememberedBy({
  tenant,
  idempotencyKey,
  jobId,
  request,
  requestText,
}: Remembering): Remembered {
  if (idempotencyKey === null && request.id === undefined) return NOTHING;
  const records: string[] = [];
  if (idempotencyKey !== null)
    records.push(`key:${shortHash(`[${quoted(tenant)},${JSON.stringify(idempotencyKey)}]`)}`);
  // The job id is a hash of tenant, source and id already; its queue's name in front ends with "~".
  if (request.id !== undefined) records.push(`id:${jobId.slice(jobId.indexOf("~") + 1)}`);
  return { records, fingerprint: shortHash(requestText ?? JSON.stringify(request)) };
}

/** What jobs of a type with the same dedup key are found by. */
export function dedupHash(tenant: string, type: string, dedupKey: string): string {
  return shortHash(JSON.stringify([tenant, type, dedupKey]));
}

/** 132 bits: two different texts never meet by accident. */
function shortHash(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 22);
}
