/**
 * How much will come to a lane by the time that a worker ordered now could take it, and how good such forecasts were.
 *
 * Pure. It counts by the minute and keeps two numbers of the past, a level and a trend, and how far off the forecasts of
 * the last hour were; whether they are worth believing is decide-forecast.ts's matter. Each forecast has an opponent,
 * that what the law takes the rate to be will last, and both are held against what came.
 *
 * Exponential smoothing with a damped trend: Holt, 1957; damped by Gardner and McKenzie, 1985; in the form of Hyndman and
 * Athanasopoulos, "Forecasting: Principles and Practice", 3rd edition, section 8.2. Undamped, a trend runs away.
 */

const MINUTE_MS = 60_000;

/** Of a minute later than this nobody knows how it went between: what was forecast for it is not judged. */
const GAP_MS = 120_000;

/** After so long without a look level and trend are of another time. */
const FORGET_MS = 600_000;

/** Level, trend and damping by the minute: what is ten minutes old has faded. */
const ALPHA = 0.5;
const BETA = 0.2;
const PHI = 0.9;

/** A horizon beyond that is a forecast of the day, not of a trend. */
export const HORIZON_MINUTES_MAX = 15;

/** An hour. */
export const COMPARED_MAX = 60;

/** `[minutes until it is due, jobs forecast, jobs if nothing changes]`, jobs a minute. */
export type PendingForecast = readonly [dueIn: number, forecast: number, persistence: number];

/** `[how far off the forecast was, how far off its opponent]`, jobs a minute. */
export type ForecastErrors = readonly [forecast: number, persistence: number];

/** Plain JSON, bounded. It changes once a minute. */
export interface ForecastState {
  /** When the minute that is counted now began. */
  readonly minuteAtMs: number;
  /** The lane's counter then. */
  readonly arrivedTotal: number;
  /** Minutes counted, no further than to two. */
  readonly minutes: number;
  /** Jobs a minute. */
  readonly level: number;
  /** Jobs a minute more with each minute. */
  readonly trend: number;
  /** Oldest first. */
  readonly pending: readonly PendingForecast[];
  /** Oldest first. */
  readonly errors: readonly ForecastErrors[];
  /** Of `errors`: it is asked for at each look. */
  readonly score: ForecastScore;
  /** Whether forecasts have earned that they are applied: `isForecastTrusted`. */
  readonly trusted: boolean;
}

export interface ForecastReading {
  readonly nowMs: number;
  /** Jobs accepted ever. `null`: not known. */
  readonly arrivedTotal: number | null;
  /** What the law takes the arrival rate to be: the opponent says that it lasts. `null`: what came in this minute does. */
  readonly ratePerSec: number | null;
  /** From the order of a worker to the look after it is up, in milliseconds. */
  readonly horizonMs: number;
}

/** Mean absolute errors over at most the last hour; `null` while nothing was compared. */
export interface ForecastScore {
  readonly comparedMinutes: number;
  /** Jobs a minute. */
  readonly error: number | null;
  readonly persistenceError: number | null;
}

/** The state after one more reading; begins anew when the counter went back or nobody looked for ten minutes. */
export function followForecast(
  previous: ForecastState | null,
  reading: ForecastReading,
): ForecastState | null {
  const { nowMs, arrivedTotal } = reading;
  if (arrivedTotal === null) return previous;
  const elapsedMs = nowMs - (previous?.minuteAtMs ?? nowMs);
  const jobs = arrivedTotal - (previous?.arrivedTotal ?? arrivedTotal);
  const isLost = elapsedMs < 0 || elapsedMs > FORGET_MS || jobs < 0;
  if (previous === null || isLost) return { ...NOTHING_YET, minuteAtMs: nowMs, arrivedTotal };
  if (elapsedMs < MINUTE_MS) return previous;

  const perMinute = (jobs * MINUTE_MS) / elapsedMs;
  const pending = elapsedMs > GAP_MS ? [] : previous.pending;
  const due = pending.filter(([dueIn]) => dueIn <= 1);
  const compared = due.map(
    ([, forecast, persistence]): ForecastErrors => [
      rounded(Math.abs(forecast - perMinute)),
      rounded(Math.abs(persistence - perMinute)),
    ],
  );
  const errors = [...previous.errors, ...compared].slice(-COMPARED_MAX);
  const after: ForecastState = {
    ...previous,
    ...smoothed(previous, perMinute),
    minuteAtMs: nowMs,
    arrivedTotal,
    minutes: Math.min(previous.minutes + 1, 2),
    errors,
    score: scoreOf(errors),
    pending: pending.filter(([dueIn]) => dueIn > 1).map(([dueIn, ...its]) => [dueIn - 1, ...its]),
  };
  const forecast = forecastPerMinute(after, reading.horizonMs);
  if (forecast === null) return after;
  const persistence = reading.ratePerSec === null ? perMinute : reading.ratePerSec * 60;
  const next: PendingForecast = [minutesOf(reading.horizonMs), rounded(forecast), rounded(persistence)];
  return { ...after, pending: [...after.pending, next].slice(-HORIZON_MINUTES_MAX) };
}

/** Jobs a minute that should come one horizon from now, >= 0; `null` before a trend could show. */
export function forecastPerMinute(
  state: Pick<ForecastState, "level" | "trend" | "minutes">,
  horizonMs: number,
): number | null {
  if (state.minutes < 2) return null;
  // phi + phi^2 + ... + phi^h.
  const damped = (PHI * (1 - PHI ** minutesOf(horizonMs))) / (1 - PHI);
  return Math.max(0, state.level + damped * state.trend);
}

function scoreOf(errors: readonly ForecastErrors[]): ForecastScore {
  if (errors.length === 0) return NO_SCORE;
  let [error, persistence] = [0, 0];
  for (const [own, opponents] of errors) {
    error += own;
    persistence += opponents;
  }
  const comparedMinutes = errors.length;
  return {
    comparedMinutes,
    error: error / comparedMinutes,
    persistenceError: persistence / comparedMinutes,
  };
}

const NO_SCORE: ForecastScore = { comparedMinutes: 0, error: null, persistenceError: null };

const NOTHING_YET = {
  minutes: 0,
  level: 0,
  trend: 0,
  pending: [],
  errors: [],
  score: NO_SCORE,
  trusted: false,
} as const;

function smoothed({ level, trend, minutes }: ForecastState, perMinute: number) {
  if (minutes === 0) return { level: perMinute, trend: 0 };
  const expected = level + PHI * trend;
  const newLevel = ALPHA * perMinute + (1 - ALPHA) * expected;
  return { level: newLevel, trend: BETA * (newLevel - level) + (1 - BETA) * PHI * trend };
}

function minutesOf(horizonMs: number): number {
  return Math.min(Math.max(Math.ceil(horizonMs / MINUTE_MS), 1), HORIZON_MINUTES_MAX);
}

/** The state is stored: three digits behind the point are more than anybody counts. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
