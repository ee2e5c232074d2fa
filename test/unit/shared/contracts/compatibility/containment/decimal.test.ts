import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addDecimals,
  compareDecimals,
  decimalOf,
  decimalText,
  floorToStep,
  isExactDouble,
  isMultiple,
  leastCommonMultiple,
  parseStep,
  quotient,
  subtractDecimals,
  toNumber,
} from "#shared/contracts/compatibility/containment/decimal";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
/** A number of cents, so that integers say what is right. */
const cents = fc.integer({ min: -100_000, max: 100_000 });
const inEuros = (count: number) => decimalOf(count / 100);

describe("A decimal", () => {
  test("is the number that was written, and comes back as it", () => {
    fc.assert(
      fc.property(finite, (value) => {
        // Zero has no sign here.
        expect(toNumber(decimalOf(value))).toBe(value === 0 ? 0 : value);
      }),
    );
    expect(decimalText(decimalOf(1.5e-7))).toBe("0.00000015");
    expect(decimalText(decimalOf(-2e21))).toBe("-2000000000000000000000");
    expect(decimalText(decimalOf(-0))).toBe("0");
  });

  test("is ordered as numbers are", () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        expect(Math.sign(compareDecimals(decimalOf(a), decimalOf(b)))).toBe(
          a === b ? 0 : Math.sign(a < b ? -1 : 1),
        );
      }),
    );
  });

  test("adds without rounding", () => {
    expect(decimalText(addDecimals(decimalOf(0.1), decimalOf(0.2)))).toBe("0.3");
    fc.assert(
      fc.property(cents, cents, (a, b) => {
        expect(compareDecimals(subtractDecimals(inEuros(a), inEuros(b)), inEuros(a - b))).toBe(0);
      }),
    );
  });

  test("is a multiple, in steps and rounded down to them as integers are", () => {
    fc.assert(
      fc.property(cents, fc.integer({ min: 1, max: 500 }), (value, step) => {
        expect(isMultiple(inEuros(value), inEuros(step))).toBe(value % step === 0);
        expect(toNumber(floorToStep(inEuros(value), inEuros(step)))).toBe(
          (Math.floor(value / step) * step) / 100 || 0,
        );
        expect(quotient(inEuros(Math.abs(value)), inEuros(step))).toBe(
          BigInt(Math.floor(Math.abs(value) / step)),
        );
      }),
    );
    expect(decimalText(leastCommonMultiple(decimalOf(0.4), decimalOf(6)))).toBe("6");
    expect(decimalText(leastCommonMultiple(decimalOf(1.5), decimalOf(2)))).toBe("6");
  });

  test("is held exactly by a double where halving gets there", () => {
    expect([3, 0.5, 0.75, 1.5, 1e15].map(decimalOf).map(isExactDouble)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect([0.1, 0.3, 1.1, 1e-3].map(decimalOf).map(isExactDouble)).toEqual([false, false, false, false]);
  });
});

test("A step is a number above 0", () => {
  expect([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "1", null].map(parseStep)).toEqual(
    Array(6).fill(null),
  );
  expect(parseStep(0.25)).toEqual(decimalOf(0.25));
});
