/**
 * How likely it is that so many of all failures fall on one part by chance alone.
 *
 * Pure. The upper tail of the hypergeometric distribution, which is Fisher's exact test, one-sided (Fisher, The Design
 * of Experiments, 1935): what rate all have in common need not be known. It holds for one look.
 */
import { logGamma, type Share } from "./estimate-bounds.ts";

/** Smaller terms than this share of the sum change nothing that is looked at. */
const NEGLIGIBLE = 1e-12;

/**
 * The chance, 0 to 1, that of `all.hits` hits dealt at random over `all.trials` at least `part.hits` fall on the
 * `part.trials` of them.
 */
export function chanceOfSoMany(part: Share, all: Share): number {
  const most = Math.min(part.trials, all.hits);
  const expected = all.trials === 0 ? 0 : (part.trials * all.hits) / all.trials;
  let chance = 0;
  for (let hits = part.hits; hits <= most; hits += 1) {
    const term = Math.exp(
      logChoose(part.trials, hits) +
        logChoose(all.trials - part.trials, all.hits - hits) -
        logChoose(all.trials, all.hits),
    );
    chance += term;
    if (hits > expected && term < chance * NEGLIGIBLE) break;
  }
  return Math.min(chance, 1);
}

/** The logarithm of the number of ways to choose `k` of `n`. */
function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
