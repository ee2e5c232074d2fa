/**
 * The jobs of one run: when each comes, and how long it holds a slot.
 *
 * A trace of counts says how many came in each bin: they are scaled to a load, spread within their bins as a
 * Poisson process spreads them, and get drawn durations. A trace of requests is taken as it is.
 */
import { lognormal, randomFrom } from "./random.ts";
import type { CountTrace, Trace } from "./trace-model.ts";

export interface Workload {
  /** Ascending, from the beginning of the run, >= 0. */
  readonly arrivalsMs: Float64Array;
  /** How long each job holds a slot, in the order of arrival, > 0. */
  readonly serviceMs: Float64Array;
  /** What is paid for ends here. */
  readonly horizonMs: number;
}

export interface WorkloadTerms {
  readonly seed: number;
  /** Traces without durations: their mean. */
  readonly serviceMeanMs: number;
  /** Traces without durations: their squared coefficient of variation. */
  readonly serviceScv: number;
  /** Traces of counts: slots kept busy on average. `null`: the counts as they are. */
  readonly loadSlots: number | null;
}

/** The one setting of the benchmark for what a trace does not say. */
export const WORKLOAD_DEFAULTS = { serviceMeanMs: 30_000, serviceScv: 1, loadSlots: 20 } as const;

/** Ends after the last arrival; a window that long has at least one bin. */
const HORIZON_MS_MIN = 60_000;

export function workloadOf(trace: Trace, terms: WorkloadTerms): Workload {
  if (trace.kind === "counts") return fromCounts(trace, terms);
  const { arrivalsMs } = trace;
  const serviceMs = trace.serviceMs ?? drawnDurations(arrivalsMs.length, terms);
  const lastMs = arrivalsMs.at(-1) ?? 0;
  return { arrivalsMs, serviceMs, horizonMs: Math.max(lastMs + 1, HORIZON_MS_MIN) };
}

function fromCounts({ counts, binMs }: CountTrace, terms: WorkloadTerms): Workload {
  const random = randomFrom(terms.seed, "arrivals");
  const total = counts.reduce((sum, count) => sum + count, 0);
  const spanMs = counts.length * binMs;
  const wanted = terms.loadSlots === null ? total : (terms.loadSlots * spanMs) / terms.serviceMeanMs;
  const scale = total === 0 ? 0 : wanted / total;

  const arrivals: number[] = [];
  for (const [bin, count] of counts.entries()) {
    const jobs = random.poisson(count * scale);
    for (let job = 0; job < jobs; job += 1) arrivals.push((bin + random.next()) * binMs);
  }
  const arrivalsMs = Float64Array.from(arrivals).sort();
  return { arrivalsMs, serviceMs: drawnDurations(arrivals.length, terms), horizonMs: spanMs };
}

function drawnDurations(jobs: number, { seed, serviceMeanMs, serviceScv }: WorkloadTerms): Float64Array {
  const random = randomFrom(seed, "durations");
  return Float64Array.from({ length: jobs }, () => lognormal(random, serviceMeanMs, serviceScv));
}
