/**
 * What the open stage has seen of the new release and of the others, as differences of ever-rising counters.
 *
 * Pure. Nothing is averaged over a set that holds the suspect: with two releases such an average could never be
 * exceeded twofold. At the last share and after the gate was raised nobody else runs, and the others' past is taken,
 * which is said (`isPast`), for then a bad hour of everybody looks like the new release's.
 */
import type { Share } from "./estimate-bounds.ts";
import type { Rollout, Tally } from "./rollout-document.ts";
import type { ReleaseView, RolloutObservation, WorkerTally } from "./rollout-observation.ts";

export interface Evidence {
  readonly to: Tally;
  readonly others: Tally;
  /** The others ran before this stage, not beside the new release. */
  readonly isPast: boolean;
  /** Jobs in flight on the new release: failures may come quicker than successes, so these are no failures yet. */
  readonly inFlight: number;
  readonly failuresInRow: number;
  readonly workers: readonly WorkerTally[];
}

export type EvidenceDecision =
  | { readonly kind: "evidence"; readonly evidence: Evidence }
  /** Counters are missing. */
  | { readonly kind: "not-known" }
  /** The stage has no baseline, or counters went back: it has to be taken (anew). */
  | { readonly kind: "no-baseline" };

/** Fewer jobs of the others beside the new release than this, and their past is added. */
const BESIDE_JOBS_MIN = 200;

export function decideEvidence(rollout: Rollout, observation: RolloutObservation): EvidenceDecision {
  const { stage } = rollout;
  const to = observation.to.tally;
  const from = observation.from.tally;
  if (to === null || from === null || stage === null) return { kind: "not-known" };
  if (stage.baseline === null) return { kind: "no-baseline" };
  const ran = difference(to, stage.baseline.to);
  const beside = difference(from, stage.baseline.others);
  if (ran === null || beside === null) return { kind: "no-baseline" };
  // Once the old share is gone; what its last jobs were does not matter.
  const isPast = observation.from.taking === 0 && beside.finished < BESIDE_JOBS_MIN;
  return {
    kind: "evidence",
    evidence: {
      to: ran,
      others: isPast ? sum(rollout.reference, beside) : beside,
      isPast,
      inFlight: observation.to.inFlight ?? 0,
      failuresInRow: observation.to.failuresInRow ?? 0,
      workers: observation.to.byWorker.filter((it) => !isQuarantined(rollout, it)),
    },
  };
}

/** The baseline of a stage that begins with what is seen now; `null` while that is not known. */
export function baselineOf(
  to: ReleaseView,
  from: ReleaseView,
): { readonly to: Tally; readonly others: Tally } | null {
  return to.tally === null || from.tally === null ? null : { to: to.tally, others: from.tally };
}

/** First attempts that failed, those left out that fail elsewhere too: the job is to blame for them. */
export function failuresOf({
  finished,
  failed,
  failedElsewhere,
}: Pick<Tally, "finished" | "failed" | "failedElsewhere">): Share {
  return {
    hits: Math.max(failed - failedElsewhere, 0),
    trials: Math.max(finished - failedElsewhere, 0),
  };
}

export function sum(left: Tally, right: Tally): Tally {
  return combine(left, right, (a, b) => a + b);
}

/** `null` when something has become less: the counters began anew. */
export function difference(later: Tally, earlier: Tally): Tally | null {
  let hasFallen = false;
  const less = combine(later, earlier, (a, b) => {
    if (a < b) hasFallen = true;
    return a - b;
  });
  return hasFallen ? null : less;
}

function combine(left: Tally, right: Tally, of: (a: number, b: number) => number): Tally {
  return {
    finished: of(left.finished, right.finished),
    failed: of(left.failed, right.failed),
    failedElsewhere: of(left.failedElsewhere, right.failedElsewhere),
    retried: of(left.retried, right.retried),
    retriedFailed: of(left.retriedFailed, right.retriedFailed),
    stalls: of(left.stalls, right.stalls),
    mismatches: of(left.mismatches, right.mismatches),
    created: of(left.created, right.created),
    completed: of(left.completed, right.completed),
    run: left.run.map((jobs, index) => of(jobs, right.run[index] ?? 0)),
    pickup: left.pickup.map((jobs, index) => of(jobs, right.pickup[index] ?? 0)),
  };
}

function isQuarantined({ quarantined }: Rollout, { worker }: WorkerTally): boolean {
  return quarantined.some((it) => it.worker === worker);
}
