/** A contract for tests of the client. */
import { z } from "zod";
import { defineContract } from "#shared/contracts/contract";

export const receipt = defineContract({
  type: "receipt.render",
  queue: "shop",
  versions: [
    { version: 1, schema: z.looseObject({ orderId: z.string() }) },
    {
      version: 2,
      schema: z.looseObject({
        orderId: z.string(),
        total: z.looseObject({ value: z.int(), currency: z.string() }),
        tags: z.array(z.string()).optional(),
        labels: z.record(z.string(), z.string()).optional(),
      }),
      upcast: ({ orderId }: { orderId: string }) => ({ orderId, total: { value: 0, currency: "USD" } }),
    },
  ],
});

export const data = { orderId: "o-1", total: { value: 500, currency: "JPY" } };
