/** The accept test of one build: what its app reads, and which attributes it understands. */
import type { ReadableContract } from "#shared/contracts/contract";
import { type AcceptDecision, decideAccept } from "#shared/contracts/decide-accept";
import { readRangeOf } from "#shared/contracts/reader";
import { criticalNames, type Envelope } from "#shared/envelope";

/** Attributes whose meaning this build acts on or passes to the handler, or that were acted on at the door. */
const UNDERSTOOD_ATTRIBUTES: ReadonlySet<string> = new Set([
  "scheduledtime",
  "expirytime",
  "priority",
  "attempts",
  "timeoutms",
  "dedupkey",
  "subject",
  "traceparent",
  "tracestate",
  "correlationid",
  "causationid",
  "dataschema",
]);

export type AcceptEnvelope = (envelope: Envelope) => AcceptDecision;

export function acceptTestOf(contracts: readonly ReadableContract[]): AcceptEnvelope {
  const ranges = new Map(contracts.map((contract) => [contract.type, readRangeOf(contract)]));
  return (envelope) => {
    const { specversion, type, minreaderversion } = envelope;
    const facts = {
      specversion,
      type,
      minReaderVersion: minreaderversion,
      criticalNames: criticalNames(envelope),
    };
    return decideAccept(facts, ranges, UNDERSTOOD_ATTRIBUTES);
  };
}
