/**
 * How low and how high a rate may be, given what was counted, looked at as often as one likes.
 *
 * Pure. The bounds hold at all looks together with the stated error rate, so a test on them may stop at any moment:
 * for counts X with rate p the ratio M(p) = (likelihood averaged over a prior) / (likelihood at p) is a
 * martingale of mean 1 at the true p, which ever reaches 1/error with a chance of at most `error` (Ville, 1939). The
 * set of p with M(p) < 1/error is therefore a confidence sequence (Robbins, 1970; Howard, Ramdas, McAuliffe and
 * Sekhon, Annals of Statistics 49, 2021, who treat the conjugate mixtures used here). With the prior at one point
 * it would be Wald's sequential probability ratio test (1945), whose bad rate one has to know beforehand.
 *
 * Counts must be independent and of one rate; counts that come in clumps have to be thinned by the caller.
 */

/** Of `trials`, `hits`. */
export interface Share {
  readonly hits: number;
  readonly trials: number;
}

/** Jeffreys' prior, Beta(1/2, 1/2): costs about half a logarithm of the trials at any rate. */
const PRIOR = 0.5;

/** Gamma(1/2, 1/2), the same idea for counts without an upper end. */
const PRIOR_RATE = 0.5;

const BISECTIONS = 40;

export function rateOf({ hits, trials }: Share): number {
  return trials === 0 ? 0 : hits / trials;
}

/** Whether the evidence excludes that the rate is `rate` or less. */
export function isAbove(share: Share, rate: number, error: number): boolean {
  return rateOf(share) > rate && logMixtureRatio(share, rate) >= -Math.log(error);
}

/** Whether the evidence excludes that the rate is `rate` or more. */
export function isBelow(share: Share, rate: number, error: number): boolean {
  return rateOf(share) < rate && logMixtureRatio(share, rate) >= -Math.log(error);
}

/** The lowest rate that the evidence allows: 0 without trials. */
export function lowestRate(share: Share, error: number): number {
  if (share.hits <= 0) return 0;
  return bisect(0, rateOf(share), (rate) => !isAbove(share, rate, error));
}

/** The highest rate that the evidence allows: 1 without trials. */
export function highestRate(share: Share, error: number): number {
  if (share.hits >= share.trials) return 1;
  return bisect(rateOf(share), 1, (rate) => isBelow(share, rate, error));
}

/** The lowest mean number of events a trial that the evidence allows, for events that come one by one (Poisson). */
export function lowestMean({ hits, trials }: Share, error: number): number {
  if (hits <= 0 || trials <= 0) return 0;
  const averaged =
    PRIOR_RATE * Math.log(PRIOR_RATE) -
    logGamma(PRIOR_RATE) +
    logGamma(hits + PRIOR_RATE) -
    (hits + PRIOR_RATE) * Math.log(trials + PRIOR_RATE);
  const limit = -Math.log(error);
  return bisect(0, hits / trials, (mean) => averaged - hits * Math.log(mean) + trials * mean < limit);
}

/** log M(rate) for a Beta prior: B(hits + a, misses + a) / B(a, a) over rate^hits (1 - rate)^misses. */
function logMixtureRatio({ hits, trials }: Share, rate: number): number {
  if (trials <= 0) return 0;
  const misses = Math.max(trials - hits, 0);
  const averaged =
    logGamma(hits + PRIOR) + logGamma(misses + PRIOR) - logGamma(trials + 2 * PRIOR) - Math.log(Math.PI);
  return averaged - times(hits, Math.log(rate)) - times(misses, Math.log1p(-rate));
}

/** 0 x log 0 is 0 here. */
function times(counted: number, logarithm: number): number {
  return counted === 0 ? 0 : counted * logarithm;
}

/** Where `isUp` turns from false to true between `low` and `high`. */
function bisect(low: number, high: number, isUp: (value: number) => boolean): number {
  let [below, above] = [low, high];
  for (let left = BISECTIONS; left > 0; left -= 1) {
    const middle = (below + above) / 2;
    if (isUp(middle)) above = middle;
    else below = middle;
  }
  return (below + above) / 2;
}

/** Stirling's series after shifting the argument up; relative error below 1e-10 for x > 0. */
export function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 8) {
    product *= shifted;
    shifted += 1;
  }
  const inverse = 1 / (shifted * shifted);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / shifted;
  return (
    (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product)
  );
}
