import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatMoney } from "#examples/shop/receipts/minor-units";

describe("formatMoney", () => {
  it.each([
    // Two digits: 123450 cents are 1234 dollars and 50 cents.
    [123_450, "USD", "USD 1,234.50"],
    [5, "EUR", "EUR 0.05"],
    [0, "USD", "USD 0.00"],
    // The yen has no minor unit.
    [500, "JPY", "JPY 500"],
    // 1000 fils are a dinar.
    [1_234_567, "KWD", "KWD 1,234.567"],
    [1, "CLF", "CLF 0.0001"],
    // Two by ISO 4217, although Intl would show none.
    [199_900, "HUF", "HUF 1,999.00"],
    // The largest amount a receipt may hold, beyond what thirds of a float could carry.
    [1_000_000_000_000, "USD", "USD 10,000,000,000.00"],
  ])("%i minor units of %s read %s", (value, currency, text) => {
    expect(formatMoney({ value, currency })).toBe(text);
  });

  it("shows every digit of the minor units, whatever the amount and the currency", () => {
    const amounts = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const currencies = fc.constantFrom("USD", "JPY", "KWD", "CLF", "HUF", "ISK", "XYZ");
    fc.assert(
      fc.property(amounts, currencies, (value, currency) => {
        const digits = formatMoney({ value, currency }).replaceAll(/[^0-9]/g, "");
        expect(BigInt(digits)).toBe(BigInt(value));
      }),
    );
  });

  it("puts the point as many digits from the right as ISO 4217 says", () => {
    const digitsOf = [
      ["JPY", 0],
      ["USD", 2],
      ["BHD", 3],
      ["UYW", 4],
    ] as const;
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...digitsOf), (value, [currency, digits]) => {
        const [, fraction = ""] = formatMoney({ value, currency }).split(".");
        expect(fraction).toHaveLength(digits);
      }),
    );
  });
});
