/**
 * Raw BullMQ without HTTP: `{ seconds }` or `{ jobs }` is answered with `{ jobs }` when that many were
 * added, or that long was.
 *
 * BENCH_BATCH=1 calls `queue.add` with BENCH_IN_FLIGHT calls in flight; more calls `addBulk`, one
 * at a time.
 */
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { endWithParent } from "./end-with-parent.mjs";
import { BODY } from "./receipt.mjs";
import { redisAddress } from "./redis-address.mjs";

endWithParent();
const batch = Number(process.env.BENCH_BATCH);
const inFlight = Number(process.env.BENCH_IN_FLIGHT);
const queue = new Queue("receipts", { connection: new Redis(redisAddress) });
await queue.waitUntilReady();

const data = JSON.parse(BODY);
const add = (count) =>
  count === 1
    ? queue.add(data.type, data)
    : queue.addBulk(Array.from({ length: count }, () => ({ name: data.type, data })));

process.on("message", async ({ seconds = 600, jobs = Number.POSITIVE_INFINITY }) => {
  const untilMs = performance.now() + seconds * 1_000;
  let asked = 0;
  let added = 0;
  const one = async () => {
    while (performance.now() < untilMs && asked < jobs) {
      const count = Math.min(batch, jobs - asked);
      asked += count;
      await add(count);
      added += count;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  process.send({ jobs: added });
});
process.stdout.write("ready\n");
