/**
 * Money as people read it, from whole minor units (cents, yen, fils).
 *
 * Amounts are never divided: a binary fraction cannot hold a cent. How many digits a currency has is
 * ISO 4217's rule, kept here, because `Intl` answers with what is customary on a price tag: it shows
 * Hungarian forints without decimals, and 1,999 fillér would read as 1,999 forints.
 */

export interface Money {
  /** Whole minor units of `currency`. */
  readonly value: number;
  /** ISO 4217, three capital letters. */
  readonly currency: string;
}

/** The currencies of ISO 4217 that do not have two digits. */
const CURRENCIES_BY_DIGITS: readonly [digits: number, currencies: string][] = [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [4, "CLF UYW"],
];

const DIGITS_OF = new Map(
  CURRENCIES_BY_DIGITS.flatMap(([digits, currencies]) =>
    currencies.split(" ").map((currency) => [currency, digits] as const),
  ),
);

/** `{ value: 123450, currency: "USD" }` is `USD 1,234.50`; `{ value: 500, currency: "JPY" }` is `JPY 500`. */
export function formatMoney({ value, currency }: Money): string {
  const digits = DIGITS_OF.get(currency) ?? 2;
  const number = new Intl.NumberFormat("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // As text, the decimal stays exact: E-3 moves the point three places to the left.
  return `${currency} ${number.format(`${value}E-${digits}` as `${number}`)}`;
}
