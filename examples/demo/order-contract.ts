/**
 * `demo.order` and its three published versions, each of which the readers before it cannot read.
 *
 * A published version never changes: every release uses these very objects. What an order costs moves from a bare
 * number of cents, to an amount with a currency, to a list of lines.
 */
import { defineContract } from "sluice/worker";
import { z } from "zod";

const common = {
  /** Counted by whoever hands the orders in. */
  n: z.int().min(0),
  /** How long the work takes, in milliseconds. */
  workMs: z.int().min(0).max(600_000),
  /** What the order does to its handler; nothing when missing. */
  act: z.enum(["throw", "refuse", "endless"]).optional(),
};

const money = z.looseObject({
  /** Whole minor units of the currency. */
  value: z.int().min(0).max(1_000_000_000_000),
  /** ISO 4217. */
  currency: z.string().regex(/^[A-Z]{3}$/),
});

const schemaV1 = z.looseObject({
  ...common,
  /** Whole US cents. */
  amount: z.int().min(0).max(100_000_000),
});

const schemaV2 = z.looseObject({ ...common, total: money });

const schemaV3 = z.looseObject({ ...common, lines: z.array(money).min(1).max(100) });

type OrderV1 = z.output<typeof schemaV1>;
type OrderV2 = z.output<typeof schemaV2>;
type OrderV3 = z.output<typeof schemaV3>;

const version1 = { version: 1, schema: schemaV1, samples: [{ n: 1, workMs: 20, amount: 1_999 }] };

const version2 = {
  version: 2,
  schema: schemaV2,
  upcast: ({ amount, ...kept }: OrderV1): OrderV2 => ({ ...kept, total: { value: amount, currency: "USD" } }),
  samples: [{ n: 2, workMs: 20, total: { value: 500, currency: "JPY" } }],
};

const version3 = {
  version: 3,
  schema: schemaV3,
  upcast: ({ total, ...kept }: OrderV2): OrderV3 => ({ ...kept, lines: [total] }),
  samples: [{ n: 3, workMs: 20, lines: [{ value: 500, currency: "JPY" }] }],
};

/** What a handler needs to know of an order, whichever version its build has. */
export type Order = Pick<OrderV3, "n" | "workMs" | "act">;

const declared = {
  type: "demo.order",
  queue: "demo",
  policy: { attempts: 6, timeoutMs: 120_000, backoff: { baseMs: 200, maxMs: 1_000 } },
} as const;

/** By the newest version that a build knows. */
export const orderContracts = {
  1: defineContract({ ...declared, versions: [version1] }),
  2: defineContract({ ...declared, versions: [version1, version2] }),
  3: defineContract({ ...declared, versions: [version1, version2, version3] }),
} as const;
