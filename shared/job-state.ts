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
