import { describe, expect, test } from "vitest";
import { createClient, SluiceClientError } from "#producer/client/index";
import { data, receipt } from "./receipt.ts";
import { accepted, addressOfNobody, HastyClock, refused, scriptedClient } from "./scripted-server.ts";

const failing = (promise: Promise<unknown>): Promise<SluiceClientError> =>
  promise.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: unknown) => {
      if (error instanceof SluiceClientError) return error;
      throw error;
    },
  );

describe("enqueue", () => {
  test("sends the contract's type and newest version, the key, and the API key", async () => {
    const { client, asked } = await scriptedClient(() => accepted, { apiKey: "slk_a_b" });
    const job = await client.enqueue(receipt, data);
    expect(job).toEqual({ id: "shop~a", state: "waiting", outcome: "created", result: null });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: "POST", url: "/v1/jobs" });
    expect(asked[0]?.headers).toMatchObject({
      authorization: "Bearer slk_a_b",
      "content-type": "application/json",
      "idempotency-key": expect.stringMatching(/^"[0-9a-f-]{36}"$/),
    });
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ type: "receipt.render", schemaversion: 2, data });
  });

  test("says each option in the API's words", async () => {
    const { client, asked } = await scriptedClient(() => accepted);
    await client.enqueue(receipt, data, {
      id: "o-1",
      source: "/checkout",
      delayMs: 60_000,
      priority: "high",
      expiryTime: new Date(Date.UTC(2026, 1, 1)),
      dedupKey: "o-1",
      attempts: 2,
      timeoutMs: 5_000,
      idempotencyKey: 'a"b\\c',
      correlationId: "c-1",
    });
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({
      type: "receipt.render",
      schemaversion: 2,
      id: "o-1",
      source: "/checkout",
      // A minute after the clock's 12:00.
      scheduledtime: "2026-01-31T12:01:00.000Z",
      priority: "high",
      expirytime: "2026-02-01T00:00:00.000Z",
      dedupkey: "o-1",
      attempts: 2,
      timeoutms: 5_000,
      correlationid: "c-1",
      data,
    });
    // RFC 9651, 3.3.3: a quote and a backslash are escaped.
    expect(asked[0]?.headers["idempotency-key"]).toBe('"a\\"b\\\\c"');
  });

  test("repeats the same body under the same key until it is accepted", async () => {
    const { client, asked, clock } = await scriptedClient((_asked, count) => {
      if (count === 1) return refused(503, "NOT_ENQUEUED", {}, { "retry-after": "2" });
      if (count === 2) return "cut";
      if (count === 3) return refused(429, "THROTTLED", { retryAfterMs: 1_500 }, { "retry-after": "2" });
      return { ...accepted, headers: { "idempotency-replayed": "true" } };
    });
    const job = await client.enqueue(receipt, data, { delayMs: 1_000 });
    expect(job.outcome).toBe("replayed");
    expect(asked).toHaveLength(4);
    expect(new Set(asked.map((it) => it.headers["idempotency-key"])).size).toBe(1);
    expect(new Set(asked.map((it) => it.body)).size).toBe(1);
    // 2,000 + half of a fifth; half of 400 ms; 1,500 + half of a fifth.
    expect(clock.slept).toEqual([2_200, 200, 1_650]);
  });

  test("takes a new key for each call", async () => {
    const { client, asked } = await scriptedClient(() => accepted);
    await client.enqueue(receipt, data);
    await client.enqueue(receipt, data);
    expect(new Set(asked.map((it) => it.headers["idempotency-key"])).size).toBe(2);
  });

  test("is refused once and for all with what is wrong, field by field", async () => {
    const errors = [{ pointer: "/data/orderId", rule: "type", message: "must be string" }];
    const { client, asked } = await scriptedClient(() => refused(422, "DATA_INVALID", { errors }));
    const error = await failing(client.enqueue(receipt, data));
    expect(asked).toHaveLength(1);
    expect(error).toMatchObject({
      name: "SluiceClientError",
      code: "DATA_INVALID",
      outcome: "not_enqueued",
      status: 422,
      issues: errors,
      message: "It is refused.",
    });
  });

  test("gives up at once when it is told to come back later than it may wait", async () => {
    const answer = refused(503, "BACKLOG_FULL", { retryAfterMs: 90_000 });
    const { client, asked, clock } = await scriptedClient(() => answer);
    const error = await failing(client.enqueue(receipt, data));
    expect([error.code, error.retryAfterMs, asked.length, clock.slept]).toEqual([
      "BACKLOG_FULL",
      90_000,
      1,
      [],
    ]);
  });

  test("says that a job's fate is not known when it was not known of any attempt", async () => {
    const { client } = await scriptedClient((_asked, count) =>
      count === 1 ? "cut" : refused(503, "NOT_ENQUEUED"),
    );
    expect(await failing(client.enqueue(receipt, data))).toMatchObject({
      code: "NOT_ENQUEUED",
      outcome: "unknown",
      status: 503,
    });
  });

  test("says that nothing was stored when no connection came about", async () => {
    const clock = new HastyClock();
    const baseUrl = await addressOfNobody();
    const client = createClient({ baseUrl, clock, retry: { attempts: 2 } });
    const error = await failing(client.enqueue(receipt, data));
    expect(error).toMatchObject({ code: "NO_ANSWER", outcome: "not_enqueued", status: null });
    expect(clock.slept).toHaveLength(1);
  });

  test("tries again what a proxy answers for a server that is away, and believes no 200 without JSON", async () => {
    const { client, asked } = await scriptedClient((_asked, count) => {
      if (count === 1) return { status: 502, body: "<html>", headers: { "content-type": "text/html" } };
      return count === 2 ? { status: 200, body: "<html>" } : accepted;
    });
    await expect(client.enqueue(receipt, data)).resolves.toMatchObject({ id: "shop~a" });
    expect(asked).toHaveLength(3);
  });

  test("waits for the job's end when it is asked to", async () => {
    const result = { id: "shop~a", state: "succeeded", result: 7, resultBytesDropped: null, error: null };
    const { client, asked } = await scriptedClient(() => ({ status: 200, body: result }));
    const job = await client.enqueue(receipt, data, { waitMs: 2_500 });
    // Seconds are whole: 2.5 s become 3.
    expect(asked[0]?.headers.prefer).toBe("wait=3");
    expect(job).toEqual({ id: "shop~a", state: "succeeded", outcome: "created", result });
  });

  test("is ended by its signal, before it is sent and while it is under way", async () => {
    const before = await scriptedClient(() => accepted);
    const gone = AbortSignal.abort(new Error("no need"));
    expect(await failing(before.client.enqueue(receipt, data, { signal: gone }))).toMatchObject({
      code: "ABORTED",
      outcome: "not_enqueued",
      cause: { message: "no need" },
    });
    expect(before.asked).toEqual([]);
    const abort = new AbortController();
    const during = await scriptedClient(() => {
      abort.abort();
      return new Promise(() => undefined);
    });
    expect(await failing(during.client.enqueue(receipt, data, { signal: abort.signal }))).toMatchObject({
      code: "ABORTED",
      outcome: "unknown",
    });
  });

  test("refuses data that JSON cannot say without sending anything", async () => {
    const { client, asked } = await scriptedClient(() => accepted);
    const circle: { orderId: string; total: { value: number; currency: string }; self?: unknown } = {
      ...data,
    };
    circle.self = circle;
    const error = await failing(client.enqueue(receipt, circle));
    expect([error.code, error.outcome, asked.length]).toEqual(["REQUEST_INVALID", "not_enqueued", 0]);
  });
});

describe("a job that is there", () => {
  test("is looked at, waited for and cancelled; one that is not known is null", async () => {
    const { client, asked } = await scriptedClient(({ url }) => {
      if (url.includes("missing")) return refused(404, "JOB_NOT_FOUND");
      return { status: 200, body: { id: "shop~a", state: "succeeded" } };
    });
    expect(await client.get("shop~a")).toMatchObject({ state: "succeeded" });
    expect(await client.result("shop~a", { waitMs: 1_000 })).toMatchObject({ state: "succeeded" });
    expect(await client.cancel("shop~a", { why: "ordered twice" })).toMatchObject({ id: "shop~a" });
    expect(await client.get("missing")).toBeNull();
    expect(await client.result("missing")).toBeNull();
    expect(await client.cancel("missing")).toBeNull();
    expect(asked.slice(0, 3).map(({ method, url, body }) => [method, url, body])).toEqual([
      ["GET", "/v1/jobs/shop~a", ""],
      ["GET", "/v1/jobs/shop~a/result?wait=1", ""],
      ["POST", "/v1/jobs/shop~a/cancel", '{"why":"ordered twice"}'],
    ]);
  });

  test("is none of the client's business when somebody puts a path into its id", async () => {
    const { client, asked } = await scriptedClient(() => ({ status: 200, body: {} }));
    await client.get("../types?x=1");
    expect(asked[0]?.url).toBe("/v1/jobs/..%2Ftypes%3Fx%3D1");
  });

  test("is listed page by page, and no page is asked for before it is needed", async () => {
    const { client, asked } = await scriptedClient(({ url }) => ({
      status: 200,
      body: url.includes("cursor=c1")
        ? { jobs: [{ id: "3" }], nextCursor: null }
        : { jobs: [{ id: "1" }, { id: "2" }], nextCursor: "c1" },
    }));
    const seen: string[] = [];
    for await (const { id } of client.list({ state: "failed", type: "receipt.render", pageSize: 2 })) {
      seen.push(`${id} after ${asked.length}`);
    }
    expect(seen).toEqual(["1 after 1", "2 after 1", "3 after 2"]);
    expect(asked[0]?.url).toBe("/v1/jobs?type=receipt.render&state=failed&limit=2");
    expect(asked[1]?.url).toBe("/v1/jobs?type=receipt.render&state=failed&limit=2&cursor=c1");
  });
});
