/**
 * The piece of a trace that is replayed: chosen, scaled to what one machine can run, and compressed in time.
 *
 * Pure but for what it is given. One rule for every trace: of all windows of the wanted length whose busiest minute is
 * at most `PEAK_MAX` times its mean, the most uneven one. Jobs of a trace that is too heavy are thinned out; one that is
 * light is left as it is, because a copied request would come at the same moment as its original.
 */
import { lognormal, randomFrom } from "#autoscaler/simulator/random";
import type { CountTrace, RequestTrace, Trace } from "#autoscaler/simulator/trace-model";
import { WORKLOAD_DEFAULTS, type Workload } from "#autoscaler/simulator/workload";

/** Slots kept busy on average. */
export const LOAD_SLOTS = 5;

/** Workers of one slot that a machine of two cores bears. */
export const WORKERS_MAX = 15;

/** Busiest minute to mean of a slice: more would be cut off by `WORKERS_MAX` and say nothing of the law. */
const PEAK_MAX = WORKERS_MAX / LOAD_SLOTS;

const CELL_MS = 60_000;

/** A slice with fewer jobs than this says nothing. */
const JOBS_MIN = 30;

/** The seed of what a trace does not say: arrivals within a bin, durations, which jobs are left out. */
const SEED = 5;

export interface Slice extends Workload {
  readonly name: string;
  /** What was taken, in a few words. */
  readonly source: string;
}

export interface SliceTerms {
  readonly name: string;
  readonly spanMs: number;
}

/** @throws {Error} when no window of the trace can be replayed. */
export function sliceOf(trace: Trace, terms: SliceTerms): Slice {
  return trace.kind === "counts" ? countSlice(trace, terms) : requestSlice(trace, terms);
}

/** Everything `factor` times as fast. */
export function compressed(slice: Slice, factor: number): Slice {
  return {
    ...slice,
    arrivalsMs: slice.arrivalsMs.map((ms) => ms / factor),
    serviceMs: slice.serviceMs.map((ms) => ms / factor),
    horizonMs: slice.horizonMs / factor,
  };
}

/** Slots kept busy on average. */
export function loadOf({ serviceMs, horizonMs }: Workload): number {
  return serviceMs.reduce((sum, ms) => sum + ms, 0) / horizonMs;
}

function countSlice({ counts, binMs }: CountTrace, { name, spanMs }: SliceTerms): Slice {
  const bins = Math.min(counts.length, Math.max(1, Math.round(spanMs / binMs)));
  const first = mostUneven(counts, bins, name);
  const window = counts.slice(first, first + bins);
  const horizonMs = Math.min(spanMs, bins * binMs);
  const total = window.reduce((sum, count) => sum + count, 0);
  const { serviceMeanMs, serviceScv } = WORKLOAD_DEFAULTS;
  const perCount = (LOAD_SLOTS * bins * binMs) / serviceMeanMs / total;

  const random = randomFrom(SEED, "arrivals");
  const arrivals = [...window].flatMap((count, bin) =>
    Array.from({ length: random.poisson(count * perCount) }, () => (bin + random.next()) * binMs),
  );
  const arrivalsMs = Float64Array.from(arrivals)
    .sort()
    .filter((ms) => ms < horizonMs);
  const durations = randomFrom(SEED, "durations");
  const serviceMs = arrivalsMs.map(() => lognormal(durations, serviceMeanMs, serviceScv));
  const source = `counts in ${binMs / 1_000} s, bins ${first} to ${first + bins - 1}, scaled to ${LOAD_SLOTS} slots`;
  return { name, source, arrivalsMs, serviceMs, horizonMs };
}

function requestSlice(trace: RequestTrace, { name, spanMs }: SliceTerms): Slice {
  const { arrivalsMs } = trace;
  const { serviceMeanMs, serviceScv } = WORKLOAD_DEFAULTS;
  const durations = randomFrom(SEED, "durations");
  const serviceMs = trace.serviceMs ?? arrivalsMs.map(() => lognormal(durations, serviceMeanMs, serviceScv));
  const lengthMs = arrivalsMs.at(-1) ?? 0;
  const cells = new Float64Array(Math.floor(lengthMs / CELL_MS) + 1);
  for (const [job, atMs] of arrivalsMs.entries()) {
    const cell = Math.floor(atMs / CELL_MS);
    cells[cell] = (cells[cell] ?? 0) + (serviceMs[job] ?? 0);
  }
  const span = Math.min(cells.length, Math.max(1, Math.round(spanMs / CELL_MS)));
  const first = mostUneven(cells, span, name);
  const fromMs = first * CELL_MS;
  const horizonMs = Math.min(spanMs, span * CELL_MS);
  const within = [...arrivalsMs.keys()].filter((job) => {
    const atMs = arrivalsMs[job] ?? 0;
    return atMs >= fromMs && atMs < fromMs + horizonMs;
  });
  const load = within.reduce((sum, job) => sum + (serviceMs[job] ?? 0), 0) / horizonMs;
  const share = Math.min(1, LOAD_SLOTS / load);
  const random = randomFrom(SEED, "thinning");
  const kept = share === 1 ? within : within.filter(() => random.next() < share);
  requireJobs(kept.length, name);
  return {
    name,
    source: `requests from minute ${first} on, ${Math.round(share * 100)} % of them kept`,
    arrivalsMs: Float64Array.from(kept, (job) => (arrivalsMs[job] ?? 0) - fromMs),
    serviceMs: Float64Array.from(kept, (job) => serviceMs[job] ?? 0),
    horizonMs,
  };
}

/** First cell of the window with the largest spread whose peak can be run. */
function mostUneven(cells: Float64Array, length: number, name: string): number {
  let best = { spread: -1, first: -1 };
  for (let first = 0; first + length <= cells.length; first += 1) {
    const window = cells.subarray(first, first + length);
    const mean = window.reduce((sum, it) => sum + it, 0) / length;
    if (mean === 0 || window.some((it) => it > PEAK_MAX * mean)) continue;
    const spread = Math.sqrt(window.reduce((sum, it) => sum + (it - mean) ** 2, 0) / length) / mean;
    if (spread > best.spread) best = { spread, first };
  }
  if (best.first >= 0) return best.first;
  throw new Error(
    `${name}: no window of it has a peak of at most ${PEAK_MAX} times its mean; name another trace`,
  );
}

function requireJobs(jobs: number, name: string): void {
  if (jobs < JOBS_MIN)
    throw new Error(`${name}: only ${jobs} jobs in the slice, at least ${JOBS_MIN} are needed`);
}
