/** Means with their 95 % confidence intervals. Pure. */

export interface Interval {
  readonly mean: number;
  /** Half of the width of the interval; `null` for a single value. */
  readonly ci95: number | null;
}

/** The two-sided 95 % quantile of Student's t by degrees of freedom, from 1; beyond the table 1.96 and a little. */
const STUDENT_T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** @throws {RangeError} when there is no value. */
export function intervalOf(values: readonly number[]): Interval {
  if (values.length === 0) throw new RangeError("there is no mean of nothing");
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, ci95: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const t = STUDENT_T[values.length - 2] ?? 1.96 + 2.4 / (values.length - 1);
  return { mean, ci95: t * Math.sqrt(variance / values.length) };
}

/** @throws {RangeError} when there is no value. */
export function geometricMean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("there is no mean of nothing");
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
