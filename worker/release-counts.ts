/**
 * What this worker has run for its release, told with its heartbeats by the names of `release-counters.ts`.
 *
 * Counting is on the way of every job, so it adds to numbers in place and builds names only for a heartbeat. It judges
 * nothing. What was not answered is told again with the next heartbeat.
 *
 * What a changer must know: names of types and tenants are bounded for the life of the process; what comes later is
 * counted under `(other)`.
 */
import { isFailure, type JobRecord } from "#shared/job-record";
import type { ReleaseIncreases, WorkerStatus } from "#shared/redis/fleet-store";
import {
  type PartKind,
  partCounterName,
  type ReleaseCount,
  timeCounterName,
} from "#shared/rollout/release-counters";
import { BUCKET_BOUNDS_MS } from "#shared/run-counters";
import type { EndedRun } from "./process-job.ts";

/** Types, and tenants, that are counted by name. */
const NAMES_MAX = 200;

const OTHER = "(other)";

/** Longer names are none of ours: somebody else wrote the job. */
const NAME_CHARS_MAX = 128;

interface Part {
  finished: number;
  failed: number;
}

export class ReleaseCounts {
  readonly #release: string;
  #counts = noCounts();
  #run = noTimes();
  #pickup = noTimes();
  readonly #parts: Readonly<Record<PartKind, Map<string, Part>>> = { type: new Map(), tenant: new Map() };
  /** Failures here of jobs whose first failure was another release's, by that release. */
  readonly #elsewhere = new Map<string, number>();
  readonly #first = { finished: 0, failed: 0, inRow: 0 };
  #unacknowledged: Record<string, Record<string, number>> = {};

  constructor(release: string) {
    this.#release = release;
  }

  /** First attempts since the worker started. What failed elsewhere too, and stalls, others see. */
  get firstRuns(): NonNullable<WorkerStatus["firstRuns"]> {
    return { ...this.#first, failedElsewhere: 0, stalls: 0 };
  }

  /** A job was taken `waitedMs` after it fell due. */
  pickedUp({ failures }: Pick<JobRecord, "failures">, waitedMs: number): void {
    if (failures === 0) add(this.#pickup, waitedMs);
  }

  created(): void {
    this.#counts.created += 1;
  }

  /** A job was handed back unread. */
  unread(): void {
    this.#counts.mismatches += 1;
  }

  /** Runs that ended because of us, or were cancelled, say nothing of the release. */
  ended(run: EndedRun): void {
    const outcome = outcomeOf(run);
    if (outcome === null) return;
    const hasFailed = outcome === "failed";
    if (hasFailed) this.#countElsewhere(run);
    else this.#counts.completed += 1;
    if (run.record.failures === 0) this.#countFirst(run, hasFailed);
    else {
      this.#counts.retried += 1;
      if (hasFailed) this.#counts.retriedFailed += 1;
    }
  }

  /** What is to be told; it stays until it was acknowledged. */
  increases(): ReleaseIncreases {
    const own = this.#told(this.#release);
    for (const [name, count] of Object.entries(this.#counts)) raise(own, name, count);
    for (const [bucket, jobs] of this.#run.entries()) raise(own, timeCounterName("run", bucket), jobs);
    for (const [bucket, jobs] of this.#pickup.entries()) raise(own, timeCounterName("pickup", bucket), jobs);
    this.#tellParts(own, "type");
    this.#tellParts(own, "tenant");
    if (Object.keys(own).length === 0) delete this.#unacknowledged[this.#release];
    for (const [release, jobs] of this.#elsewhere) raise(this.#told(release), "failedElsewhere", jobs);
    this.#elsewhere.clear();
    this.#counts = noCounts();
    this.#run = noTimes();
    this.#pickup = noTimes();
    return this.#unacknowledged;
  }

  /** What `increases` said last has arrived. */
  acknowledged(): void {
    this.#unacknowledged = {};
  }

  #countFirst({ type, tenant, busyMs }: EndedRun, hasFailed: boolean): void {
    const [ofType, ofTenant] = [this.#part("type", type), this.#part("tenant", tenant)];
    this.#counts.finished += 1;
    this.#first.finished += 1;
    ofType.finished += 1;
    ofTenant.finished += 1;
    add(this.#run, busyMs);
    if (!hasFailed) {
      this.#first.inRow = 0;
      return;
    }
    this.#counts.failed += 1;
    this.#first.failed += 1;
    this.#first.inRow += 1;
    ofType.failed += 1;
    ofTenant.failed += 1;
  }

  /** Told of the release that failed it first, once a job: when it fails for the first time on another. */
  #countElsewhere({ record }: EndedRun): void {
    if (record.attempts.length === 0) return;
    const failed = record.attempts.filter(isFailure);
    const first = failed[0]?.release ?? this.#release;
    if (first === this.#release || failed.some((it) => it.release !== first)) return;
    this.#elsewhere.set(first, (this.#elsewhere.get(first) ?? 0) + 1);
    // The first release's failures were taken off the job: it counts as a first attempt here, too.
    if (record.failures === 0) this.#counts.failedElsewhere += 1;
  }

  #part(kind: PartKind, name: string): Part {
    const parts = this.#parts[kind];
    const known = parts.get(name);
    if (known !== undefined) return known;
    const isOne = parts.size < NAMES_MAX && name.length <= NAME_CHARS_MAX;
    if (!isOne && name !== OTHER) return this.#part(kind, OTHER);
    const part = { finished: 0, failed: 0 };
    parts.set(name, part);
    return part;
  }

  #tellParts(told: Record<string, number>, kind: PartKind): void {
    for (const [name, part] of this.#parts[kind]) {
      raise(told, partCounterName(kind, name, "finished"), part.finished);
      raise(told, partCounterName(kind, name, "failed"), part.failed);
      part.finished = 0;
      part.failed = 0;
    }
  }

  #told(release: string): Record<string, number> {
    this.#unacknowledged[release] ??= {};
    return this.#unacknowledged[release];
  }
}

function outcomeOf({ settlement }: EndedRun): "succeeded" | "failed" | null {
  if (settlement.kind === "retry" || settlement.kind === "failed") return "failed";
  return settlement.kind === "finished" && settlement.outcome.outcome === "succeeded" ? "succeeded" : null;
}

function noCounts(): Record<ReleaseCount, number> {
  return {
    finished: 0,
    failed: 0,
    failedElsewhere: 0,
    retried: 0,
    retriedFailed: 0,
    stalls: 0,
    mismatches: 0,
    created: 0,
    completed: 0,
  };
}

function noTimes(): number[] {
  return new Array<number>(BUCKET_BOUNDS_MS.length + 1).fill(0);
}

/** Into the bucket that the time falls into; the one beyond the last bound for what is longer. */
function add(times: number[], tookMs: number): void {
  let bucket = 0;
  while (bucket < BUCKET_BOUNDS_MS.length && tookMs > (BUCKET_BOUNDS_MS[bucket] ?? 0)) bucket += 1;
  times[bucket] = (times[bucket] ?? 0) + 1;
}

function raise(told: Record<string, number>, name: string, increase: number): void {
  if (increase > 0) told[name] = (told[name] ?? 0) + increase;
}
