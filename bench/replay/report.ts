/** Sets real runs beside simulated ones, judges them, and writes both down. Pure. */
import type { Measures } from "./measures.ts";

/** The simulator may be off by this much: of the worker-seconds, and in percentage points of missed jobs. */
const WORKER_SECONDS_OFF_MAX = 0.15;
const MISSES_OFF_MAX = 1;

export interface Band {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

export type Bands = Readonly<Record<keyof Measures, Band>>;

export interface Comparison {
  readonly slice: string;
  readonly source: string;
  readonly runs: number;
  readonly real: Bands;
  readonly simulated: Bands;
  readonly startDelayMs: Band;
  readonly betweenJobsMs: Band;
  readonly loadAverage: Band;
  readonly sentLateMs: Band;
  /** Simulated to real, minus 1. */
  readonly workerSecondsOff: number;
  /** Simulated minus real. */
  readonly missesOff: number;
  readonly workerSecondsAgree: boolean;
  readonly missesAgree: boolean;
  /** Nothing was lost or killed, nor done twice. */
  readonly isClean: boolean;
}

export interface Compared {
  readonly slice: string;
  readonly source: string;
  readonly real: readonly Measures[];
  readonly simulated: readonly Measures[];
  readonly startDelaysMs: readonly number[];
  readonly betweenJobsMs: readonly number[];
  readonly loadAverages: readonly number[];
  readonly sentLateMs: readonly number[];
}

export function compare({ slice, source, ...runs }: Compared): Comparison {
  const real = bandsOf(runs.real);
  const simulated = bandsOf(runs.simulated);
  const workerSecondsOff = simulated.workerSeconds.mean / real.workerSeconds.mean - 1;
  const missesOff = simulated.missesPercent.mean - real.missesPercent.mean;
  return {
    slice,
    source,
    runs: runs.real.length,
    real,
    simulated,
    startDelayMs: bandOf(runs.startDelaysMs),
    betweenJobsMs: bandOf(runs.betweenJobsMs),
    loadAverage: bandOf(runs.loadAverages),
    sentLateMs: bandOf(runs.sentLateMs),
    workerSecondsOff,
    missesOff,
    workerSecondsAgree: Math.abs(workerSecondsOff) <= WORKER_SECONDS_OFF_MAX,
    missesAgree: Math.abs(missesOff) <= MISSES_OFF_MAX,
    isClean: real.killedRuns.max + real.lostJobs.max + real.duplicatedJobs.max === 0,
  };
}

const ROWS: readonly (readonly [keyof Measures, string, number])[] = [
  ["workerSeconds", "worker-seconds", 0],
  ["missesPercent", "missed, %", 2],
  ["pickupP50Ms", "pickup p50, ms", 0],
  ["pickupP95Ms", "pickup p95, ms", 0],
  ["processesPeak", "processes at most", 1],
  ["workersStarted", "workers started", 1],
  ["killedRuns", "runs killed", 0],
  ["lostJobs", "jobs lost", 0],
  ["duplicatedJobs", "jobs done twice", 0],
];

export function render(comparison: Comparison): string {
  const { slice, source, real, simulated, runs } = comparison;
  const rows = ROWS.map(([key, label, digits]) =>
    [label.padEnd(18), band(real[key], digits).padStart(28), band(simulated[key], digits).padStart(28)].join(
      "",
    ),
  );
  return [
    `${slice}: ${real.jobs.mean} jobs (${source}), ${runs} real ${runs === 1 ? "run" : "runs"}; mean (min - max)`,
    `  workers ready after ${band(comparison.startDelayMs, 0)} ms; ${band(comparison.betweenJobsMs, 0)} ms between jobs; ` +
      `load average ${band(comparison.loadAverage, 1)}; latest post ${band(comparison.sentLateMs, 0)} ms late`,
    `  ${"".padEnd(18)}${"real".padStart(28)}${"simulated".padStart(28)}`,
    ...rows.map((row) => `  ${row}`),
    `  worker-seconds ${signed(100 * comparison.workerSecondsOff)} %: ${verdict(comparison.workerSecondsAgree)} (at most 15 %)`,
    `  missed ${signed(comparison.missesOff)} points: ${verdict(comparison.missesAgree)} (at most 1 point)`,
    `  nothing lost, killed or done twice: ${comparison.isClean ? "yes" : "NO"}`,
  ].join("\n");
}

export function bandOf(values: readonly number[]): Band {
  const mean = values.reduce((sum, it) => sum + it, 0) / values.length;
  return { mean, min: Math.min(...values), max: Math.max(...values) };
}

function bandsOf(measures: readonly Measures[]): Bands {
  const keys = Object.keys(measures[0] ?? {}) as (keyof Measures)[];
  const bands = keys.map((key) => [key, bandOf(measures.map((it) => it[key]))] as const);
  return Object.fromEntries(bands) as Bands;
}

function band({ mean, min, max }: Band, digits: number): string {
  const text = (value: number) => (Number.isFinite(value) ? value.toFixed(digits) : "never");
  return min === max ? text(mean) : `${text(mean)} (${text(min)} - ${text(max)})`;
}

function signed(value: number): string {
  return `${value >= 0 ? "+" : ""}${value.toFixed(2)}`;
}

function verdict(agrees: boolean): string {
  return agrees ? "agrees" : "DOES NOT AGREE";
}
