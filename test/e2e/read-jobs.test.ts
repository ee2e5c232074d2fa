/** Waiting for, following, listing and cancelling jobs: real processes, real HTTP, real Redis. */
import { describe, expect } from "vitest";
import { type Stack, stackTest } from "#test/support/stack";

const WAIT = { timeout: 25_000, interval: 100 };

const probe = (data: object, more: object = {}) => ({ type: "probe.task", schemaversion: 1, data, ...more });

/** Hands in a job that falls due in an hour. */
async function later(stack: Stack, data: object): Promise<string> {
  const scheduledtime = new Date(Date.now() + 3_600_000).toISOString();
  return (await stack.post(probe(data, { scheduledtime }))).body.id;
}

async function cancel(stack: Stack, id: string, body?: object) {
  const { body: answer, status } = await stack.api(`/v1/jobs/${id}/cancel`, {
    method: "POST",
    ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  return { status, body: answer };
}

describe("waiting for a job", () => {
  stackTest("ends with the job, or with the time", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    const id = await stack.enqueue({ n: 1, ms: 100 });
    const early = await stack.api(`/v1/jobs/${id}/result?wait=1`);
    expect([early.status, early.body]).toEqual([202, { id, state: "waiting" }]);
    const asking = stack.api(`/v1/jobs/${id}/result`, { headers: { prefer: "wait=14" } });
    await stack.startWorker("probe-v1");
    const answer = await asking;
    expect([answer.status, answer.body]).toEqual([
      200,
      { id, state: "succeeded", result: { n: 1, total: null }, resultBytesDropped: null, error: null },
    ]);
    expect(answer.headers.get("preference-applied")).toBe("wait=14");
  });

  stackTest("is possible in the request that hands it in", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    await stack.startWorker("probe-v1");
    const answer = await stack.api("/v1/jobs", {
      method: "POST",
      headers: { "content-type": "application/json", prefer: "wait=14" },
      body: JSON.stringify(probe({ n: 7 })),
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ state: "succeeded", result: { n: 7 } });
  });

  stackTest("does not hold up the stop of the process", async ({ stack }) => {
    await stack.publish("probe-v1");
    const producer = await stack.startProducer();
    const id = await stack.enqueue({ n: 1 });
    const asking = stack.api(`/v1/jobs/${id}/result?wait=14`).then((it) => it.status);
    const events = stack.api(`/v1/jobs/${id}/events`).then((it) => it.body);
    // Both are there when a look is taken.
    await expect
      .poll(async () => Number(/calls=(\d+)/.exec(await evalCalls(stack))?.[1] ?? 0), WAIT)
      .toBeGreaterThan(3);
    const began = Date.now();
    producer.kill("SIGTERM");
    expect(await asking).toBe(202);
    expect(await events).toMatch(/event: state\nid: 1\ndata: \{"state":"waiting"/);
    expect((await producer.exited).code).toBe(0);
    expect(Date.now() - began).toBeLessThan(4_000);
  });
});

async function evalCalls(stack: Stack): Promise<string> {
  return /cmdstat_evalsha:.*/.exec(await stack.redis.info("commandstats"))?.[0] ?? "";
}

describe("following a job", () => {
  stackTest("shows it waiting, running with what its handler says, and succeeded", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    const id = await stack.enqueue({ n: 1, ms: 1_000, progress: 40 });
    const following = stack.api(`/v1/jobs/${id}/events`);
    await stack.startWorker("probe-v1");
    const { body, headers } = await following;
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = [...body.matchAll(/event: (\w+)\nid: (\w+)\ndata: (.*)/g)].map(([, event, id_, data]) => ({
      event,
      id: id_,
      ...JSON.parse(data),
    }));
    expect(events[0]).toMatchObject({ event: "state", id: "1", state: "waiting", progress: null });
    expect(events.at(-2)).toMatchObject({ event: "state", state: "succeeded", attempts: { starts: 1 } });
    expect(events.at(-1)).toEqual({ event: "end", id, state: "succeeded" });
    const running = events.filter((it) => it.state === "running");
    expect(running.at(-1)).toMatchObject({
      release: "probe-v1",
      progress: { percent: 40, message: "as asked" },
    });
  });
});

describe("cancelling a job", () => {
  stackTest("that waits or is scheduled keeps it from ever running", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    const waiting = await stack.enqueue({ n: 1 });
    const scheduled = await later(stack, { n: 2 });
    for (const [id, state] of [
      [waiting, "waiting"],
      [scheduled, "scheduled"],
    ] as const) {
      expect((await stack.job(id)).state).toBe(state);
      expect(await cancel(stack, id, { why: "ordered twice" })).toEqual({
        status: 200,
        body: { id, state: "cancelled" },
      });
      expect(await stack.job(id)).toMatchObject({
        state: "cancelled",
        error: { code: "CANCELLED", message: "ordered twice" },
      });
    }
    await stack.startWorker("probe-v1");
    await stack.enqueue({ n: 3 });
    await expect.poll(() => stack.ledger().map((line) => line.n), WAIT).toEqual([3, 3]);
    const { body } = await stack.api("/v1/jobs?state=cancelled");
    expect(body.jobs.map((job: { id: string }) => job.id).toSorted()).toEqual(
      [waiting, scheduled].toSorted(),
    );
  });

  stackTest("that runs ends it, once its worker has heard, and it is not run again", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    await stack.startWorker("probe-v1");
    const id = await stack.enqueue({ n: 1, ms: 60_000 });
    await expect.poll(() => stack.job(id), WAIT).toMatchObject({ state: "running" });
    expect(await cancel(stack, id)).toEqual({
      status: 202,
      body: { id, state: "running", cancelling: true },
    });
    const answer = await stack.api(`/v1/jobs/${id}/result?wait=10`);
    expect([answer.status, answer.body.state]).toEqual([200, "cancelled"]);
    // Again is the same; what has ended otherwise stays as it is.
    expect((await cancel(stack, id)).status).toBe(200);
    const done = await stack.enqueue({ n: 2 });
    await expect.poll(() => stack.job(done), WAIT).toMatchObject({ state: "succeeded" });
    expect(await cancel(stack, done)).toMatchObject({
      status: 409,
      body: { code: "JOB_ENDED", state: "succeeded" },
    });
    expect(stack.ledger().filter((line) => line.n === 1 && line.event === "end")).toEqual([]);
  });
});

describe("listing jobs", () => {
  stackTest("shows what has not ended, and each end on its own", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await stack.enqueue({ n }));
    const scheduled = await later(stack, { n: 9 });
    const list = async (query = "") => {
      const { body } = await stack.api(`/v1/jobs${query}`);
      return body.jobs.map((job: { id: string }) => job.id) as string[];
    };
    expect(await list()).toEqual([scheduled, ...ids.toReversed()]);
    expect(await list("?state=scheduled")).toEqual([scheduled]);
    const first = await stack.api("/v1/jobs?limit=4");
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect([...first.body.jobs, ...(await stack.api(next)).body.jobs].map((job) => job.id)).toEqual([
      scheduled,
      ...ids.toReversed(),
    ]);
    await stack.startWorker("probe-v1");
    await expect
      .poll(() => list("?state=succeeded").then((it) => it.toSorted()), WAIT)
      .toEqual(ids.toSorted());
    expect(await list()).toEqual([scheduled]);
  });
});
