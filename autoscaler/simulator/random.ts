/**
 * Numbers that look random and come from a seed: the same seed gives the same run on every machine.
 *
 * Not for secrets. A simulation draws arrivals, durations, start delays and victims from streams of their
 * own, so that two policies under one seed meet the same jobs whatever else they draw.
 */

export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** Normal, mean 0, standard deviation 1. */
  normal(): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Poisson with this mean, >= 0. */
  poisson(mean: number): number;
}

/** Above this a Poisson number is drawn as a rounded normal one; the error is far below one in a thousand. */
const POISSON_EXACT_MAX = 400;

/** The generator sfc32 (Chris Doty-Humphrey, PractRand), seeded by a hash of `seed` and `stream`. */
export function randomFrom(seed: number, stream: string): Random {
  const state = seedWords(`${seed}/${stream}`);
  const next = () => sfc32(state) / 0x1_0000_0000;
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next();

  const exponential = () => -Math.log(1 - next());
  const normal = () => Math.sqrt(2 * exponential()) * Math.cos(2 * Math.PI * next());
  return {
    next,
    normal,
    exponential,
    poisson: (mean) =>
      mean > POISSON_EXACT_MAX
        ? Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
        : poissonByGaps(mean, exponential),
  };
}

/** A lognormal number with this mean and squared coefficient of variation. */
export function lognormal(random: Random, mean: number, scv: number): number {
  const variance = Math.log(1 + scv);
  return mean * Math.exp(Math.sqrt(variance) * random.normal() - variance / 2);
}

/** Arrivals of a process of rate 1 within `mean`. */
function poissonByGaps(mean: number, exponential: () => number): number {
  let count = 0;
  for (let at = exponential(); at < mean; at += exponential()) count += 1;
  return count;
}

function sfc32(state: Uint32Array): number {
  const [a = 0, b = 0, c = 0, counter = 0] = state;
  const sum = (a + b + counter) >>> 0;
  state[3] = counter + 1;
  state[0] = b ^ (b >>> 9);
  state[1] = c + (c << 3);
  state[2] = ((c << 21) | (c >>> 11)) + sum;
  return sum;
}

/** FNV-1a over the text, once for each word of state. */
function seedWords(text: string): Uint32Array {
  return Uint32Array.from([1, 2, 3, 4], (word) => {
    let hash = 0x811c9dc5 ^ word;
    for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
    return hash;
  });
}
