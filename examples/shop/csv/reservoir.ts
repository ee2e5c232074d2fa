/**
 * The values percentiles are taken from: all of them while they fit, a fair sample of them after that.
 *
 * Algorithm R (Vitter, "Random Sampling with a Reservoir", 1985): the n-th value gets in with the
 * chance capacity / n and takes the place of a random one, so each value seen is kept with the same
 * chance. The dice are seeded: the same values in the same order give the same sample, and a job that
 * runs twice gives the same result twice.
 */
export class Reservoir {
  readonly #capacity: number;
  readonly #random: () => number;
  readonly #kept: number[] = [];
  #seen = 0;

  constructor(capacity: number, seed: number) {
    this.#capacity = capacity;
    this.#random = seededRandom(seed);
  }

  add(value: number): void {
    this.#seen += 1;
    if (this.#kept.length < this.#capacity) {
      this.#kept.push(value);
      return;
    }
    const place = Math.floor(this.#random() * this.#seen);
    if (place < this.#capacity) this.#kept[place] = value;
  }

  /** Whether every value seen is kept. */
  get isComplete(): boolean {
    return this.#seen === this.#kept.length;
  }

  /** What is kept, ascending. */
  sorted(): Float64Array {
    return Float64Array.from(this.#kept).sort();
  }
}

/**
 * The value below which `share` (0 to 1) of `sorted` lies, linear between neighbours: what a
 * spreadsheet's PERCENTILE and NumPy's default give. `sorted` is ascending and not empty.
 */
export function percentile(sorted: Float64Array, share: number): number {
  const rank = share * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? Number.NaN;
  const above = sorted[Math.ceil(rank)] ?? Number.NaN;
  return below + (above - below) * (rank % 1);
}

/** Mulberry32: numbers from 0 up to 1, 32 bits each; good for sampling, not for secrets. */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
