/** Choices drawn from a seed, for generators that need thousands of them: quicker than an arbitrary each. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1. Tommy Ettinger's mulberry32, which is in the public domain. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined && items.length === 0) throw new Error("there is nothing to pick");
    return item as Item;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  list<Item>(make: () => Item, min: number, max: number): Item[] {
    return Array.from({ length: min + this.below(max - min + 1) }, make);
  }

  /** Each entry with a chance of its own, in the order given. */
  someOf(entries: Record<string, readonly [chance: number, make: () => unknown]>): Record<string, unknown> {
    const kept = Object.entries(entries).filter(([, [chance]]) => this.chance(chance));
    return Object.fromEntries(kept.map(([key, [, make]]) => [key, make()]));
  }
}
