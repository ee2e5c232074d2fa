/** What happens to a job when its worker, or Redis, goes away in the middle. */
import { describe, expect } from "vitest";
import { stackTest } from "#test/support/stack";

const WAIT = { timeout: 30_000, interval: 100 };

describe("a worker that goes away", () => {
  stackTest(
    "killed in mid-job has its job run again elsewhere within 21 s",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      const victim = await stack.startWorker("probe-v1", { slots: 1 });
      const id = await stack.enqueue({ n: 1, ms: 2_000 });
      await expect.poll(() => stack.ledger().length, WAIT).toBe(1);
      await stack.startWorker("probe-v1", { slots: 1 });
      const killedAtMs = Date.now();
      victim.kill("SIGKILL");

      await expect.poll(() => stack.ledger().filter((it) => it.event === "start").length, WAIT).toBe(2);
      const rerun = stack.ledger()[1];
      expect(rerun).toMatchObject({ jobId: id, starts: 2, attempt: 1 });
      expect((rerun?.atMs ?? 0) - killedAtMs).toBeLessThan(21_000);
      await expect
        .poll(() => stack.job(id), WAIT)
        .toMatchObject({
          state: "succeeded",
          attempts: { failed: 0, starts: 2, crashes: 1 },
        });
    },
  );

  stackTest("told to stop finishes its job first and takes no other", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    const worker = await stack.startWorker("probe-v1", { slots: 1 });
    const first = await stack.enqueue({ n: 1, ms: 1_500 });
    const second = await stack.enqueue({ n: 2 });
    await expect.poll(() => stack.ledger().length, WAIT).toBe(1);
    worker.kill("SIGTERM");
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(await stack.job(first)).toMatchObject({ state: "succeeded", attempts: { starts: 1 } });
    expect(await stack.job(second)).toMatchObject({ state: "waiting", attempts: { starts: 0 } });
  });

  stackTest(
    "out of drain time hands its jobs back to the head without burning an attempt",
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      const worker = await stack.startWorker("probe-v1", { slots: 2, drainDeadlineMs: 500 });
      const polite = await stack.enqueue({ n: 1, ms: 60_000 });
      const deaf = await stack.enqueue({ n: 2, ms: 60_000, deaf: true });
      await stack.enqueue({ n: 3 });
      await expect.poll(() => stack.ledger().length, WAIT).toBe(2);
      const askedAtMs = Date.now();
      worker.kill("SIGTERM");
      expect(await worker.exited).toEqual({ code: 0, signal: null });
      expect(Date.now() - askedAtMs).toBeLessThan(500 + 2_000);

      for (const id of [polite, deaf]) {
        expect(await stack.job(id)).toMatchObject({
          state: "waiting",
          attempts: {
            failed: 0,
            starts: 1,
            crashes: 0,
            entries: [{ outcome: "handed-back", code: "DRAINING" }],
          },
        });
      }
      const heads = await stack.redis.lrange("sluice:probe.r1:wait", -2, -1);
      expect(new Set(heads)).toEqual(new Set([polite, deaf]));
    },
  );

  stackTest(
    "that a job kills each time loses the job to quarantine, not the fleet",
    { timeout: 120_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      await stack.startAutoscaler(["probe-v1"], { workersMax: 1, slotsPerWorker: 1 });
      const id = await stack.enqueue({ n: 1, fail: "exit" });
      await expect
        .poll(() => stack.job(id), { timeout: 110_000, interval: 500 })
        .toMatchObject({
          state: "quarantined",
          attempts: { entries: [{ code: "WORKER_LOST", outcome: "quarantined" }] },
        });
      const other = await stack.enqueue({ n: 2 });
      await expect.poll(() => stack.job(other), WAIT).toMatchObject({ state: "succeeded" });
    },
  );
});

describe("Redis that goes away", () => {
  stackTest(
    "under load loses no accepted job, and work resumes when it is back",
    { timeout: 90_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      await stack.startWorker("probe-v1", { slots: 8 });

      const load = { stopped: false, accepted: [] as string[], outcomes: new Set<string>(), n: 0 };
      const client = async () => {
        while (!load.stopped) {
          load.n += 1;
          const { status, body } = await stack.post({
            type: "probe.task",
            schemaversion: 1,
            data: { n: load.n, ms: 5 },
          });
          if (status === 202) load.accepted.push(body.id);
          else load.outcomes.add(`${status} ${body.outcome}`);
        }
      };
      const clients = Array.from({ length: 8 }, client);
      await expect.poll(() => load.accepted.length, WAIT).toBeGreaterThan(200);
      await stack.killRedis();
      await expect.poll(() => load.outcomes.size, WAIT).toBeGreaterThan(0);
      await stack.startRedis();
      const backAtMs = Date.now();
      const before = load.accepted.length;
      await expect.poll(() => load.accepted.length, WAIT).toBeGreaterThan(before + 100);
      load.stopped = true;
      await Promise.all(clients);

      for (const outcome of load.outcomes) expect(["503 not_enqueued", "503 unknown"]).toContain(outcome);
      const ended = () => new Set(stack.ledger().flatMap((it) => (it.event === "end" ? [it.jobId] : [])));
      await expect.poll(() => load.accepted.filter((id) => !ended().has(id)).length, WAIT).toBe(0);
      const resumedAtMs = stack.ledger().find((it) => it.event === "start" && it.atMs > backAtMs)?.atMs ?? 0;
      expect(resumedAtMs - backAtMs).toBeLessThan(5_000);
    },
  );

  stackTest.for(["is gone", "hangs"])(
    "does not keep a process from stopping by its deadline when it %s",
    async (how, { stack }) => {
      const drainDeadlineMs = 1_000;
      await stack.publish("probe-v1");
      const producer = await stack.startProducer();
      const autoscaler = await stack.startAutoscaler(["probe-v1"], {
        workersMax: 1,
        slotsPerWorker: 1,
        drainDeadlineMs,
      });
      await stack.enqueue({ n: 1, ms: 60_000, deaf: true });
      await expect.poll(() => stack.ledger().length, WAIT).toBe(1);
      const worker = await stack.startWorker("probe-v1", { slots: 1, drainDeadlineMs });
      await stack.enqueue({ n: 2, ms: 60_000 });
      await expect.poll(() => stack.ledger().length, WAIT).toBe(2);

      if (how === "hangs") stack.hangRedis();
      else await stack.killRedis();
      const askedAtMs = Date.now();
      for (const child of [producer, worker, autoscaler]) child.kill("SIGTERM");
      const exits = await Promise.all([producer.exited, worker.exited, autoscaler.exited]);
      expect(Date.now() - askedAtMs).toBeLessThan(drainDeadlineMs + 2_000);
      // 10: the drain ran out with Redis away, and the job was left to its lease.
      expect(exits.map(({ code }) => code)).toEqual([0, 10, 0]);
      for (const { pid } of stack.ledger()) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    },
  );
});
