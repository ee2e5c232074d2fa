/** Random numbers and texts of one way to obey a schema; rarely some that do not obey it. */
import fc from "fast-check";
import { accepts } from "./accepts.ts";
import { type Alternative, typesOf } from "./alternatives.ts";
import { commonStep, times } from "./decimals.ts";
import { examplesOf, randomTextOf } from "./format-examples.ts";
import { type NumberRange, numberRangeOf } from "./number-values.ts";
import { stringsOfPattern } from "./strings-of-pattern.ts";

/** Characters above the smallest length allowed. */
const EXTRA_CHARACTERS = 20;
/** Longer text than this is not made at random. */
const LENGTH_MAX = 5_000;
/** Doubles beyond this are written with an exponent, and no wire field means them. */
const DOUBLE_MAX = 1e21;

const LETTER = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz");
/** Made of one and of two half pairs. fast-check's own unit of this kind lists all of them at every use. */
const CHARACTER = fc
  .oneof(fc.integer({ min: 1, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10_ffff }))
  .map((point) => String.fromCodePoint(point));

/** `null` where no number is in range. */
export function randomNumbers(alternative: Alternative): fc.Arbitrary<number> | null {
  const range = numberRangeOf(alternative);
  const isWhole = !typesOf(alternative).includes("number");
  const step = isWhole ? commonStep([1, ...(range.step === null ? [] : [range.step])]) : range.step;
  if (step !== null) return multiplesIn(range, step);
  const [min, max] = [Math.max(range.min, -DOUBLE_MAX), Math.min(range.max, DOUBLE_MAX)];
  if (min > max) return null;
  const kinds = [multiplesIn(range, 1), multiplesIn(range, 0.01), fc.double({ min, max, noNaN: true })];
  return fc.oneof(...kinds.filter((kind) => kind !== null)).map(withoutMinusZero);
}

function multiplesIn(range: NumberRange, step: number): fc.Arbitrary<number> | null {
  const most = Math.floor(Number.MAX_SAFE_INTEGER / Math.max(step, 1));
  const min = Math.max(Math.ceil(range.min / step), -most);
  const max = Math.min(Math.floor(range.max / step), most);
  if (!(min <= max)) return null;
  return fc.integer({ min, max }).map((factor) => withoutMinusZero(times(factor, step)));
}

/** JSON knows one zero. */
function withoutMinusZero(value: number): number {
  return value === 0 ? 0 : value;
}

/** `null` where nothing is known of what the schema wants. */
export function randomTexts(alternative: Alternative): fc.Arbitrary<string> | null {
  const { parts } = alternative;
  const patterns = parts.flatMap(({ pattern }) => pattern ?? []);
  const formats = parts.flatMap(({ format }) => format ?? []);
  const examples = formats.flatMap(examplesOf).filter((text) => parts.every((part) => accepts(part, text)));
  const kinds = [
    ...patterns.flatMap((pattern) => stringsOfPattern(pattern) ?? []),
    ...formats.flatMap((format) => randomTextOf(format) ?? []),
    ...(examples.length > 0 ? [fc.constantFrom(...examples)] : []),
  ];
  const [first, ...others] = kinds;
  if (first !== undefined) return fc.oneof(first, ...others);
  return patterns.length > 0 ? null : plainTexts(alternative);
}

function plainTexts(alternative: Alternative): fc.Arbitrary<string> | null {
  const minLength = alternative.most((part) => part.minLength);
  const maxLength = Math.min(
    alternative.least((part) => part.maxLength),
    minLength + EXTRA_CHARACTERS,
  );
  if (minLength > Math.min(maxLength, LENGTH_MAX)) return null;
  return fc.oneof(
    { weight: 3, arbitrary: fc.string({ unit: LETTER, minLength, maxLength }) },
    { weight: 2, arbitrary: fc.string({ minLength, maxLength }) },
    { weight: 1, arbitrary: fc.string({ unit: CHARACTER, minLength, maxLength }) },
  );
}
