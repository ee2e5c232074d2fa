/** The states a job can be in, the same words on every surface. */
export const JOB_STATES = [
  "waiting",
  "scheduled",
  "running",
  "succeeded",
  "failed",
  "quarantined",
  "parked",
  "cancelled",
  "expired",
] as const;

export type JobState = (typeof JOB_STATES)[number];

const ENDED: ReadonlySet<JobState> = new Set(["succeeded", "failed", "quarantined", "cancelled", "expired"]);

/** Whether a job in this state will not run any more, unless a person sees to it. */
export function isEnded(state: JobState): boolean {
  return ENDED.has(state);
}
