/**
 * Names of the counters by which the workers of one release in one pool tell what it ran; a rollout's gates compare
 * them with the other release's.
 *
 * A hash a queue and release; all only ever rise, with the heartbeats. First attempts: `finished`, `failed`, and
 * `failedElsewhere` (jobs that failed on another release too, told when the other failure is seen). Later attempts:
 * `retried`, `retriedFailed`. `stalls`: starts whose worker was lost. `mismatches`: jobs handed back unread. `created`: jobs
 * by its handlers; `completed`: attempts of any number that succeeded. Times of first attempts by bucket:
 * `run|<index>` and `pickup|<index>` with the buckets of `run-counters.ts`, the one beyond the last included. Parts:
 * `type|<name>|finished`, `type|<name>|failed`, and the same of `tenant`.
 */
export const RELEASE_COUNTS = [
  "finished",
  "failed",
  "failedElsewhere",
  "retried",
  "retriedFailed",
  "stalls",
  "mismatches",
  "created",
  "completed",
] as const;

export type ReleaseCount = (typeof RELEASE_COUNTS)[number];

export type PartKind = "type" | "tenant";

export function partCounterName(kind: PartKind, name: string, count: "finished" | "failed"): string {
  return `${kind}|${name}|${count}`;
}

export function timeCounterName(phase: "run" | "pickup", bucket: number): string {
  return `${phase}|${bucket}`;
}
