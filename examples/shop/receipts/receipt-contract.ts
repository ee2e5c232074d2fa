/**
 * `receipt.render` and its two published versions.
 *
 * A published version never changes: both releases use these very objects. Version 2 says which
 * currency an amount is in; a reader of version 1 would print yen as dollars, so it must not get
 * them, and version 2 is a read group of its own.
 */
import { defineContract } from "sluice/worker";
import { z } from "zod";

/** Also a part of a file name: nothing that could leave a directory. */
const orderId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);
const email = z.email().max(254);

const version1 = {
  version: 1,
  schema: z.looseObject({
    orderId,
    email,
    /** Whole US cents. */
    amount: z.int().min(0).max(100_000_000),
  }),
  samples: [{ orderId: "A-1001", email: "ada@example.com", amount: 1_999 }],
};

const version2 = {
  version: 2,
  schema: z.looseObject({
    orderId,
    email,
    total: z.looseObject({
      /** Whole minor units of the currency: cents, yen, fils. */
      value: z.int().min(0).max(1_000_000_000_000),
      /** ISO 4217. */
      currency: z.string().regex(/^[A-Z]{3}$/),
    }),
  }),
  upcast: inUsDollars,
  samples: [{ orderId: "A-1002", email: "ada@example.com", total: { value: 500, currency: "JPY" } }],
};

export type ReceiptDataV1 = z.output<typeof version1.schema>;
export type ReceiptData = z.output<typeof version2.schema>;

/** Every amount of version 1 was in US cents, so its total is the same number of cents of USD. */
export function inUsDollars({ amount, ...kept }: ReceiptDataV1): ReceiptData {
  return { ...kept, total: { value: amount, currency: "USD" } };
}

const declared = {
  type: "receipt.render",
  queue: "shop",
  policy: { timeoutMs: 10_000 },
} as const;

/** As the release shop-v1 knows it. */
export const receiptContractV1 = defineContract({ ...declared, versions: [version1] });

export const receiptContract = defineContract({ ...declared, versions: [version1, version2] });
