import { describe, expect, onTestFinished, test, vi } from "vitest";
import { buildControlServer, type ControlPorts } from "#autoscaler/control-api/server";
import type { LimitsView, OverrideRequest } from "#autoscaler/limits-keeper";
import type { LimitsChange } from "#shared/limits/change-limits";
import { createLog } from "#shared/log";
import type { AuditAct } from "#shared/redis/audit-store";
import { keysOnly, testKey } from "#test/support/api-keys";
import { aDocument, anOverride } from "../../shared/limits/limits-builder.ts";
import { calmPorts } from "./build-ports.ts";

const host = "127.0.0.1:7701";
const PATH = "/v1/limits/overrides";
const body = { path: "/queues/shop/depthMax", value: 5, why: "a flood", expiresInMs: null, by: "ana@ops1" };

const changed: LimitsChange = {
  kind: "changed",
  document: aDocument({ revision: 4, overrides: [anOverride()] }),
  replaced: anOverride({ value: 9, by: "ben" }),
};

interface Answers {
  readonly view?: () => Promise<LimitsView>;
  readonly change?: () => Promise<LimitsChange>;
}

/** A server where every change is answered the same, and what was asked for. */
async function serve(
  { view, change = async () => changed }: Answers = {},
  ports: Partial<ControlPorts> = {},
) {
  const set: OverrideRequest[] = [];
  const dropped: string[] = [];
  const acts: AuditAct[] = [];
  const calm = calmPorts();
  const server = await buildControlServer({
    ...calm,
    loopbackOnly: true,
    limits: {
      view: view ?? calm.limits.view,
      set: (request) => {
        set.push(request);
        return change();
      },
      drop: (path) => {
        dropped.push(path);
        return change();
      },
    },
    audit: {
      ...calm.audit,
      record: async (act) => {
        acts.push(act);
      },
    },
    ...ports,
  });
  onTestFinished(() => server.close());
  const put = (payload: object, headers: Record<string, string> = {}) =>
    server.inject({ method: "PUT", url: PATH, headers: { host, ...headers }, payload });
  const drop = (query: string) =>
    server.inject({ method: "DELETE", url: `${PATH}${query}`, headers: { host } });
  return { server, set, dropped, acts, put, drop };
}

describe("GET /v1/limits", () => {
  test("shows base, overrides and what is in force", async () => {
    const { base } = aDocument();
    const view: LimitsView = {
      revision: 3,
      base,
      inForce: base,
      overrides: [{ ...anOverride(), state: "in-force" }],
    };
    const { server } = await serve({ view: async () => view });
    expect((await server.inject({ url: "/v1/limits", headers: { host } })).json()).toEqual(view);
  });

  test("is 503 while Redis is away", async () => {
    const { server } = await serve({ view: () => Promise.reject(new Error("away")) });
    const answer = await server.inject({ url: "/v1/limits", headers: { host } });
    expect([answer.statusCode, answer.json().code]).toEqual([503, "REDIS_UNAVAILABLE"]);
  });
});

describe("PUT /v1/limits/overrides", () => {
  test("sets an override and tells it with the new revision", async () => {
    const { put, set, acts } = await serve();
    const answer = await put({ ...body, expiresInMs: 7_200_000, expected: 3 });
    expect([answer.statusCode, answer.json()]).toEqual([200, { revision: 4, override: anOverride() }]);
    expect(set).toEqual([{ ...body, expiresInMs: 7_200_000, expected: 3 }]);
    expect(acts).toMatchObject([
      {
        action: "limits.set",
        target: body.path,
        before: { value: 9, by: "ben" },
        after: { value: 5, by: "ana", expiresAt: null },
        why: "a flood",
        outcome: "done",
      },
    ]);
  });

  test("notes whom the key names, whoever the body says", async () => {
    const ops = testKey(["ops:write"], { name: "night-shift" });
    const { put, set } = await serve({}, { authentication: keysOnly([ops]) });
    expect((await put(body, ops.bearer)).statusCode).toBe(200);
    expect(set).toMatchObject([{ by: "night-shift" }]);
  });

  test("is not for a key that only reads", async () => {
    const reader = testKey(["ops:read"]);
    const { put, set } = await serve({}, { authentication: keysOnly([reader]) });
    expect((await put(body, reader.bearer)).statusCode).toBe(403);
    expect(set).toEqual([]);
  });

  test.each<[string, object, string, string]>([
    ["without who, where nobody is asked for a key", { by: undefined }, "/by", "required"],
    ["without why", { why: undefined }, "/why", "invalid-type"],
    ["with too short a why", { why: " x " }, "/why", "too-small"],
    ["with a line break in why", { why: "all\nwell" }, "/why", "invalid-format"],
    ["without a path", { path: undefined }, "/path", "invalid-type"],
    ["with too long a path", { path: "x".repeat(201) }, "/path", "too-big"],
    ["without a value", { value: undefined }, "/value", "invalid-union"],
    ["without saying when it ends", { expiresInMs: undefined }, "/expiresInMs", "invalid-type"],
    ["with an end too soon", { expiresInMs: 999 }, "/expiresInMs", "too-small"],
    ["with an end too far off", { expiresInMs: 2_678_400_001 }, "/expiresInMs", "too-big"],
    ["with a revision in a text", { expected: "3" }, "/expected", "invalid-type"],
    ["with an unknown field", { force: true }, "", "unrecognized-keys"],
  ])("refuses a body %s", async (_what, changes, pointer, rule) => {
    const { put, set } = await serve();
    const answer = await put({ ...body, ...changes });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ code: "BODY_INVALID", errors: [{ pointer, rule }] });
    expect(set).toEqual([]);
  });

  test.each<[LimitsChange, number, string]>([
    [{ kind: "full" }, 409, "OVERRIDES_FULL"],
    [{ kind: "conflict", revision: 7 }, 409, "LIMITS_CHANGED"],
    [
      { kind: "refused", issue: { pointer: "/value", rule: "too-small", message: "is too small" } },
      422,
      "LIMIT_INVALID",
    ],
  ])("answers %j with %i %s, and notes that nothing changed", async (change, status, code) => {
    const { put, acts } = await serve({ change: async () => change });
    const answer = await put(body);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    if (change.kind === "refused") expect(answer.json().errors).toEqual([change.issue]);
    expect(acts).toMatchObject([{ outcome: "refused", after: { value: 5, by: "ana@ops1" } }]);
  });

  test("does not say that nothing happened when Redis' answer is lost", async () => {
    const error = vi.fn();
    const log = Object.assign(createLog("test", "silent"), { error });
    const { put, acts } = await serve({ change: () => Promise.reject(new Error("away")) }, { log });
    const answer = await put(body);
    expect([answer.statusCode, answer.json().code]).toEqual([503, "LIMITS_CHANGE_UNKNOWN"]);
    expect(acts).toMatchObject([{ outcome: "unknown" }]);
    expect(error).toHaveBeenCalled();
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", ""])("is not taken as %j", async (type) => {
    const { put, set } = await serve();
    expect((await put(Buffer.from(JSON.stringify(body)), { "content-type": type })).statusCode).toBe(415);
    expect(set).toEqual([]);
  });
});

describe("DELETE /v1/limits/overrides", () => {
  test("drops an override and tells what it was", async () => {
    const { drop, dropped, acts } = await serve();
    const answer = await drop(`?path=${encodeURIComponent(body.path)}`);
    expect(answer.json()).toEqual({ revision: 4, dropped: anOverride({ value: 9, by: "ben" }) });
    expect(dropped).toEqual([body.path]);
    expect(acts).toMatchObject([{ action: "limits.reset", before: { value: 9 }, outcome: "done" }]);
  });

  test("of none is 404", async () => {
    const { drop } = await serve({ change: async () => ({ kind: "not-found" }) });
    const answer = await drop("?path=/queues/shop/depthMax");
    expect([answer.statusCode, answer.json().code]).toEqual([404, "OVERRIDE_NOT_FOUND"]);
  });

  test.each(["", "?path=a&path=b", "?path=a&force=1"])("refuses the query %j", async (query) => {
    const { drop, dropped } = await serve();
    expect((await drop(query)).statusCode).toBe(422);
    expect(dropped).toEqual([]);
  });
});

describe("every other write beside them", () => {
  test.each([
    ["POST", PATH],
    ["PATCH", PATH],
    ["PUT", "/v1/limits"],
    ["DELETE", "/v1/limits"],
    ["PUT", `${PATH}/queues`],
    ["OPTIONS", PATH],
  ] as const)("%s %s is refused", async (method, url) => {
    const { server, set, dropped } = await serve();
    const answer = await server.inject({ method, url, headers: { host }, payload: body });
    expect([answer.statusCode, answer.json().code]).toEqual([405, "METHOD_NOT_ALLOWED"]);
    expect([set, dropped]).toEqual([[], []]);
  });
});
