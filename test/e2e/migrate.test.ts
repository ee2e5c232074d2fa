/** `main.js migrate` as an operator runs it, beside workers and producers. */
import { describe, expect } from "vitest";
import { stackTest } from "#test/support/stack";

const WAIT = { timeout: 30_000, interval: 100 };

describe("migrating an older lane", () => {
  stackTest(
    "moves what waits, and what is in flight once it comes back, with its starts",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2");
      await stack.openGate();
      await stack.startProducer();
      const older = await stack.startWorker("probe-v1", { slots: 1, drainDeadlineMs: 0 });
      const inFlight = await stack.enqueue({ n: 1, ms: 600_000 });
      await expect.poll(() => stack.ledger().length, WAIT).toBe(1);
      const waiting = [await stack.enqueue({ n: 2, amount: 5 }), await stack.enqueue({ n: 3, amount: 6 })];

      const migration = stack.startMigration("probe-v2");
      await migration.said(/"moved":2.*"inFlight":1/);
      for (const id of waiting) {
        expect(await stack.job(id)).toMatchObject({ state: "waiting", lane: "probe.r2", schemaversion: 2 });
      }
      older.kill("SIGTERM");
      expect(await migration.exited, migration.output).toEqual({ code: 0, signal: null });
      expect(migration.output).toContain("the older lane is empty");
      // A release of its own is live: it may fill again.
      expect(migration.output).toContain("new jobs still go to the older lane");

      await stack.startWorker("probe-v2", { slots: 3, drainDeadlineMs: 0 });
      await expect.poll(() => stack.ledger().filter((it) => it.release === "probe-v2").length, WAIT).toBe(5);
      const starts = stack.ledger().filter((it) => it.event === "start" && it.release === "probe-v2");
      expect(new Map(starts.map((it) => [it.jobId, it.starts]))).toEqual(
        new Map([
          [inFlight, 2],
          [waiting[0], 1],
          [waiting[1], 1],
        ]),
      );
      await expect
        .poll(() => stack.job(waiting[0] ?? ""), WAIT)
        .toMatchObject({
          state: "succeeded",
          result: { n: 2, total: { value: 5, currency: "USD" } },
        });
    },
  );

  stackTest(
    "ends with 11 while jobs are left, for whatever reason",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2");
      await stack.openGate();
      await stack.startProducer();
      const ids = [];
      for (let n = 0; n < 5; n += 1) ids.push(await stack.enqueue({ n }));
      const stopped = stack.startMigration("probe-v2", {
        SLUICE_JOBS_PER_SECOND: "1",
        SLUICE_LOG_LEVEL: "debug",
      });
      await stopped.said(/batch is moved/);
      stopped.kill("SIGTERM");
      expect(await stopped.exited, stopped.output).toEqual({ code: 11, signal: null });
      expect(stopped.output).toMatch(/"remaining":[1-4].*jobs are left/);

      const tooNew = ids.at(-1) ?? "";
      const key = `sluice:probe.r1:${tooNew}`;
      const envelope = JSON.parse((await stack.redis.hget(key, "data")) ?? "{}");
      await stack.redis.hset(key, "data", JSON.stringify({ ...envelope, minreaderversion: 3 }));
      const next = stack.startMigration("probe-v2");
      expect(await next.exited, next.output).toEqual({ code: 11, signal: null });
      expect(next.output).toMatch(/"left":\{"too-new":1\},"remaining":1/);
      expect(next.output).toContain(tooNew);
      expect(await stack.job(tooNew)).toMatchObject({ state: "waiting", lane: "probe.r1" });
    },
  );

  stackTest("is refused to a build that is not the newest", async ({ stack }) => {
    await stack.publish("probe-v1", "probe-v2");
    const refused = stack.startMigration("probe-v1");
    expect((await refused.exited).code).toBe(77);
    expect(refused.output).toContain("release probe-v2 of queue probe is newer");
  });
});
