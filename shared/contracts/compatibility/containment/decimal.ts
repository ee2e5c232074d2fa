/**
 * Exact decimal numbers: a schema's `0.1` is one tenth, not the double beside it.
 *
 * A JSON number is read through its shortest text, which is what its author wrote. Nothing here rounds.
 */

/** The number `units / 10 ** scale`; `scale` is 0 or more. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

export const ONE: Decimal = { units: 1n, scale: 0 };

/** @param value finite */
export function decimalOf(value: number): Decimal {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const scale = fraction.length - Number(exponent);
  const units = BigInt(whole + fraction);
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 };
}

/** A `multipleOf`, or `null` when it is not a number above 0. */
export function parseStep(value: unknown): Decimal | null {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? decimalOf(value) : null;
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  if (a.scale === b.scale) return [a.units, b.units, a.scale];
  const scale = Math.max(a.scale, b.scale);
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale), scale];
}

/** Negative when `a` is the smaller one, 0 when they are equal. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [left, right] = aligned(a, b);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

export function isMultiple(value: Decimal, step: Decimal): boolean {
  const [left, right] = aligned(value, step);
  return left % right === 0n;
}

/** The smallest number above 0 that both divide. */
export function leastCommonMultiple(a: Decimal, b: Decimal): Decimal {
  const [left, right, scale] = aligned(a, b);
  let [divisor, rest] = [left, right];
  while (rest !== 0n) [divisor, rest] = [rest, divisor % rest];
  return { units: (left / divisor) * right, scale };
}

/** The greatest multiple of `step` that is not above `value`. */
export function floorToStep(value: Decimal, step: Decimal): Decimal {
  const [left, right, scale] = aligned(value, step);
  const rest = ((left % right) + right) % right;
  return { units: left - rest, scale };
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const [left, right, scale] = aligned(a, b);
  return { units: left + right, scale };
}

export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  return addDecimals(a, { units: -b.units, scale: b.scale });
}

/** How often `step` goes into `span`, rounded down. */
export function quotient(span: Decimal, step: Decimal): bigint {
  const [left, right] = aligned(span, step);
  return left / right;
}

/** Whether a double holds this number exactly, as it does 0.5 and 3, and as it does not 0.1. */
export function isExactDouble(value: Decimal): boolean {
  // A reduced fraction over a power of ten is one over a power of two when five divides its units as often.
  return (
    value.units % 5n ** BigInt(value.scale) === 0n &&
    abs(value.units) <= MANTISSA_MAX * 5n ** BigInt(value.scale)
  );
}

const MANTISSA_MAX = 2n ** 53n;

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function toNumber(value: Decimal): number {
  return Number(`${value.units}e-${value.scale}`);
}

/** Equal for equal numbers. */
export function decimalText(value: Decimal): string {
  let { units, scale } = value;
  while (scale > 0 && units % 10n === 0n) {
    units /= 10n;
    scale -= 1;
  }
  if (scale === 0) return String(units);
  const digits = String(abs(units)).padStart(scale + 1, "0");
  return `${units < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
