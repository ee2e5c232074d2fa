/**
 * Turns a checked request into a stamped envelope: what the server alone decides is written over
 * whatever the client sent.
 *
 * Pure. Attributes the client sent and we do not know stay as they are.
 */
import { v7 as uuidv7 } from "uuid";
import type { Envelope, JobRequest } from "../envelope.ts";

/** A source that was not given; there are no credentials to name one. */
export const ANONYMOUS_SOURCE = "/anonymous";

export interface Stamp {
  readonly tenant: string;
  readonly minReaderVersion: number;
  /** RFC 3339 in UTC. */
  readonly time: string;
}

export function stampEnvelope(request: JobRequest, stamp: Stamp): Envelope {
  const { data, ...attributes } = request;
  return {
    ...attributes,
    specversion: "1.0",
    id: request.id ?? uuidv7(),
    source: request.source ?? ANONYMOUS_SOURCE,
    minreaderversion: stamp.minReaderVersion,
    time: stamp.time,
    tenant: stamp.tenant,
    data,
  } as Envelope;
}
