/** `POST /v1/jobs/batch` with a body that is there as a whole: arrays of jobs and of CloudEvents. */
import { describe, expect, test } from "vitest";
import { jobIdOf } from "#shared/job-id";
import { type Faults, request, serve } from "./server-builder.ts";

const host = "127.0.0.1:7700";

interface Sent {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly faults?: Faults;
}

async function post(body: unknown, { query = "", headers = {}, faults = {} }: Sent = {}) {
  const started = serve(faults);
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await started.server.inject({
    method: "POST",
    url: `/v1/jobs/batch${query}`,
    headers: { host, "content-type": "application/json", ...headers },
    payload,
  });
  return { ...started, answer, status: answer.statusCode, body: answer.json() };
}

const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ ...request, id: `${n}` }));
const atomic = { query: "?atomic=true" };
const events = { "content-type": "application/cloudevents-batch+json" };

describe("a batch", () => {
  test("has a result for each job, in order, and counts", async () => {
    const { status, body, added } = await post([
      { ...request, id: "1", source: "/shop" },
      { ...request, data: {} },
      { ...request, type: "receipt.send" },
      7,
      { ...request, id: "2", source: "/shop" },
    ]);
    expect(status).toBe(200);
    expect(body).toEqual({
      results: [
        { index: 0, outcome: "created", id: expect.any(String), state: "waiting" },
        {
          index: 1,
          outcome: "refused",
          problem: expect.objectContaining({ status: 422, code: "DATA_INVALID" }),
        },
        { index: 2, outcome: "refused", problem: expect.objectContaining({ code: "TYPE_UNKNOWN" }) },
        {
          index: 3,
          outcome: "refused",
          problem: {
            status: 422,
            code: "ENVELOPE_INVALID",
            detail: expect.any(String),
            errors: [{ pointer: "", rule: "invalid-type", message: "must be a JSON object" }],
          },
        },
        { index: 4, outcome: "created", id: expect.any(String), state: "waiting" },
      ],
      created: 2,
      replayed: 0,
      deduplicated: 0,
      refused: 3,
      unknown: 0,
    });
    const ids = ["1", "2"].map((id) => jobIdOf({ queue: "shop", tenant: "default", source: "/shop", id }));
    expect(added.map((it) => it.jobId)).toEqual(ids);
    expect([body.results[0].id, body.results[4].id]).toEqual(ids);
  });

  test("is counted by the outcomes of its jobs, all or none too", async () => {
    const { counts } = await post([{ ...request, id: "1" }, { ...request, id: "2" }, 7]);
    const told = await counts.registry.metrics();
    expect(told).toMatch(/sluice_enqueue_batch_jobs_total\{outcome="created"\} 2/);
    expect(told).toMatch(/sluice_enqueue_batch_jobs_total\{outcome="refused"\} 1/);
    const { counts: none } = await post([{ ...request, id: "1" }, 7], atomic);
    const refused = await none.registry.metrics();
    expect(refused).toMatch(/sluice_enqueue_batch_jobs_total\{outcome="refused"\} 2/);
    expect(refused).not.toMatch(/sluice_enqueue_batch_jobs_total\{outcome="created"\}/);
  });

  test("refuses only the job that holds what is refused everywhere", async () => {
    const text = `[${JSON.stringify(request)},{"type":"receipt.render","schemaversion":1,"data":{"__proto__":{}}}]`;
    const { body } = await post(text);
    expect(body).toMatchObject({ created: 1, refused: 1 });
    expect(body.results[1].problem.errors).toEqual([
      { pointer: "/data/__proto__", rule: "forbidden-name", message: expect.any(String) },
    ]);
  });

  test("nests each job as deep as one that comes alone", async () => {
    const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`);
    // The job itself is one level: 31 more are left to what is in it.
    const found = async (levels: number) =>
      (await post([{ ...request, data: nested(levels) }])).body.results[0].problem.errors[0].rule;
    expect([await found(31), await found(32)]).toEqual(["required", "depth"]);
  });

  test("of 1,000 is taken, one of 1,001 is not", async () => {
    expect((await post(jobs(1_000))).body.created).toBe(1_000);
    const { status, body, added } = await post(jobs(1_001));
    expect([status, body.code, body.errors[0].rule, body.outcome]).toEqual([
      422,
      "ENVELOPE_INVALID",
      "length",
      "not_enqueued",
    ]);
    expect(added).toEqual([]);
  });

  test.each([
    ["an object", request, "type"],
    ["nothing", [], "empty"],
    ["a text", '"x"', "type"],
    ["no body", "", "body"],
    ["what is no JSON", "[1,", "json"],
  ])("of %s is refused", async (_what, body, rule) => {
    const { status, body: problem } = await post(body);
    expect([status, problem.errors[0].rule, problem.outcome]).toEqual([422, rule, "not_enqueued"]);
  });

  test("of more than 8 MiB is refused", async () => {
    const { status, body } = await post(`[${" ".repeat(8 * 1024 * 1024)}]`);
    expect([status, body.code, body.outcome]).toEqual([413, "BODY_TOO_LARGE", "not_enqueued"]);
  });

  test.each(["?atomic=1", "?atomic", "?atomic=true&atomic=true", "?all=true", "?atomic=true&x=1"])(
    "with the query %s is refused",
    async (query) => {
      const { status, body, added } = await post([request], { query });
      expect([status, body.code, body.outcome]).toEqual([422, "QUERY_INVALID", "not_enqueued"]);
      expect(body.errors).not.toEqual([]);
      expect(added).toEqual([]);
    },
  );

  test("of CloudEvents has each read as an event", async () => {
    const event = { ...request, specversion: "1.0", id: "1", source: "/shop", sampledrate: 3 };
    const { body, added } = await post([event, { ...event, specversion: "0.3" }], { headers: events });
    expect(body).toMatchObject({ created: 1, refused: 1 });
    expect(body.results[1].problem.errors[0].pointer).toBe("/specversion");
    expect(JSON.parse(added[0]?.dataText ?? "")).toMatchObject({ sampledrate: 3 });
  });

  test("says of each job what became of it, where that is not known, too", async () => {
    const outcomes = [
      { kind: "replayed", jobId: "shop~old" },
      { kind: "deduplicated", jobId: "shop~twin" },
      { kind: "conflict" },
      { kind: "refused", reason: "backlog" },
    ] as const;
    let next = 0;
    const admit = async () => {
      const outcome = outcomes[next++];
      if (outcome === undefined) throw new Error("hunter2");
      return outcome;
    };
    const { body } = await post(jobs(5), { faults: { admit } });
    expect(body).toMatchObject({ created: 0, replayed: 1, deduplicated: 1, refused: 2, unknown: 1 });
    expect(body.results).toMatchObject([
      { outcome: "replayed", id: "shop~old", state: null },
      { outcome: "deduplicated", id: "shop~twin" },
      { outcome: "refused", problem: { status: 422, code: "IDEMPOTENCY_MISMATCH" } },
      {
        outcome: "refused",
        problem: { status: 503, code: "BACKLOG_FULL", retryAfterSeconds: 2, retryAfterMs: 2_000 },
      },
      { outcome: "unknown", problem: { status: 500, code: "INTERNAL" } },
    ]);
    expect(JSON.stringify(body)).not.toContain("hunter2");
  });
});

describe("an atomic batch", () => {
  test("comes in whole", async () => {
    const { status, body, added } = await post(jobs(100), atomic);
    expect([status, body.created, added.length]).toEqual([200, 100, 100]);
  });

  test("of 101 jobs, or of more than 1 MiB, is refused", async () => {
    const large = jobs(90).map((it) => ({ ...it, data: { orderId: "x".repeat(12_000) } }));
    for (const body of [jobs(101), large]) {
      const { status, body: problem, added } = await post(body, atomic);
      expect([status, problem.errors[0].rule, added]).toEqual([422, "length", []]);
    }
    expect((await post(large)).body.created).toBe(90);
  });

  test.each([
    [
      "its form",
      [request, { ...request, data: {} }, { ...request, schemaversion: 0, id: "" }, 7],
      ["/2/id", "/2/schemaversion", "/3"],
      "ENVELOPE_INVALID",
    ],
    [
      "its data and its type, once all have the form",
      [request, { ...request, data: {} }, { ...request, type: "a.b" }],
      ["/1/data/orderId", "/2/type"],
      "DATA_INVALID",
    ],
  ])(
    "is refused for all that is wrong with %s, by place, and nothing comes in",
    async (_what, sent, pointers, code) => {
      const { status, body, added } = await post(sent, atomic);
      expect([status, body.code, body.outcome]).toEqual([422, code, "not_enqueued"]);
      expect(body.errors.map((it: { pointer: string }) => it.pointer).toSorted()).toEqual(pointers);
      expect(added).toEqual([]);
    },
  );

  test("is refused when Redis refuses one of its jobs, with what that is refused for", async () => {
    const admit: Faults["admit"] = async ({ dataText }) =>
      dataText.includes('"id":"1"') ? { kind: "refused", reason: "backlog" } : { kind: "aborted" };
    const { status, body, answer } = await post(jobs(3), { ...atomic, faults: { admit } });
    expect([status, body.code, body.outcome]).toEqual([503, "BACKLOG_FULL", "not_enqueued"]);
    expect(answer.headers["retry-after"]).toBe("2");
    expect(body.errors).toEqual([{ pointer: "/1", rule: "backlog-full", message: expect.any(String) }]);
  });

  test("is unknown when the answer of Redis was lost", async () => {
    const faults = { admit: () => Promise.reject(new Error("lost")) };
    const { status, body } = await post(jobs(2), { ...atomic, faults });
    expect([status, body.outcome]).toEqual([500, "unknown"]);
  });
});

describe("a batch with an idempotency key", () => {
  const keyed = { headers: { "idempotency-key": '"k1"' } };

  test("gives each job a key of its own, by its place", async () => {
    const seen: string[][] = [];
    const admit: Faults["admit"] = async ({ records }) => {
      seen.push([...records]);
      return { kind: "created" };
    };
    await post([request, request], { ...keyed, faults: { admit } });
    await post([request, { ...request, data: {} }, request], { ...keyed, faults: { admit } });
    const [first, second, again, third] = seen.map(([key]) => key);
    expect([again, first === second, third === second]).toEqual([first, false, false]);
    // That of a single job is another, whatever it is.
    const { server } = serve({ admit });
    await server.inject({
      method: "POST",
      url: "/v1/jobs",
      headers: { host, "content-type": "application/json", "idempotency-key": "k1/0" },
      payload: JSON.stringify(request),
    });
    expect(seen.at(-1)?.[0]).toMatch(/^key:/);
    expect(seen.at(-1)?.[0]).not.toBe(first);
  });

  test("is held while it is under way, and let go however it ends", async () => {
    const events: string[] = [];
    const claims: Faults["claims"] = {
      hold: async (tenant, key) => {
        events.push(`hold ${tenant} ${key}`);
        return async () => {
          events.push("let go");
        };
      },
    };
    const admit: Faults["admit"] = async () => {
      events.push("admit");
      return { kind: "created" };
    };
    await post([request], { ...keyed, faults: { claims, admit } });
    await post("[", { ...keyed, faults: { claims } });
    expect(events).toEqual(["hold default k1", "admit", "let go", "hold default k1", "let go"]);
    await post([request], { faults: { claims } });
    expect(events).toHaveLength(5);
  });

  test("is refused while another with the same is under way", async () => {
    const { status, body, answer, added } = await post([request], {
      ...keyed,
      faults: { claims: { hold: async () => null } },
    });
    expect([status, body.code, body.outcome]).toEqual([409, "IDEMPOTENCY_IN_FLIGHT", "not_enqueued"]);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(added).toEqual([]);
  });

  test("that cannot be read is refused", async () => {
    const { status, body } = await post([request], { headers: { "idempotency-key": "a b" } });
    expect([status, body.code, body.outcome]).toEqual([400, "IDEMPOTENCY_KEY_INVALID", "not_enqueued"]);
  });
});
