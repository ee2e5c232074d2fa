/**
 * Whether what leaves has left: the old share of a step, or a release as a whole.
 *
 * Pure. Ready is not drained, and not known is not drained. A worker that is not heard of may hold jobs until its lease has
 * run out and somebody has looked, so it counts as holding some. All fields of a view must come from one atomic read.
 */
import type { ReleaseView } from "./rollout-observation.ts";

export type DrainedDecision =
  | { readonly kind: "drained" }
  | { readonly kind: "not-known"; readonly what: string }
  | { readonly kind: "holds"; readonly blockers: readonly string[] };

/** Whether at most `taking` workers of the release take jobs and the others hold none. */
export function decideShareDrained(release: string, view: ReleaseView, taking: number): DrainedDecision {
  const { leavingInFlight, unheard } = view;
  if (view.taking === null) return { kind: "not-known", what: `how many workers of ${release} take jobs` };
  if (leavingInFlight === null || unheard === null) {
    return { kind: "not-known", what: `what the leaving workers of ${release} hold` };
  }
  return answer([
    view.taking > taking && `${view.taking} workers of ${release} take jobs, ${taking} are to`,
    leavingInFlight > 0 && `${jobs(leavingInFlight)} in flight on leaving workers of ${release}`,
    unheard > 0 && `${unheard} workers of ${release} are not heard of and may hold jobs`,
  ]);
}

/** Whether the release takes nothing, holds nothing and every lane it serves has another reader. */
export function decideReleaseDrained(release: string, view: ReleaseView): DrainedDecision {
  const { taking, inFlight, unheard, onlyItReads } = view;
  if (taking === null || inFlight === null || unheard === null || onlyItReads === null) {
    return { kind: "not-known", what: `what ${release} still holds` };
  }
  return answer([
    // It may have taken one since it was heard of.
    taking > 0 &&
      `${taking} ${taking === 1 ? "worker" : "workers"} of ${release} ${taking === 1 ? "takes" : "take"} jobs`,
    inFlight > 0 && `${jobs(inFlight)} in flight on ${release}`,
    unheard > 0 && `${unheard} workers of ${release} are not heard of and may hold jobs`,
    onlyItReads > 0 && `${jobs(onlyItReads)} in lanes that only ${release} reads`,
  ]);
}

function answer(blockers: readonly (string | false)[]): DrainedDecision {
  const named = blockers.filter((it) => it !== false);
  return named.length === 0 ? { kind: "drained" } : { kind: "holds", blockers: named };
}

function jobs(count: number): string {
  return `${count} ${count === 1 ? "job" : "jobs"}`;
}
