/**
 * One word for what a lane is at present.
 *
 * `orphaned`: it holds jobs that no live release reads. `tripped`: a release that reads it takes nothing, because
 * its own step fails there. `written`: new jobs go to it. `open`: a live release has it for its own, and no
 * gate lets jobs in yet. `emptying`: it only gives jobs away. `retired`: it is empty for good.
 */

export type LaneState = "written" | "open" | "emptying" | "retired" | "orphaned" | "tripped";

export interface LaneFacts {
  readonly retiredAt: string | null;
  readonly orphaned: boolean;
  /** Releases that have tripped it. */
  readonly trips: number;
  /** Codes of what keeps it from retiring; `null` when not known. */
  readonly blockers: readonly string[] | null;
}

/** The gravest first; `null` when it is not known whether jobs are written to it. */
export function decideLaneState({ retiredAt, orphaned, trips, blockers }: LaneFacts): LaneState | null {
  if (orphaned) return "orphaned";
  if (retiredAt !== null) return "retired";
  if (trips > 0) return "tripped";
  if (blockers === null) return null;
  if (blockers.includes("new-jobs")) return "written";
  return blockers.includes("live-release") ? "open" : "emptying";
}
