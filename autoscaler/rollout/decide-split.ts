/**
 * How the workers that the autoscaler wants are split between the old release and the new one.
 *
 * Pure. The autoscaler alone sets the total, the rollout alone the shares, so the two never pull at each other. The
 * sum is kept exactly from two workers on. Below that both releases need one each while neither has it all: what
 * either of them alone reads must not wait for the other's share.
 */

export interface Split {
  /** Whole workers, >= 0. */
  readonly from: number;
  readonly to: number;
}

/** `share` of the new release, 0 to 1: at least one worker for each side, except that 0 and 1 give one side all. */
export function decideSplit(workersWanted: number, share: number): Split {
  const total = Math.max(Math.round(workersWanted), 0);
  if (share <= 0) return { from: total, to: 0 };
  if (share >= 1) return { from: 0, to: total };
  if (total < 2) return { from: 1, to: 1 };
  const to = Math.min(Math.max(Math.round(share * total), 1), total - 1);
  return { from: total - to, to };
}
