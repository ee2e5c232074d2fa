/**
 * What becomes of one job of an older lane that is to move into the lane of this build.
 *
 * Pure. Data of an older read group is written anew as the build's own version, so that the older group
 * need not be read for ever; of its own group it moves as it is. Every other attribute stays, known or
 * not. What the build may not or cannot read stays where it is: another build, or a mended one, may.
 */
import type { AcceptDecision } from "#shared/contracts/decide-accept";
import type { Envelope } from "#shared/envelope";

/** Why a job stays in its lane; stable codes. */
export type LeaveReason =
  | "too-new"
  | "too-old"
  | "unknown-crit"
  | "foreign"
  /** The upcaster threw, or made what its target version or JSON cannot hold. */
  | "upcast-failed"
  /** BullMQ knows it as part of a flow, of a scheduler or of a deduplication of the queue that it is in. */
  | "tied"
  /** The stored data is not JSON. */
  | "not-json";

export type MigrationDecision =
  /** `dataText`: the envelope as JSON text, `null` to move it as it is. */
  | { readonly kind: "move"; readonly dataText: string | null }
  | { readonly kind: "quarantine"; readonly code: string; readonly message: string }
  | { readonly kind: "leave"; readonly reason: LeaveReason; readonly message: string };

export type ReadOutcome =
  | { readonly kind: "read"; readonly data: unknown }
  /** Not what its own version promises. */
  | { readonly kind: "invalid"; readonly code: string; readonly message: string }
  /** A defect of this build. */
  | { readonly kind: "failed"; readonly message: string };

export interface WrittenVersion {
  /** V. */
  readonly version: number;
  /** M. */
  readonly minReaderVersion: number;
}

/** What one build makes of stored envelopes; everything in it is a function of its arguments. */
export interface MigratingBuild {
  parse(stored: unknown): { readonly envelope: Envelope } | { readonly problem: string };
  isExpired(envelope: Envelope): boolean;
  accept(envelope: Envelope): AcceptDecision;
  /** The version that the build itself writes of a type that it accepts. */
  ownVersion(type: string): WrittenVersion;
  /** Data as the build's own version has it. Asked only for envelopes that were accepted. */
  read(envelope: Envelope): ReadOutcome;
}

export function decideMigration(
  job: { readonly dataText: string; readonly isTied: boolean },
  build: MigratingBuild,
): MigrationDecision {
  if (job.isTied) return leave("tied", "BullMQ refers to it by the queue that it is in");
  const stored = parsed(job.dataText);
  if (stored === undefined) return leave("not-json", "its data is not JSON");
  if (isOfAnotherMajor(stored)) return leave("foreign", "its envelope is of another major");
  const known = build.parse(stored);
  if ("problem" in known) return { kind: "quarantine", code: "ENVELOPE_INVALID", message: known.problem };
  // Whoever takes it ends it unread; in a lane that is to be empty it would lie for ever.
  if (build.isExpired(known.envelope)) return MOVE_AS_IT_IS;
  const accept = build.accept(known.envelope);
  if (accept.kind !== "accept") return leave(accept.kind, notAccepted(known.envelope));
  return decideRead(stored, known.envelope, build);
}

const MOVE_AS_IT_IS: MigrationDecision = { kind: "move", dataText: null };

function decideRead(stored: unknown, envelope: Envelope, build: MigratingBuild): MigrationDecision {
  const read = build.read(envelope);
  if (read.kind === "invalid") return { kind: "quarantine", code: read.code, message: read.message };
  if (read.kind === "failed") return leave("upcast-failed", read.message);
  const { version, minReaderVersion } = build.ownVersion(envelope.type);
  if (envelope.minreaderversion === minReaderVersion) return MOVE_AS_IT_IS;
  const upcast = {
    ...(stored as object),
    schemaversion: version,
    minreaderversion: minReaderVersion,
    data: read.data,
  };
  const dataText = textOf(upcast);
  if (dataText === null) return leave("upcast-failed", "the upcaster's result cannot be written as JSON");
  // What JSON cannot hold (a Date, NaN) becomes something else on the way; the next reader sees that.
  const asWritten = build.read(JSON.parse(dataText));
  if (asWritten.kind !== "read")
    return leave("upcast-failed", `as JSON its result is not valid: ${asWritten.message}`);
  return { kind: "move", dataText };
}

function leave(reason: LeaveReason, message: string): MigrationDecision {
  return { kind: "leave", reason, message };
}

function notAccepted({ type, schemaversion, minreaderversion }: Envelope): string {
  return `this build does not take ${type} version ${schemaversion} with minimum reader ${minreaderversion}`;
}

/** `undefined`: no JSON, which has no such value. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A CloudEvent of a major that this build does not know; another build may. */
function isOfAnotherMajor(stored: unknown): boolean {
  if (stored === null || typeof stored !== "object" || !("specversion" in stored)) return false;
  return typeof stored.specversion === "string" && stored.specversion !== "1.0";
}

function textOf(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
}
