/** The JSON of desired workers: what is known, and how it is refused when it is not. */
import { describe, expect, test } from "vitest";
import { buildControlServer, type ControlPorts } from "#autoscaler/control-api/server";
import { calmPorts } from "./build-ports.ts";

async function get(url: string, desired: ControlPorts["desired"]) {
  const server = await buildControlServer(calmPorts({ desired, desiredPools: ["mail", "shop"] }));
  const { statusCode, headers, body } = await server.inject({ url, headers: { host: "localhost" } });
  await server.close();
  return { statusCode, headers, body: JSON.parse(body) };
}

const known: ControlPorts["desired"] = async ({ pool }) => ({
  kind: "known",
  workers: pool === "mail" ? 3 : 0,
  atMs: Date.UTC(2026, 0, 31, 12),
  decisionId: "mail~3-7",
});

describe("desired workers", () => {
  test("of a pool are told with the target and the decision", async () => {
    const { statusCode, body } = await get("/v1/scaling/desired/mail?release=v2", known);
    expect(statusCode).toBe(200);
    expect(body).toEqual({
      pool: "mail",
      release: "v2",
      target: 1,
      desiredWorkers: 3,
      active: true,
      decidedAt: "2026-01-31T12:00:00.000Z",
      decisionId: "mail~3-7",
    });
  });

  test("of all pools are listed, those not known as null", async () => {
    const { statusCode, body } = await get("/v1/scaling/desired", async (question) =>
      question.pool === "mail" ? known(question) : { kind: "unknown", field: "pool", reason: "old" },
    );
    expect(statusCode).toBe(200);
    expect(body.desired).toMatchObject([
      { pool: "mail", desiredWorkers: 3 },
      { pool: "shop", desiredWorkers: null, active: null, decidedAt: null, decisionId: null },
    ]);
  });

  test.each([
    ["unknown", "pool", 503, "DESIRED_UNKNOWN"],
    ["wrong", "pool", 404, "POOL_NOT_FOUND"],
    ["wrong", "release", 404, "RELEASE_NOT_FOUND"],
  ] as const)("that are %s by their %s are refused with %i", async (kind, field, status, code) => {
    const { statusCode, body } = await get("/v1/scaling/desired/mail", async () => ({
      kind,
      field,
      reason: "why",
    }));
    expect(statusCode).toBe(status);
    expect(body).toMatchObject({ code, detail: `${field}: why.` });
    expect("desiredWorkers" in body).toBe(false);
  });

  test("are not told while Redis is away, nor for a release's id that is none", async () => {
    const away = await get("/v1/scaling/desired", () => Promise.reject(new Error("away")));
    expect(away).toMatchObject({ statusCode: 503, body: { code: "REDIS_UNAVAILABLE" } });
    const wrong = await get("/v1/scaling/desired/mail?release=V%201", known);
    expect(wrong).toMatchObject({ statusCode: 400, body: { code: "QUERY_INVALID" } });
  });
});
