/**
 * 10,000 jobs of the sample app's three types over HTTP: each succeeds, once, while the fleet goes from
 * zero up and back to zero.
 */
import { describe, expect } from "vitest";
import { type DevRun, devTest } from "#test/support/dev-run";

const JOBS = { receipts: 9_500, csv: 400, thumbnails: 100 };
const CLIENTS = 32;

function jobNumber(n: number): unknown {
  if (n < JOBS.thumbnails) {
    return { type: "thumbnail.render", schemaversion: 1, data: { source: "harbour.png", width: 100 + n } };
  }
  if (n < JOBS.thumbnails + JOBS.csv) {
    return { type: "csv.summarise", schemaversion: 1, data: { file: "nyc_taxi.csv" } };
  }
  const order = { orderId: `o-${n}`, email: "ana@example.com" };
  return n % 2 === 0
    ? { type: "receipt.render", schemaversion: 1, data: { ...order, amount: n } }
    : { type: "receipt.render", schemaversion: 2, data: { ...order, total: { value: n, currency: "EUR" } } };
}

async function postAll(dev: DevRun, total: number): Promise<string[]> {
  const ids: string[] = [];
  const next = { n: 0 };
  const client = async () => {
    while (next.n < total) {
      const n = next.n;
      next.n += 1;
      const { id } = await dev.post(jobNumber(n));
      ids.push(id);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return ids;
}

describe("10,000 jobs of three types", () => {
  devTest(
    "all succeed, none is lost and none runs twice, while the fleet goes 0 -> n -> 0",
    async ({ dev }) => {
      // As much as may be late may be without safety, so that the end does not take minutes: see below.
      await dev.configure({ errorBudget: 0.2, scaleInHoldMs: 5_000, posture: "economy" });
      await dev.start();
      const workers = async () => (await dev.get(`${dev.controlUrl}/v1/fleet`)).workers.length;
      expect(await workers()).toBe(0);
      const total = JOBS.receipts + JOBS.csv + JOBS.thumbnails;
      const startedAtMs = Date.now();
      const ids = await postAll(dev, total);
      const postedMs = Date.now() - startedAtMs;
      expect(new Set(ids).size).toBe(total);

      const peak = { workers: 0 };
      const unfinished = async () => {
        peak.workers = Math.max(peak.workers, await workers());
        const { queues } = await dev.get(`${dev.controlUrl}/v1/lanes`);
        const lanes = queues.flatMap((it: { lanes: unknown[] }) => it.lanes);
        return lanes.reduce(
          (sum: number, it: { waiting: number; inFlight: number; scheduled: number }) =>
            sum + it.waiting + it.inFlight + it.scheduled,
          0,
        );
      };
      await expect.poll(unfinished, { timeout: 400_000, interval: 500 }).toBe(0);
      const doneMs = Date.now() - startedAtMs;

      process.stdout.write(
        `${total} jobs posted in ${postedMs} ms, done in ${doneMs} ms, at most ${peak.workers} workers\n`,
      );

      const tally = { succeeded: 0, starts: 0 };
      for (let from = 0; from < ids.length; from += 100) {
        const jobs = await Promise.all(
          ids.slice(from, from + 100).map((id) => dev.get(`${dev.apiUrl}/v1/jobs/${id}`)),
        );
        for (const job of jobs) {
          tally.succeeded += job.state === "succeeded" ? 1 : 0;
          tally.starts += job.attempts.starts;
        }
      }
      expect(tally).toEqual({ succeeded: total, starts: total });
      expect(peak.workers).toBeGreaterThan(1);
      // The last workers leave when the burst counts as coming on less than one occasion a minute, or ten where a start is slow.
      await expect.poll(workers, { timeout: 780_000, interval: 1_000 }).toBe(0);
      process.stdout.write(`no worker is left after ${Date.now() - startedAtMs} ms\n`);
    },
  );
});
