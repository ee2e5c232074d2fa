/** From a request to a finished job: real processes, real HTTP, real Redis. */
import { describe, expect } from "vitest";
import { stackTest } from "#test/support/stack";

const WAIT = { timeout: 25_000, interval: 100 };

describe("a job over HTTP", () => {
  stackTest("is answered with its id once stored, runs, and shows how it went", async ({ stack }) => {
    await stack.publish("probe-v2");
    await stack.startProducer();
    const answer = await stack.post({ type: "probe.task", schemaversion: 1, data: { n: 1, amount: 1299 } });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^probe~/),
      outcome: "created",
      type: "probe.task",
      state: "waiting",
    });
    expect(answer.headers.get("location")).toBe(`/v1/jobs/${answer.body.id}`);
    expect(await stack.job(answer.body.id)).toMatchObject({ state: "waiting", attempts: { starts: 0 } });

    await stack.startWorker("probe-v2");
    await expect
      .poll(() => stack.job(answer.body.id), WAIT)
      .toMatchObject({
        id: answer.body.id,
        state: "succeeded",
        lane: "probe.r1",
        release: "probe-v2",
        attempts: { failed: 0, starts: 1, crashes: 0 },
        result: { n: 1, total: { value: 1299, currency: "USD" } },
        error: null,
      });
  });

  stackTest("that fails is retried, and fails for good after its attempts", async ({ stack }) => {
    await stack.publish("probe-v2");
    await stack.startProducer();
    await stack.startWorker("probe-v2");
    const once = await stack.enqueue({ n: 1, fail: "once" });
    const always = await stack.enqueue({ n: 2, fail: "always" });
    const terminal = await stack.enqueue({ n: 3, fail: "terminal" });

    await expect
      .poll(() => stack.job(once), WAIT)
      .toMatchObject({
        state: "succeeded",
        attempts: { failed: 1, starts: 2, entries: [{ attempt: 1, outcome: "retry", release: "probe-v2" }] },
      });
    await expect
      .poll(() => stack.job(always), WAIT)
      .toMatchObject({
        state: "failed",
        attempts: { failed: 3, starts: 3 },
        error: { code: "Error", message: "asked to fail" },
      });
    await expect
      .poll(() => stack.job(terminal), WAIT)
      .toMatchObject({
        state: "failed",
        attempts: { failed: 1, starts: 1 },
        error: { code: "JOB_TERMINAL" },
      });
  });

  stackTest("with the same id from two sources is two jobs, from one source one job", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    const job = { type: "probe.task", schemaversion: 1, id: "order-1", data: { n: 1 } };
    const first = await stack.post({ ...job, source: "/shop" });
    const second = await stack.post({ ...job, source: "/mobile" });
    const again = await stack.post({ ...job, source: "/shop" });
    expect([first.status, second.status, again.status]).toEqual([202, 202, 202]);
    expect(second.body.id).not.toBe(first.body.id);
    expect(again.body.id).toBe(first.body.id);
    expect(await stack.redis.llen("sluice:probe.r1:wait")).toBe(2);
  });

  stackTest("as a CloudEvent keeps attributes that are not known", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    const event = {
      specversion: "1.0",
      type: "probe.task",
      source: "/x",
      id: "1",
      schemaversion: 1,
      data: { n: 1 },
    };
    const answer = await stack.post({ ...event, shard: 7 }, "application/cloudevents+json; charset=utf-8");
    expect(answer.status).toBe(202);
    const stored = JSON.parse((await stack.redis.hget(`sluice:probe.r1:${answer.body.id}`, "data")) ?? "{}");
    expect(stored).toMatchObject({ ...event, shard: 7, minreaderversion: 1, tenant: "default" });
    expect((await stack.post({ ...event, shard: 7 })).status).toBe(422);
  });

  stackTest(
    "past its expiry time is not run, and is refused when it is past at the door",
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      const job = { type: "probe.task", schemaversion: 1, data: { n: 1 } };
      const past = await stack.post({ ...job, expirytime: "2020-01-01T00:00:00Z" });
      expect([past.status, past.body.errors]).toMatchObject([
        422,
        [{ pointer: "/expirytime", rule: "past" }],
      ]);

      const expiresMs = Date.now() + 1_000;
      const { body } = await stack.post({ ...job, expirytime: new Date(expiresMs).toISOString() });
      await expect.poll(() => Date.now(), WAIT).toBeGreaterThan(expiresMs);
      await stack.startWorker("probe-v1");
      await expect.poll(() => stack.job(body.id), WAIT).toMatchObject({ state: "expired" });
      expect(stack.ledger()).toEqual([]);
    },
  );
});
