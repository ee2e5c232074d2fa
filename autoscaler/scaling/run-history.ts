/**
 * A queue's jobs by how long they waited and ran: ever since, and lately.
 *
 * Holds state between looks and decides nothing. "Lately" is the difference between the newest reading of
 * counters that only rise and one of some minutes ago.
 */
import { BUCKET_BOUNDS_MS, parseRunBucketName, runTotalName, type TimedPhase } from "#shared/run-counters";
import {
  BUCKETS,
  type BucketCounts,
  countLate,
  estimateSpread,
  type SpreadEstimate,
} from "./estimate-spread.ts";

/** What "lately" means. */
const WINDOW_MS = 600_000;

/** Readings closer together than this share a mark, so that a window is some forty of them. */
const MARK_MS = 15_000;

type Counters = ReadonlyMap<string, number>;
type ByPhase = Readonly<Record<TimedPhase, BucketCounts>>;

interface Mark {
  readonly atMs: number;
  readonly totals: ByPhase;
}

/** All jobs of one type, as a histogram of one phase. */
export interface RunHistogram {
  readonly type: string;
  readonly phase: TimedPhase;
  readonly counts: BucketCounts;
  readonly sumMs: number;
}

export class RunHistory {
  #counters: Counters = new Map();
  #totals: ByPhase = { pickup: none(), run: none() };
  #marks: readonly Mark[] = [];

  /** @param atMs of a clock that only rises. */
  read(counters: Counters, atMs: number): void {
    const totals = totalsOf(counters);
    // Redis was restored, or its counters were cleared: what was marked is of another history.
    const isSameHistory = PHASES.every((phase) => isRise(this.#totals[phase], totals[phase]));
    const marks = isSameHistory ? this.#marks : [];
    const last = marks.at(-1);
    const added = last === undefined || atMs - last.atMs >= MARK_MS ? [...marks, { atMs, totals }] : marks;
    // The newest mark that is older than the window is kept: the window begins there.
    const first = added.findLastIndex((it) => it.atMs <= atMs - WINDOW_MS);
    this.#marks = added.slice(Math.max(first, 0));
    this.#totals = totals;
    this.#counters = counters;
  }

  /** Jobs started whose wait is known, ever since. */
  get started(): number {
    return this.#totals.pickup.reduce((total, count) => total + count, 0);
  }

  /** Those of them that waited longer than `promiseMs`; between two bounds more rather than fewer. */
  late(promiseMs: number): number {
    return countLate(this.#totals.pickup, promiseMs);
  }

  /** The last ten minutes, `null` when no job did so in them. */
  lately(phase: TimedPhase): SpreadEstimate | null {
    const before = this.#marks[0]?.totals[phase] ?? [];
    return estimateSpread(this.#totals[phase].map((count, index) => count - (before[index] ?? 0)));
  }

  /** All there is, by type. */
  histograms(): readonly RunHistogram[] {
    const byType = new Map<string, { type: string; phase: TimedPhase; counts: number[] }>();
    for (const [name, jobs] of this.#counters) {
      const bucket = parseRunBucketName(name);
      if (bucket === null) continue;
      const { type, phase } = bucket;
      const key = `${type}|${phase}`;
      const found = byType.get(key) ?? { type, phase, counts: [...none()] };
      byType.set(key, found);
      add(found.counts, bucket.boundMs, jobs);
    }
    return [...byType.values()].map((it) => ({ ...it, sumMs: this.#sumMs(it.type, it.phase) }));
  }

  #sumMs(type: string, phase: TimedPhase): number {
    return this.#counters.get(runTotalName(type, phase === "pickup" ? "pickupms" : "busyms")) ?? 0;
  }
}

const PHASES: readonly TimedPhase[] = ["pickup", "run"];

function totalsOf(counters: Counters): ByPhase {
  const totals = { pickup: [...none()], run: [...none()] };
  for (const [name, jobs] of counters) {
    const bucket = parseRunBucketName(name);
    if (bucket !== null) add(totals[bucket.phase], bucket.boundMs, jobs);
  }
  return totals;
}

/** A bucket of a bound that is not ours, from a worker of another version, counts with the next larger one. */
function add(counts: number[], boundMs: number, jobs: number): void {
  const found = BUCKET_BOUNDS_MS.findIndex((bound) => boundMs <= bound);
  const index = found < 0 ? BUCKETS - 1 : found;
  counts[index] = (counts[index] ?? 0) + jobs;
}

function isRise(before: BucketCounts, after: BucketCounts): boolean {
  return before.every((count, index) => (after[index] ?? 0) >= count);
}

function none(): BucketCounts {
  return new Array<number>(BUCKETS).fill(0);
}
