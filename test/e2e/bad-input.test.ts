/** Whatever is wrong with a request, the answer says which field and rule, and nothing is stored. */
import { describe, expect } from "vitest";
import { type Answer, stackTest } from "#test/support/stack";

const good = { type: "probe.task", schemaversion: 1, data: { n: 1 } };

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { deeper: nested(depth - 1) };
}

const cases: readonly (readonly [string, unknown, number, { pointer?: string; code?: string }])[] = [
  ["an unknown type", { ...good, type: "no.such" }, 422, { pointer: "/type", code: "TYPE_UNKNOWN" }],
  ["a type that is no type", { ...good, type: "Probe Task" }, 422, { pointer: "/type" }],
  ["an unknown version", { ...good, schemaversion: 7 }, 422, { pointer: "/schemaversion" }],
  ["a version that is text", { ...good, schemaversion: "1" }, 422, { pointer: "/schemaversion" }],
  ["an unknown field in data", { ...good, data: { n: 1, m: 2 } }, 422, { pointer: "/data/m" }],
  ["a wrong JSON type in data", { ...good, data: { n: "1" } }, 422, { pointer: "/data/n" }],
  ["a required field left out of data", { ...good, data: {} }, 422, { pointer: "/data/n" }],
  ["no data", { type: good.type, schemaversion: 1 }, 422, { pointer: "/data" }],
  ["data that is a list", { ...good, data: [1] }, 422, { pointer: "/data" }],
  ["an unknown attribute", { ...good, priority: 1 }, 422, { pointer: "/priority" }],
  ["an attribute that only the server sets", { ...good, tenant: "other" }, 422, { pointer: "/tenant" }],
  [
    "a body of 300 KB",
    { ...good, data: { n: 1, text: "x".repeat(300_000) } },
    413,
    { code: "BODY_TOO_LARGE" },
  ],
  ["a body 40 levels deep", { ...good, data: nested(40) }, 422, {}],
  [
    "__proto__",
    '{"type":"probe.task","schemaversion":1,"data":{"__proto__":{"n":1}}}',
    422,
    { pointer: "/data/__proto__" },
  ],
  [
    "constructor",
    '{"type":"probe.task","schemaversion":1,"data":{"n":1,"constructor":{}}}',
    422,
    { pointer: "/data/constructor" },
  ],
  [
    "a whole number beyond 2^53",
    '{"type":"probe.task","schemaversion":1,"data":{"n":9007199254740993}}',
    422,
    { pointer: "/data/n" },
  ],
  ["an empty id", { ...good, id: "" }, 422, { pointer: "/id" }],
  ["an empty body", "", 422, { pointer: "" }],
  ["truncated JSON", '{"type":"probe.task","schema', 422, { pointer: "" }],
  ["a list instead of an object", [good], 422, { pointer: "" }],
  ["null", "null", 422, { pointer: "" }],
];

describe("POST /v1/jobs", () => {
  stackTest("refuses each kind of bad input by field and rule, and stores none of it", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    for (const [name, body, status, { pointer, code }] of cases) {
      const answer = await stack.post(body);
      expectProblem(name, answer, status);
      if (code !== undefined) expect(answer.body.code, name).toBe(code);
      if (pointer === undefined) continue;
      expect(answer.body.errors, name).toContainEqual({
        pointer,
        rule: expect.stringMatching(/^[a-z][a-zA-Z-]*$/),
        message: expect.any(String),
      });
    }
    for (const contentType of ["text/plain", "application/xml", "application/x-www-form-urlencoded"]) {
      expectProblem(contentType, await stack.post(good, contentType), 415);
    }
    expect(await stack.redis.keys("sluice:probe.r1:probe~*")).toEqual([]);
    expect((await stack.post(good)).status).toBe(202);
  });

  stackTest(
    "answers 503 with an outcome while Redis is away, and is ready again after",
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      expect((await stack.api("/readyz")).body).toMatchObject({
        status: "ready",
        durability: { level: "disk", basis: "verified" },
      });
      await stack.killRedis();
      const refused = await stack.post(good);
      expectProblem("Redis away", refused, 503);
      expect(refused.headers.get("retry-after")).toBe("1");
      const ready = await stack.api("/readyz");
      expect([ready.status, ready.body.redis]).toEqual([503, "unreachable"]);
      expect((await stack.api("/livez")).status).toBe(200);
      expect((await stack.api(`/v1/jobs/probe~${"a".repeat(52)}`)).body.code).toBe("REDIS_UNAVAILABLE");
      await stack.startRedis();
      await expect.poll(async () => (await stack.post(good)).status, { timeout: 10_000 }).toBe(202);
    },
  );
});

function expectProblem(name: string, answer: Answer, status: number): void {
  expect(answer.status, name).toBe(status);
  expect(answer.headers.get("content-type"), name).toContain("application/problem+json");
  expect(answer.body, name).toMatchObject({
    status,
    type: expect.stringMatching(/^urn:sluice:problem:/),
    title: expect.any(String),
    detail: expect.any(String),
    outcome: expect.stringMatching(/^(not_enqueued|unknown)$/),
  });
  if (status < 500) expect(answer.body.outcome, name).toBe("not_enqueued");
}
