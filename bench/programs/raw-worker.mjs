/** A BullMQ worker as it comes: ten jobs at once, none of which does anything. */
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { endWithParent } from "./end-with-parent.mjs";
import { redisAddress } from "./redis-address.mjs";

endWithParent();
const connection = new Redis(redisAddress, { maxRetriesPerRequest: null });
const worker = new Worker("receipts", async () => undefined, {
  connection,
  concurrency: Number(process.env.BENCH_SLOTS),
  removeOnComplete: { age: 3_600, count: 100_000 },
});
worker.on("error", (error) => process.stderr.write(`${error.message}\n`));
