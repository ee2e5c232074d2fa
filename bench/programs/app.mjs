/** The app that Sluice runs in the bench: one contract, a handler that does nothing. */
import { defineApp, defineContract, defineJob } from "sluice/worker";
import { receiptV1 } from "./receipt.mjs";

const contract = defineContract({
  type: "receipt.render",
  queue: "receipts",
  versions: [{ version: 1, minReaderVersion: 1, schema: receiptV1 }],
});

export const app = defineApp({ name: "bench", jobs: [defineJob(contract, async () => undefined)] });
