/** `POST /v1/jobs`: keys, repeats, the three modes of CloudEvents, and what is answered when there is no room. */
import { describe, expect, test } from "vitest";
import type { AdmissionOutcome, AdmissionRequest } from "#shared/redis/admission";
import { type Faults, posting, request, serve } from "./server-builder.ts";

const json = { "content-type": "application/json" };

async function post(body: unknown, headers: Record<string, string> = {}, faults: Faults = {}) {
  const asked: AdmissionRequest[] = [];
  const admit: Faults["admit"] = async (job) => {
    asked.push(job);
    return faults.outcome ?? { kind: "created" };
  };
  const answer = await serve({ admit, ...faults }).server.inject(posting(body, { ...json, ...headers }));
  return { answer, asked, status: answer.statusCode, body: answer.json() };
}

function answeredBy(outcome: AdmissionOutcome, headers: Record<string, string> = {}) {
  return post({ ...request, id: "1" }, headers, { outcome });
}

describe("a job with an Idempotency-Key", () => {
  test("is asked for by it and by its own id, each as the caller's tenant's", async () => {
    const { asked } = await post({ ...request, id: "1" }, { "idempotency-key": '"k"' });
    expect(asked[0]?.records).toEqual([expect.stringMatching(/^key:/), expect.stringMatching(/^id:/)]);
    const bare = await post({ ...request, id: "1" }, { "idempotency-key": "k" });
    expect(bare.asked[0]?.records).toEqual(asked[0]?.records);
    expect(bare.asked[0]?.fingerprint).toBe(asked[0]?.fingerprint);
  });

  test("that was used for the same is answered by that job, and a header says so", async () => {
    const { answer, status, body } = await answeredBy({ kind: "replayed", jobId: "shop~before" });
    expect([status, answer.headers["idempotency-replayed"]]).toEqual([202, "true"]);
    expect(answer.headers.location).toBe("/v1/jobs/shop~before");
    expect(body).toEqual({ id: "shop~before", type: "receipt.render", state: null, outcome: "replayed" });
  });

  test("that is new, or a job's twin, carries no such header", async () => {
    for (const outcome of [{ kind: "created" }, { kind: "deduplicated", jobId: "shop~twin" }] as const) {
      const { answer, status, body } = await answeredBy(outcome);
      expect([status, body.outcome]).toEqual([202, outcome.kind]);
      expect(answer.headers).not.toHaveProperty("idempotency-replayed");
    }
  });

  test("that was used for something else is 422, and nothing is enqueued", async () => {
    const { status, body } = await answeredBy({ kind: "conflict" });
    expect([status, body.code, body.outcome]).toEqual([422, "IDEMPOTENCY_MISMATCH", "not_enqueued"]);
  });

  test.each(["", "a b", '"a', "x".repeat(256), "a, b"])(
    "that is %j is 400, and nothing is asked",
    async (key) => {
      const { status, body, asked } = await post(request, { "idempotency-key": key });
      expect([status, body.code, body.outcome, asked]).toEqual([
        400,
        "IDEMPOTENCY_KEY_INVALID",
        "not_enqueued",
        [],
      ]);
    },
  );
});

describe("a job for which there is no room", () => {
  test.each([
    ["backlog", 503, "BACKLOG_FULL", "2"],
    ["scheduled", 503, "SCHEDULED_FULL", "2"],
    ["memory", 503, "MEMORY_LOW", "5"],
    ["tenant", 429, "TENANT_BACKLOG_FULL", "2"],
  ] as const)("(%s) is %i %s, with when to come back", async (reason, status, code, seconds) => {
    const { answer, body } = await answeredBy({ kind: "refused", reason });
    expect([answer.statusCode, body.code, body.outcome]).toEqual([status, code, "not_enqueued"]);
    expect(answer.headers["retry-after"]).toBe(seconds);
    expect([body.retryAfterSeconds, body.retryAfterMs]).toEqual([Number(seconds), Number(seconds) * 1_000]);
    expect(body.detail).toMatch(/shop|memory/);
  });
});

describe("the three modes of CloudEvents", () => {
  const event = {
    ...request,
    specversion: "1.0",
    id: "1",
    source: "/shop",
    subject: "Größe",
    sampledrate: "3",
  };
  const binary = {
    "ce-specversion": "1.0",
    "ce-type": "receipt.render",
    "ce-schemaversion": "1",
    "ce-id": "1",
    "ce-source": "/shop",
    "ce-subject": "Gr%C3%B6%C3%9Fe",
    "ce-sampledrate": "3",
  };

  test("say the same: structured, binary, and in a batch", async () => {
    const structured = await post(event, { "content-type": "application/cloudevents+json" });
    const inHeaders = await post(request.data, binary);
    const asked: AdmissionRequest[] = [];
    const admit: Faults["admit"] = async (job) => {
      asked.push(job);
      return { kind: "created" };
    };
    await serve({ admit }).server.inject({
      ...posting([event], { "content-type": "application/cloudevents-batch+json" }),
      url: "/v1/jobs/batch",
    });
    const stored = [structured, inHeaders, { asked }].map((it) => JSON.parse(it.asked[0]?.dataText ?? ""));
    expect(stored[0]).toMatchObject({ ...event, tenant: "default" });
    expect(stored[1]).toEqual(stored[0]);
    expect(stored[2]).toEqual(stored[0]);
  });

  test("in binary mode is refused by the rules of its headers", async () => {
    const { status, body, asked } = await post(request.data, {
      ...binary,
      "ce-data": "1",
      "ce-subject": "%",
    });
    expect([status, body.code, asked]).toEqual([422, "ENVELOPE_INVALID", []]);
    expect(body.errors.map((it: { pointer: string }) => it.pointer)).toEqual(["/subject", "/data"]);
  });

  test("in binary mode needs a version of the specification that is known", async () => {
    const { "ce-specversion": _version, ...versionless } = binary;
    for (const headers of [versionless, { ...binary, "ce-specversion": "0.3" }]) {
      const { status, body } = await post(request.data, headers);
      expect([status, body.errors[0].pointer]).toEqual([422, "/specversion"]);
    }
  });

  test("are told apart by the content type: headers beside a structured event say nothing", async () => {
    const headers = { "content-type": "application/cloudevents+json", "ce-id": "other", "ce-type": "a.b" };
    const { asked } = await post(event, headers);
    expect(JSON.parse(asked[0]?.dataText ?? "")).toMatchObject({ id: "1", type: "receipt.render" });
  });
});

describe("when a job may run", () => {
  test("is its time, and until then it is scheduled", async () => {
    // The clock of the test stands at 12:00.
    const { body, asked } = await post({ ...request, scheduledtime: "2026-01-31T12:00:05Z" });
    expect([body.state, asked[0]?.delayMs]).toEqual(["scheduled", 5_000]);
    const past = await post({ ...request, scheduledtime: "2026-01-30T12:00:00Z" });
    expect([past.body.state, past.asked[0]?.delayMs]).toEqual(["waiting", 0]);
  });

  test.each([
    ["scheduledtime", "2026-03-02T12:00:00.001Z", "too-far"],
    ["expirytime", "2026-01-31T12:00:00Z", "past"],
    ["attempts", 6, "policy"],
    ["timeoutms", 60_001, "policy"],
  ])("is refused for %s %s", async (name, value, rule) => {
    const { status, body, asked } = await post({ ...request, [name]: value });
    expect([status, body.errors, asked]).toEqual([
      422,
      [{ pointer: `/${name}`, rule, message: expect.any(String) }],
      [],
    ]);
  });

  test.each([
    ["scheduledtime", "tomorrow"],
    ["scheduledtime", "2026-02-01T12:00:00"],
    ["priority", "urgent"],
    ["attempts", 0],
    ["attempts", 1.5],
    ["timeoutms", -1],
    ["dedupkey", ""],
  ])("and how is told in the right form: not %s %s", async (name, value) => {
    const { status, body } = await post({ ...request, [name]: value });
    expect([status, body.errors[0].pointer]).toEqual([422, `/${name}`]);
  });
});
