/**
 * A mean that forgets: the exponentially weighted moving average behind the other estimates.
 *
 * Pure. It does not know what it averages or how old the samples are; the caller turns evidence
 * (jobs finished, time passed) into a gain.
 *
 * A plain moving average that starts from its first sample gives that sample far too much say.
 * This one also keeps how much evidence it holds and divides by it, so that young estimates are
 * plain means and old ones forget at the given gain (the zero-bias correction of Kingma and Ba,
 * "Adam", 2015, section 3).
 */

export interface MeanEstimate {
  /** In the unit of the samples. */
  readonly mean: number;
  /** Evidence held, 0 to 1: the share of the window that has been seen. */
  readonly weight: number;
}

export interface MeanSample {
  readonly value: number;
  /** The share of a full window that this sample is, above 0 and up to 1. */
  readonly gain: number;
  /**
   * Less evidence than this is read as this much, with zeroes for the part not seen: keeps a sample of
   * a few milliseconds from being taken for a rate.
   * @default 0
   */
  readonly weightMin?: number;
}

/** The estimate after one more sample. `previous` is `null` before the first one. */
export function estimateMean(previous: MeanEstimate | null, sample: MeanSample): MeanEstimate {
  const { value, gain, weightMin = 0 } = sample;
  const kept = 1 - gain;
  const before = previous ?? { mean: 0, weight: 0 };

  const sum = before.mean * Math.max(before.weight, weightMin) * kept + value * gain;
  const weight = before.weight * kept + gain;
  return { mean: sum / Math.max(weight, weightMin), weight };
}

/** The share of a window of `window` that `amount` of evidence is: 1 - exp(-amount / window). */
export function gainOf(amount: number, window: number): number {
  // expm1 keeps its digits where amount is a tiny part of the window.
  return -Math.expm1(-amount / window);
}
