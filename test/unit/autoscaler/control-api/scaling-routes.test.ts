import { describe, expect, onTestFinished, test, vi } from "vitest";
import { buildControlServer, type ControlPorts } from "#autoscaler/control-api/server";
import type { KeptChange } from "#autoscaler/overrides-keeper";
import { createLog } from "#shared/log";
import type { AuditAct } from "#shared/redis/audit-store";
import { keysOnly, testKey } from "#test/support/api-keys";
import { aBounds, aFreeze } from "../../shared/scaling/overrides-builder.ts";
import { overridesView } from "./build-look.ts";
import { calmPorts } from "./build-ports.ts";

const host = "127.0.0.1:7701";
const body = { why: "checkout incident", by: "ada" };

const frozen: KeptChange = {
  kind: "changed",
  document: { revision: 4, freezes: [aFreeze()], bounds: [] },
  set: aFreeze(),
  replaced: null,
};

/** A server where every change is answered the same, and what was asked for. */
async function serve(
  change: () => Promise<KeptChange> = async () => frozen,
  ports: Partial<ControlPorts> = {},
) {
  const asked: (readonly [string, unknown])[] = [];
  const acts: AuditAct[] = [];
  const calm = calmPorts();
  const answer = (what: string) => (request: unknown) => {
    asked.push([what, request]);
    return change();
  };
  const server = await buildControlServer({
    ...calm,
    loopbackOnly: true,
    scaling: {
      view: calm.scaling.view,
      freeze: answer("freeze"),
      thaw: answer("thaw"),
      bound: answer("bound"),
      unbound: answer("unbound"),
    },
    audit: { ...calm.audit, record: async (act) => void acts.push(act) },
    ...ports,
  });
  onTestFinished(() => server.close());
  const send = (method: "PUT" | "DELETE", path: string, payload?: object, headers = {}) =>
    server.inject({
      method,
      url: `/v1/scaling/pools/${path}`,
      headers: { host, ...headers },
      ...(payload && { payload }),
    });
  return { server, asked, acts, send };
}

describe("GET /v1/scaling/overrides", () => {
  test("shows what holds, pool by pool", async () => {
    const { server } = await serve();
    const answer = await server.inject({ url: "/v1/scaling/overrides", headers: { host } });
    expect([answer.statusCode, answer.json()]).toEqual([200, overridesView()]);
  });
});

describe("PUT .../freeze", () => {
  test("freezes for an hour unless told otherwise, and keeps who, what and why", async () => {
    const { send, asked, acts } = await serve();
    const answer = await send("PUT", "shop/freeze", body);
    const { held: _held, ...set } = aFreeze();
    expect([answer.statusCode, answer.json()]).toEqual([200, { revision: 4, set, replaced: null }]);
    const request = { ...body, pool: "shop", hard: false, expiresInMs: 3_600_000, expected: null };
    expect(asked).toEqual([["freeze", request]]);
    expect(acts).toMatchObject([
      { action: "scaling.freeze", target: "shop", why: body.why, after: set, outcome: "done" },
    ]);
  });

  test("takes * for all pools, hard, with an end and a revision", async () => {
    const { send, asked } = await serve();
    await send("PUT", "*/freeze", { ...body, hard: true, expiresInMs: 604_800_000, expected: 3 });
    expect(asked).toMatchObject([
      ["freeze", { pool: "*", hard: true, expiresInMs: 604_800_000, expected: 3 }],
    ]);
  });

  test("notes whom the key names, whoever the body says, and is not for a key that only reads", async () => {
    const [ops, reader] = [testKey(["ops:write"], { name: "night-shift" }), testKey(["ops:read"])];
    const { send, asked } = await serve(undefined, { authentication: keysOnly([ops, reader]) });
    expect((await send("PUT", "shop/freeze", body, ops.bearer)).statusCode).toBe(200);
    expect((await send("PUT", "shop/freeze", body, reader.bearer)).statusCode).toBe(403);
    expect((await send("DELETE", "shop/freeze", undefined, reader.bearer)).statusCode).toBe(403);
    expect(asked).toMatchObject([["freeze", { by: "night-shift" }]]);
  });

  test.each<[object, string, string]>([
    [{ by: undefined }, "/by", "required"],
    [{ why: undefined }, "/why", "invalid-type"],
    [{ why: "x" }, "/why", "too-small"],
    [{ why: "all\nwell" }, "/why", "invalid-format"],
    [{ expiresInMs: 999 }, "/expiresInMs", "too-small"],
    [{ expiresInMs: 604_800_001 }, "/expiresInMs", "too-big"],
    [{ expiresInMs: null }, "/expiresInMs", "invalid-type"],
    [{ hard: "yes" }, "/hard", "invalid-type"],
    [{ until: "tomorrow" }, "", "unrecognized-keys"],
  ])("refuses a body with %j", async (changes, pointer, rule) => {
    const { send, asked } = await serve();
    const answer = await send("PUT", "shop/freeze", { ...body, ...changes });
    expect([answer.statusCode, answer.json().code]).toEqual([422, "BODY_INVALID"]);
    expect(answer.json().errors).toMatchObject([{ pointer, rule }]);
    expect(asked).toEqual([]);
  });

  test.each<[KeptChange, number, string]>([
    [{ kind: "unknown-pool", pools: ["shop"] }, 404, "POOL_UNKNOWN"],
    [{ kind: "full" }, 409, "SCALING_OVERRIDES_FULL"],
    [{ kind: "conflict", revision: 7 }, 409, "SCALING_OVERRIDES_CHANGED"],
  ])("answers %j with %i %s, and notes that nothing changed", async (change, status, code) => {
    const { send, acts } = await serve(async () => change);
    const answer = await send("PUT", "shop/freeze", body);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect(acts).toMatchObject([{ outcome: "refused", why: body.why }]);
  });

  test("does not say that nothing happened when Redis' answer is lost", async () => {
    const error = vi.fn();
    const log = Object.assign(createLog("test", "silent"), { error });
    const { send, acts } = await serve(() => Promise.reject(new Error("away")), { log });
    const answer = await send("PUT", "shop/freeze", body);
    expect([answer.statusCode, answer.json().code]).toEqual([503, "SCALING_CHANGE_UNKNOWN"]);
    expect(acts).toMatchObject([{ outcome: "unknown" }]);
    expect(error).toHaveBeenCalled();
  });
});

describe("PUT .../bounds", () => {
  test("sets one or both, and says which rule others break", async () => {
    const set = aBounds();
    const { send, asked } = await serve(async () => ({ ...frozen, set }));
    const answer = await send("PUT", "shop/bounds", { ...body, workersMax: 8 });
    expect(answer.json()).toMatchObject({ set });
    expect(asked).toMatchObject([
      ["bound", { pool: "shop", workersMin: null, workersMax: 8, beyondConfig: false }],
    ]);

    const issue = {
      pointer: "/workersMin",
      rule: "min-above-max",
      message: "is above workersMax, which is 3",
    };
    const refused = await (await serve(async () => ({ kind: "refused", issue }))).send("PUT", "shop/bounds", {
      ...body,
      workersMin: 4,
      workersMax: 3,
    });
    expect([refused.statusCode, refused.json().code]).toEqual([422, "BOUNDS_INVALID"]);
    expect(refused.json().errors).toEqual([issue]);
  });

  test.each([-1, 1.5, "3", 1_001])("refuses %j workers", async (workersMax) => {
    const { send, asked } = await serve();
    expect((await send("PUT", "shop/bounds", { ...body, workersMax })).statusCode).toBe(422);
    expect(asked).toEqual([]);
  });
});

describe("DELETE", () => {
  test.each([
    ["freeze", "thaw", "scaling.thaw"],
    ["bounds", "unbound", "scaling.reset"],
  ])("of %s tells what is no longer set", async (path, act, action) => {
    const { send, asked, acts } = await serve(async () => ({ ...frozen, set: null, replaced: aFreeze() }));
    const answer = await send("DELETE", `shop/${path}?expected=3`);
    expect(answer.json()).toMatchObject({ revision: 4, set: null, replaced: { by: "ada" } });
    expect(asked).toEqual([[act, { pool: "shop", expected: 3 }]]);
    expect(acts).toMatchObject([{ action, before: { by: "ada" }, outcome: "done" }]);
  });

  test("of what is not set is 404, and of a wrong revision 422", async () => {
    const { send } = await serve(async () => ({ kind: "not-found" }));
    const answer = await send("DELETE", "shop/freeze");
    expect([answer.statusCode, answer.json().code]).toEqual([404, "SCALING_OVERRIDE_NOT_FOUND"]);
    expect((await send("DELETE", "shop/freeze?expected=-1")).statusCode).toBe(422);
  });
});
