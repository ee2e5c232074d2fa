/**
 * Which numbers a schema accepts: one interval, in steps of an exact decimal, or a list of values.
 *
 * Validators divide doubles to test `multipleOf`, which agrees with decimal arithmetic only for steps that a
 * double holds exactly (3 or 0.5, not 0.1). Other steps are kept by name and nothing is concluded from them,
 * unless the caller says that both sides compute in decimals.
 */
import {
  addDecimals,
  compareDecimals,
  type Decimal,
  decimalOf,
  decimalText,
  floorToStep,
  isExactDouble,
  isMultiple,
  leastCommonMultiple,
  ONE,
  parseStep,
  quotient,
  subtractDecimals,
} from "./decimal.ts";
import { keywordOf, MARK_KEYWORDS } from "./keywords.ts";

export interface Bound {
  readonly at: Decimal;
  /** Whether the number itself is left out. */
  readonly isOpen: boolean;
}

export interface NumberShape {
  readonly type: "number";
  readonly lower: Bound | null;
  readonly upper: Bound | null;
  /** Every number is a multiple of it; 1 for integers. */
  readonly step: Decimal | null;
  /** Steps about which nothing is concluded, as texts. */
  readonly blurredSteps: readonly string[];
  readonly marks: readonly string[];
  /** The only numbers, or `null`. */
  readonly values: readonly Decimal[] | null;
}

export const ANY_NUMBER: NumberShape = {
  type: "number",
  lower: null,
  upper: null,
  step: null,
  blurredSteps: [],
  marks: [],
  values: null,
};

/** Lists longer than this are not spelled out. */
const VALUES_MAX = 256n;

/** The shape with a schema's keywords applied; `null` when no number is left. */
export function narrowNumber(
  shape: NumberShape,
  schema: unknown,
  { isDecimal }: { readonly isDecimal: boolean },
): NumberShape | null {
  const stepHere = parseStep(keywordOf(schema, "multipleOf"));
  const isBlurred = stepHere !== null && !isDecimal && !isExactDouble(stepHere);
  const narrowed = {
    ...shape,
    lower: tighter(shape.lower, lowerBound(schema), 1),
    upper: tighter(shape.upper, upperBound(schema), -1),
    step: stepHere === null || isBlurred ? shape.step : commonStep(shape.step, stepHere),
    blurredSteps: isBlurred ? [...shape.blurredSteps, decimalText(stepHere)] : shape.blurredSteps,
    marks: [...shape.marks, ...marksOf(schema)],
  };
  return settleNumber(narrowed);
}

/** `format` and its like, as texts that are equal for equal meanings. */
export function marksOf(schema: unknown): string[] {
  return MARK_KEYWORDS.flatMap((keyword) => {
    const value = keywordOf(schema, keyword);
    return value === undefined ? [] : [`${keyword}=${JSON.stringify(value)}`];
  });
}

export function onlyIntegers(shape: NumberShape): NumberShape | null {
  return settleNumber({ ...shape, step: commonStep(shape.step, ONE) });
}

export function onlyNumbers(shape: NumberShape, numbers: readonly number[]): NumberShape | null {
  const listed = numbers.map(decimalOf);
  const texts = new Set(listed.map(decimalText));
  const values = shape.values?.filter((value) => texts.has(decimalText(value))) ?? listed;
  return settleNumber({ ...shape, values });
}

function commonStep(step: Decimal | null, other: Decimal): Decimal {
  return step === null ? other : leastCommonMultiple(step, other);
}

/** The tightest lower bound a schema sets, in both spellings of `exclusiveMinimum`. */
export function lowerBound(schema: unknown): Bound | null {
  return boundOf(schema, { inclusive: "minimum", exclusive: "exclusiveMinimum", direction: 1 });
}

export function upperBound(schema: unknown): Bound | null {
  return boundOf(schema, { inclusive: "maximum", exclusive: "exclusiveMaximum", direction: -1 });
}

function boundOf(
  schema: unknown,
  { inclusive, exclusive, direction }: { inclusive: string; exclusive: string; direction: 1 | -1 },
): Bound | null {
  const at = keywordOf(schema, inclusive);
  const beyond = keywordOf(schema, exclusive);
  const closed = typeof at === "number" ? { at: decimalOf(at), isOpen: beyond === true } : null;
  return tighter(
    closed,
    typeof beyond === "number" ? { at: decimalOf(beyond), isOpen: true } : null,
    direction,
  );
}

/** @param direction 1 for lower bounds, -1 for upper ones */
function tighter(a: Bound | null, b: Bound | null, direction: 1 | -1): Bound | null {
  if (a === null || b === null) return a ?? b;
  const order = compareDecimals(a.at, b.at) * direction;
  if (order === 0) return a.isOpen ? a : b;
  return order > 0 ? a : b;
}

/** Moves the bounds to the numbers that are really taken; `null` when there are none. */
export function settleNumber(shape: NumberShape): NumberShape | null {
  const { values } = shape;
  if (values !== null) {
    const kept = values.filter((value) => isWithin(shape, value) && isOnStep(shape, value));
    return kept.length === 0 ? null : { ...shape, values: kept };
  }
  const settled = { ...shape, lower: lowest(shape), upper: highest(shape) };
  const { lower, upper } = settled;
  if (lower === null || upper === null) return settled;
  const order = compareDecimals(lower.at, upper.at);
  if (order > 0) return null;
  return order === 0 && (lower.isOpen || upper.isOpen) ? null : settled;
}

function lowest({ lower, step }: NumberShape): Bound | null {
  if (lower === null || step === null) return lower;
  const floor = floorToStep(lower.at, step);
  const isOn = compareDecimals(floor, lower.at) === 0;
  return { at: isOn && !lower.isOpen ? floor : addDecimals(floor, step), isOpen: false };
}

function highest({ upper, step }: NumberShape): Bound | null {
  if (upper === null || step === null) return upper;
  const floor = floorToStep(upper.at, step);
  const isOn = compareDecimals(floor, upper.at) === 0;
  return { at: isOn && upper.isOpen ? subtractDecimals(floor, step) : floor, isOpen: false };
}

function isWithin({ lower, upper }: NumberShape, value: Decimal): boolean {
  return isInside(value, lower, 1) && isInside(value, upper, -1);
}

function isInside(value: Decimal, bound: Bound | null, direction: 1 | -1): boolean {
  if (bound === null) return true;
  const order = compareDecimals(value, bound.at) * direction;
  return order > 0 || (order === 0 && !bound.isOpen);
}

function isOnStep({ step }: NumberShape, value: Decimal): boolean {
  return step === null || isMultiple(value, step);
}

/** Every number of the shape when they are few, else `null`. */
export function numbersOf(shape: NumberShape): readonly Decimal[] | null {
  const { values, lower, upper, step } = shape;
  if (values !== null || lower === null || upper === null) return values;
  if (compareDecimals(lower.at, upper.at) === 0) return [lower.at];
  if (step === null || quotient(subtractDecimals(upper.at, lower.at), step) >= VALUES_MAX) return null;
  const numbers: Decimal[] = [];
  for (let at = lower.at; compareDecimals(at, upper.at) <= 0; at = addDecimals(at, step)) numbers.push(at);
  return numbers;
}

/** Whether no number of the shape lies beyond a bound. */
export function staysWithin(shape: NumberShape, bound: Bound, direction: 1 | -1): boolean {
  if (shape.values !== null) return shape.values.every((value) => isInside(value, bound, direction));
  const own = direction === 1 ? shape.lower : shape.upper;
  if (own === null) return false;
  const order = compareDecimals(own.at, bound.at) * direction;
  return order > 0 || (order === 0 && (own.isOpen || !bound.isOpen));
}

/** Whether all numbers of the shape are integers. */
export function isWhole(shape: NumberShape): boolean {
  if (shape.step !== null && isMultiple(shape.step, ONE)) return true;
  return numbersOf(shape)?.every((value) => isMultiple(value, ONE)) ?? false;
}

/** Whether every number of the shape passes a validator's `multipleOf`. */
export function isOnEveryStep(
  shape: NumberShape,
  multipleOf: number,
  { isDecimal }: { readonly isDecimal: boolean },
): boolean {
  const step = decimalOf(multipleOf);
  const isBlurred = !isDecimal && !isExactDouble(step);
  if (isBlurred && shape.blurredSteps.includes(decimalText(step))) return true;
  if (!isBlurred && shape.step !== null && isMultiple(shape.step, step)) return true;
  const divides = (value: Decimal) =>
    isMultiple(value, step) && (!isBlurred || Number.isInteger(Number(decimalText(value)) / multipleOf));
  return numbersOf(shape)?.every(divides) ?? false;
}

/** The shape cut at numbers: what lies below, at and above each. */
export function cutNumbers(shape: NumberShape, cuts: readonly Decimal[]): NumberShape[] {
  const pieces: NumberShape[] = [];
  const add = (lower: Bound | null, upper: Bound | null) => {
    const piece = settleNumber({
      ...shape,
      lower: tighter(shape.lower, lower, 1),
      upper: tighter(shape.upper, upper, -1),
    });
    if (piece !== null) pieces.push(piece);
  };
  let below: Bound | null = null;
  for (const at of [...cuts].sort(compareDecimals)) {
    add(below, { at, isOpen: true });
    add({ at, isOpen: false }, { at, isOpen: false });
    below = { at, isOpen: true };
  }
  add(below, null);
  return pieces;
}
