/**
 * What is known of one column after each of its values, in bounded memory.
 *
 * A column holds numbers until its first value that is none; then it holds text. Both tallies are
 * kept as long as both are possible, so that no value has to be read twice. Empty values are counted
 * and belong to neither.
 */
import { createHash } from "node:crypto";
import { percentile, Reservoir } from "./reservoir.ts";

/** Values of a numeric column kept for its percentiles; beyond, they come from a sample this large. */
export const PERCENTILE_VALUES_MAX = 100_000;
/** Different values of a text column that are told apart; beyond, `distinct` is a lower bound. */
export const DISTINCT_MAX = 1_000;
/** Characters of a text column's `min` and `max` that are shown. */
const SHOWN_CHARS_MAX = 40;

export type ColumnSummary = NumberSummary | TextSummary;

export interface NumberSummary {
  readonly kind: "number";
  /** Values that are not empty, at least one. */
  readonly count: number;
  readonly empty: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  /** "exact": of all values. "sampled": of a random sample of 100,000 of them. */
  readonly percentiles: "exact" | "sampled";
}

export interface TextSummary {
  readonly kind: "text";
  /** Values that are not empty. */
  readonly count: number;
  readonly empty: number;
  /** Different values; when `distinctIsExact` is false there are more than this. */
  readonly distinct: number;
  readonly distinctIsExact: boolean;
  /** First and last in code unit order, cut after 40 characters; `null` when every value is empty. */
  readonly min: string | null;
  readonly max: string | null;
}

export class ColumnTally {
  readonly #text = new TextTally();
  #numbers: NumberTally | null;
  #empty = 0;

  /** @param seed Of the sample; give each column its own. */
  constructor(seed: number) {
    this.#numbers = new NumberTally(seed);
  }

  add(value: string): void {
    if (value === "") {
      this.#empty += 1;
      return;
    }
    this.#text.add(value);
    if (this.#numbers === null) return;
    const number = parseNumber(value);
    if (number === null) this.#numbers = null;
    else this.#numbers.add(number);
  }

  summary(): ColumnSummary {
    const numbers = this.#numbers?.summary(this.#empty) ?? null;
    return numbers ?? this.#text.summary(this.#empty);
  }
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** Longer and larger ones are taken for text: identifiers, or numbers whose sum could overflow. */
const DECIMAL_CHARS_MAX = 40;
const MAGNITUDE_MAX = 1e290;

function parseNumber(value: string): number | null {
  if (value.length > DECIMAL_CHARS_MAX || !DECIMAL.test(value)) return null;
  const number = Number(value);
  return Math.abs(number) <= MAGNITUDE_MAX ? number : null;
}

class NumberTally {
  readonly #reservoir: Reservoir;
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  /** Neumaier's sum: what each addition rounds away is kept and added at the end. */
  #sum = 0;
  #lost = 0;

  constructor(seed: number) {
    this.#reservoir = new Reservoir(PERCENTILE_VALUES_MAX, seed);
  }

  add(value: number): void {
    this.#count += 1;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    const sum = this.#sum + value;
    const [large, small] = Math.abs(this.#sum) >= Math.abs(value) ? [this.#sum, value] : [value, this.#sum];
    this.#lost += large - sum + small;
    this.#sum = sum;
    this.#reservoir.add(value);
  }

  /** `null` when there was no number. */
  summary(empty: number): NumberSummary | null {
    if (this.#count === 0) return null;
    const sorted = this.#reservoir.sorted();
    return {
      kind: "number",
      count: this.#count,
      empty,
      mean: (this.#sum + this.#lost) / this.#count,
      min: this.#min,
      max: this.#max,
      p50: percentile(sorted, 0.5),
      p90: percentile(sorted, 0.9),
      p99: percentile(sorted, 0.99),
      percentiles: this.#reservoir.isComplete ? "exact" : "sampled",
    };
  }
}

class TextTally {
  readonly #distinct = new Set<string>();
  #count = 0;
  #distinctIsExact = true;
  #min: string | null = null;
  #max: string | null = null;

  add(value: string): void {
    this.#count += 1;
    // Cutting keeps the order, so the cut of the smallest is the smallest of the cuts.
    const shown = value.slice(0, SHOWN_CHARS_MAX);
    if (this.#min === null || shown < this.#min) this.#min = shown;
    if (this.#max === null || shown > this.#max) this.#max = shown;
    this.#remember(value);
  }

  #remember(value: string): void {
    if (!this.#distinctIsExact) return;
    const key = keyOf(value);
    if (this.#distinct.size < DISTINCT_MAX) this.#distinct.add(key);
    else this.#distinctIsExact = this.#distinct.has(key);
  }

  summary(empty: number): TextSummary {
    return {
      kind: "text",
      count: this.#count,
      empty,
      distinct: this.#distinct.size,
      distinctIsExact: this.#distinctIsExact,
      min: this.#min,
      max: this.#max,
    };
  }
}

/** A long value is remembered by its digest (43 characters), so that a thousand of them stay small. */
function keyOf(value: string): string {
  return value.length <= SHOWN_CHARS_MAX ? value : createHash("sha256").update(value).digest("base64url");
}
