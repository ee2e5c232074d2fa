/** What every side is sent: one job of about 200 bytes as JSON, and the schema of it. */
import { z } from "zod";

export const BODY = JSON.stringify({
  type: "receipt.render",
  schemaversion: 1,
  data: {
    orderId: "ord_01JCZK4Q8W3V5N7M2T9XBYRD6F",
    email: "ada.lovelace@analytical-engines.example.com",
    amount: { value: 124_990, currency: "EUR" },
  },
});

export const receiptV1 = z.looseObject({
  orderId: z.string().min(1).max(64),
  email: z.email().max(254),
  amount: z.looseObject({ value: z.int().min(0), currency: z.string().length(3) }),
});

/** The whole body, as a server without contracts would check it. */
export const receiptBody = z.strictObject({
  type: z.literal("receipt.render"),
  schemaversion: z.literal(1),
  data: z.strictObject({
    orderId: z.string().min(1).max(64),
    email: z.email().max(254),
    amount: z.strictObject({ value: z.int().min(0), currency: z.string().length(3) }),
  }),
});
