import { describe, expect, onTestFinished, test, vi } from "vitest";
import { buildControlServer, type ControlPorts } from "#autoscaler/control-api/server";
import type { GateMove } from "#autoscaler/gate-keeper";
import { createLog } from "#shared/log";
import type { AuditAct } from "#shared/redis/audit-store";
import type { GateDecision, GateRefusal } from "#shared/registry/decide-gate";
import { EMPTY_REGISTRY } from "#shared/registry/registry-document";
import { keysOnly, testKey } from "#test/support/api-keys";
import { gateView } from "./build-look.ts";
import { calmPorts } from "./build-ports.ts";

const host = "127.0.0.1:7701";
const PATH = "/v1/gates/receipt.render";
const body = { version: 3, by: "ana@ops1", why: "soaked for a day" };

/** A server on loopback where every move is made, and the moves that were asked for. */
async function serve(changes: Partial<ControlPorts> = {}) {
  const moves: GateMove[] = [];
  const moved: GateDecision = { kind: "moved", from: 2, document: EMPTY_REGISTRY };
  const acts: AuditAct[] = [];
  const server = await buildControlServer(
    calmPorts({
      loopbackOnly: true,
      gates: async () => [gateView()],
      moveGate: async (move) => {
        moves.push(move);
        return moved;
      },
      audit: {
        ...calmPorts().audit,
        record: async (act) => {
          acts.push(act);
        },
      },
      ...changes,
    }),
  );
  onTestFinished(() => server.close());
  const get = (url: string) => server.inject({ url, headers: { host } });
  const post = (payload: unknown, { url = PATH, type = "application/json" } = {}) =>
    server.inject({
      method: "POST",
      url,
      headers: { host, "content-type": type },
      payload: typeof payload === "string" ? payload : JSON.stringify(payload),
    });
  return { server, moves, acts, get, post };
}

describe("GET /v1/gates", () => {
  test("lists the gates, and one is asked for by its type", async () => {
    const gates = [gateView(), gateView({ type: "csv.summarise" })];
    const { get } = await serve({ gates: async () => gates });
    expect((await get("/v1/gates")).json()).toEqual({ gates });
    expect((await get("/v1/gates/csv.summarise")).json()).toEqual(gates[1]);
  });

  test("does not know a type that nobody has published", async () => {
    const answer = await (await serve()).get("/v1/gates/mail.send");
    expect(answer.statusCode).toBe(404);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({
      code: "TYPE_UNKNOWN",
      detail: "No release has published the type mail.send.",
    });
  });

  test("is 503 while Redis is away", async () => {
    const { get } = await serve({ gates: () => Promise.reject(new Error("away")) });
    for (const url of ["/v1/gates", PATH]) {
      const answer = await get(url);
      expect([answer.statusCode, answer.json().code]).toEqual([503, "REDIS_UNAVAILABLE"]);
      expect(answer.headers["retry-after"]).toBe("1");
    }
  });

  test.each(["%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%22%2C%22status%22%3A200%2C%22", "%E2%80%AE%00%0D%0Ax"])(
    "gives the hostile type %s back as a text in JSON and nowhere else",
    async (type) => {
      const answer = await (await serve()).get(`/v1/gates/${type}`);
      expect(answer.statusCode).toBe(404);
      expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
      expect(answer.json().detail).toBe(`No release has published the type ${decodeURIComponent(type)}.`);
      // No control character stands in the answer as itself.
      expect(answer.body).not.toMatch(/\p{Cc}/u);
      const told = Object.entries(answer.headers).filter(([name]) => name !== "content-length");
      expect(JSON.stringify(told)).not.toContain("script");
    },
  );
});

describe("POST /v1/gates/{type}", () => {
  test("moves the gate and says from where", async () => {
    const { post, moves } = await serve();
    const answer = await post({ ...body, expected: 2, force: true, sunset: "2027-01-01T00:00:00+01:00" });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { type: "receipt.render", from: 2, activeversion: 3, moved: true },
    ]);
    expect(moves).toEqual([
      // In UTC, as every time in the registry.
      { type: "receipt.render", ...body, expected: 2, force: true, sunset: "2026-12-31T23:00:00.000Z" },
    ]);
  });

  test.each([{}, { expected: null, sunset: null }])("takes the short form with %o", async (rest) => {
    const { post, moves } = await serve();
    expect((await post({ ...body, ...rest })).statusCode).toBe(200);
    expect(moves).toEqual([{ type: "receipt.render", ...body, expected: null, force: false, sunset: null }]);
  });

  test("keeps who and why without the space around them", async () => {
    const { post, moves } = await serve();
    await post({ ...body, by: " ana ", why: " because\n" });
    expect(moves).toMatchObject([{ by: "ana", why: "because" }]);
  });

  test("takes letters of every script", async () => {
    const { post, moves } = await serve();
    await post({ ...body, by: "Żaneta 👩🏽‍💻", why: "理由がある" });
    expect(moves).toMatchObject([{ by: "Żaneta 👩🏽‍💻", why: "理由がある" }]);
  });

  test("says that nothing moved when the gate was there", async () => {
    const { post } = await serve({ moveGate: async () => ({ kind: "unchanged", activeVersion: 3 }) });
    expect((await post(body)).json()).toMatchObject({ from: 3, activeversion: 3, moved: false });
  });

  test.each<[GateRefusal, number, string, string | undefined]>([
    ["type-unknown", 404, "TYPE_UNKNOWN", undefined],
    ["version-unknown", 409, "VERSION_UNKNOWN", undefined],
    ["gate-moved", 409, "GATE_MOVED", undefined],
    ["no-reader", 409, "NO_READER", undefined],
    ["more-than-one-step", 409, "MORE_THAN_ONE_STEP", undefined],
    // These two may be otherwise in a moment.
    ["load-unknown", 409, "LOAD_UNKNOWN", "10"],
    ["slots-missing", 409, "SLOTS_MISSING", "10"],
  ])("answers the refusal %s with %i %s and Retry-After %s", async (code, status, told, retryAfter) => {
    const { post } = await serve({ moveGate: async () => ({ kind: "refused", code, reason: "it is so" }) });
    const answer = await post(body);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ status, code: told, detail: "It is so." });
    expect(answer.headers["retry-after"]).toBe(retryAfter);
  });

  test("is made in the name of the key, whatever the body says", async () => {
    const key = testKey(["ops:write"], { name: "deploy" });
    const { server, moves, acts } = await serve({ authentication: keysOnly([key]) });
    for (const by of [undefined, "somebody-else"]) {
      const headers = { host, ...key.bearer };
      const answer = await server.inject({ method: "POST", url: PATH, headers, payload: { ...body, by } });
      expect(answer.statusCode).toBe(200);
    }
    expect(moves.map((it) => it.by)).toEqual(["deploy", "deploy"]);
    const { keyId } = key.document;
    expect(acts).toMatchObject([
      { keyId, name: "deploy", tenant: "acme", action: "gate.move", target: "receipt.render" },
      { keyId, name: "deploy", tenant: "acme", action: "gate.move", target: "receipt.render" },
    ]);
  });

  test.each<[string, () => Promise<GateDecision>, object]>([
    [
      "moved",
      async () => ({ kind: "moved", from: 2, document: EMPTY_REGISTRY }),
      { outcome: "done", before: { activeversion: 2 }, after: { activeversion: 3, by: "ana@ops1" } },
    ],
    [
      "refused",
      async () => ({ kind: "refused", code: "no-reader", reason: "it is so" }),
      { outcome: "refused", after: { refused: "no-reader", asked: 3 } },
    ],
    [
      "not answered",
      () => Promise.reject(new Error("away")),
      { outcome: "unknown", after: { activeversion: 3 } },
    ],
  ])("is recorded with its reason when it is %s", async (_what, moveGate, entry) => {
    const { post, acts } = await serve({ moveGate });
    await post(body);
    const actor = { keyId: null, name: "anonymous", tenant: "default", requestId: expect.any(String) };
    expect(acts).toMatchObject([{ ...actor, why: "soaked for a day", ...entry }]);
  });

  test("is refused by another host name, which is how a page elsewhere would reach it", async () => {
    const { server, moves } = await serve();
    const headers = { host: "rebound.example:7701", "content-type": "application/json" };
    const answer = await server.inject({ method: "POST", url: PATH, headers, payload: body });
    expect(answer.statusCode).toBe(421);
    expect(moves).toEqual([]);
  });

  test("does not say that nothing happened when Redis' answer is lost", async () => {
    const error = vi.fn();
    const log = Object.assign(createLog("test", "silent"), { error });
    const away = new Error("Redis did not answer in time");
    const { post } = await serve({ moveGate: () => Promise.reject(away), log });
    const answer = await post(body);
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({
      code: "GATE_MOVE_UNKNOWN",
      detail: "Redis did not answer, so it is not known whether the gate moved; look before trying again.",
    });
    // Trying again at once is not what helps.
    expect(answer.headers["retry-after"]).toBeUndefined();
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ err: away }), expect.any(String));
  });

  test("shows nothing of a bug, and does not blame Redis for it", async () => {
    const { post } = await serve({ moveGate: () => Promise.reject(new TypeError("secret")) });
    const answer = await post(body);
    expect([answer.statusCode, answer.json().code]).toEqual([500, "INTERNAL"]);
    expect(answer.body).not.toContain("secret");
  });
});

describe("a body is refused", () => {
  test.each([
    ["not an object", [body], "", "invalid-type"],
    ["null", null, "", "invalid-type"],
    ["without a version", { ...body, version: undefined }, "/version", "invalid-type"],
    ["with a version in a text", { ...body, version: "3" }, "/version", "invalid-type"],
    ["with half a version", { ...body, version: 2.5 }, "/version", "invalid-type"],
    ["with version 0", { ...body, version: 0 }, "/version", "too-small"],
    ["with a version beyond whole numbers", { ...body, version: 2 ** 53 }, "/version", "too-big"],
    ["with a negative expectation", { ...body, expected: -1 }, "/expected", "too-small"],
    ["with force in a text", { ...body, force: "true" }, "/force", "invalid-type"],
    ["with a sunset without a time", { ...body, sunset: "2027-01-01" }, "/sunset", "invalid-format"],
    [
      "with a sunset without an offset",
      { ...body, sunset: "2027-01-01T00:00:00" },
      "/sunset",
      "invalid-format",
    ],
    ["with a sunset on no day", { ...body, sunset: "2027-02-30T00:00:00Z" }, "/sunset", "invalid-format"],
    ["without who", { ...body, by: undefined }, "/by", "invalid-type"],
    ["with an empty who", { ...body, by: "  " }, "/by", "too-small"],
    ["with too long a who", { ...body, by: "x".repeat(129) }, "/by", "too-big"],
    ["with a line break in who", { ...body, by: "ana\neve" }, "/by", "invalid-format"],
    ["with an escape sequence in why", { ...body, why: "all \u001b[2J well" }, "/why", "invalid-format"],
    ["with a line separator in why", { ...body, why: "all\u2028well" }, "/why", "invalid-format"],
    ["with half a character in why", { ...body, why: "all \ud800 well" }, "/why", "invalid-format"],
    ["without why", { ...body, why: undefined }, "/why", "invalid-type"],
    ["with too short a why", { ...body, why: " ok " }, "/why", "too-small"],
    ["with too long a why", { ...body, why: "x".repeat(501) }, "/why", "too-big"],
  ])("%s", async (_what, payload, pointer, rule) => {
    const { post, moves } = await serve();
    const answer = await post(payload);
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({ code: "BODY_INVALID", errors: [{ pointer, rule }] });
    expect(moves).toEqual([]);
  });

  test.each(["forced", "__proto__x", "type"])("with the unknown field %s, which is named", async (field) => {
    const { post, moves } = await serve();
    const answer = await post({ ...body, [field]: true });
    expect(answer.json()).toMatchObject({
      status: 422,
      errors: [{ pointer: "", rule: "unrecognized-keys" }],
    });
    expect(answer.json().errors[0].message).toContain(field);
    expect(moves).toEqual([]);
  });

  test("with every problem at once", async () => {
    const answer = await (await serve()).post({ version: "x", by: "", why: 1 });
    expect(answer.json().errors.map((it: { pointer: string }) => it.pointer)).toEqual([
      "/version",
      "/by",
      "/why",
    ]);
  });

  test.each([
    ["text/plain", 415],
    ["text/plain; charset=utf-8", 415],
    ["application/x-www-form-urlencoded", 415],
    ["multipart/form-data; boundary=x", 415],
    ["application/xml", 415],
    ["", 415],
  ])("with the content type %j, which a page elsewhere may send: %i", async (type, status) => {
    const { post, moves } = await serve();
    const answer = await post(body, { type });
    expect([answer.statusCode, answer.json().status]).toEqual([status, status]);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(moves).toEqual([]);
  });

  test.each([
    ["that is not JSON", "{version:3}"],
    ["that is cut off", '{"version":3'],
    ["that is empty", ""],
    ["that reaches for prototypes", '{"version":3,"by":"ana","why":"because","__proto__":{"force":true}}'],
  ])("%s: 400", async (_what, text) => {
    const { post, moves } = await serve();
    const answer = await post(text);
    expect([answer.statusCode, answer.json().code]).toEqual([400, "BAD_REQUEST"]);
    expect(moves).toEqual([]);
  });

  test("that is too large: 413", async () => {
    const { post, moves } = await serve();
    const answer = await post({ ...body, why: "x".repeat(5_000) });
    expect(answer.statusCode).toBe(413);
    expect(moves).toEqual([]);
  });
});

describe("every other write", () => {
  test.each([
    ["PUT", PATH],
    ["PATCH", PATH],
    ["DELETE", PATH],
    // A preflight is not answered, so a page elsewhere cannot send JSON.
    ["OPTIONS", PATH],
    ["POST", "/v1/gates"],
    ["POST", `${PATH}/`],
    ["POST", `${PATH}/move`],
    ["POST", "/V1/gates/receipt.render"],
    ["POST", "/v1//gates/receipt.render"],
    ["POST", "/v1/fleet/gates/receipt.render"],
    ["POST", "/v1/releases/shop-1/retirement"],
    ["POST", "/v1/lanes/shop.r1/retirement"],
    ["DELETE", "/v1/lanes/shop.r1"],
  ] as const)("%s %s is refused", async (method, url) => {
    const { server, moves } = await serve();
    const answer = await server.inject({ method, url, headers: { host }, payload: body });
    expect([answer.statusCode, answer.json().code]).toEqual([405, "METHOD_NOT_ALLOWED"]);
    expect(moves).toEqual([]);
  });

  test("spelled as this one by percent signs is this one, with its rules", async () => {
    const key = testKey(["ops:read"]);
    const { server, moves } = await serve({ authentication: keysOnly([key]) });
    const url = "/%76%31/gates/receipt%2Erender";
    const headers = { host, ...key.bearer };
    const answer = await server.inject({ method: "POST", url, headers, payload: body });
    expect([answer.statusCode, answer.json().code]).toEqual([403, "SCOPE_MISSING"]);
    expect(moves).toEqual([]);
  });
});
