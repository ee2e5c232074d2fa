/**
 * Names of the counters by which the fleet tells what it has run, and the bounds of their buckets.
 *
 * All are of one job type of one queue and only ever rise: `<type>|finished`, `|busyms` (slot time), `|created`
 * (jobs by handlers), `|pickupms` (time from due to taken), and jobs by how long they took:
 * `<type>|p|<bound>` for the pickup and `<type>|r|<bound>` for the run, where the bound is the bucket's
 * upper end in milliseconds, itself included, or `inf`. A bucket holds what no smaller one does.
 */

/** Upper ends of the buckets in milliseconds: such as promises are made of, so that a promise is often one. */
export const BUCKET_BOUNDS_MS = [
  100, 200, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000,
  180_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
] as const;

/** `pickup`: from due to taken. `run`: from taken to settled. */
export type TimedPhase = "pickup" | "run";

const PHASE_LETTERS: Readonly<Record<TimedPhase, string>> = { pickup: "p", run: "r" };

export type RunTotal = "finished" | "busyms" | "created" | "pickupms";

export function runTotalName(type: string, total: RunTotal): string {
  return `${type}|${total}`;
}

/** The bucket that a length of time falls into. */
export function runBucketName(type: string, phase: TimedPhase, tookMs: number): string {
  const bound = BUCKET_BOUNDS_MS.find((it) => tookMs <= it);
  return `${type}|${PHASE_LETTERS[phase]}|${bound ?? "inf"}`;
}

export interface RunBucket {
  readonly type: string;
  readonly phase: TimedPhase;
  /** Upper end, itself included; Infinity for the last one. */
  readonly boundMs: number;
}

/** What a counter's name says, or `null` when it is not a bucket's. */
export function parseRunBucketName(name: string): RunBucket | null {
  const match = /^(.+)\|([pr])\|(inf|[1-9][0-9]*)$/.exec(name);
  if (match === null) return null;
  const [, type = "", letter, bound] = match;
  return {
    type,
    phase: letter === "p" ? "pickup" : "run",
    boundMs: bound === "inf" ? Number.POSITIVE_INFINITY : Number(bound),
  };
}
