import { describe, expect, test } from "vitest";
import { type Answers, cliHarness, ESC, ok, problem } from "./cli-harness.ts";

const cli = cliHarness();
const run = (args: readonly string[], answers: Answers = {}) => cli.run(args, { answers });

const PUT = "PUT /v1/limits/overrides";
const PATH = "/queues/shop/depthMax";
const DELETE = `DELETE /v1/limits/overrides?path=${encodeURIComponent(PATH)}`;

function override(changes: object = {}) {
  return {
    path: PATH,
    value: 500,
    by: "ana@box",
    at: "2026-01-31T12:00:00.000Z",
    why: "a sale",
    expiresAt: null,
    ...changes,
  };
}

function limits(changes: object = {}) {
  const throttle = {
    name: "free",
    per: "tenant",
    value: "*",
    algorithm: "token-bucket",
    limit: 100,
    windowMs: 60_000,
    burst: 20,
  };
  return {
    revision: 3,
    base: {},
    inForce: { queues: { shop: { depthMax: 500, priorities: false } }, throttles: [throttle] },
    overrides: [{ ...override(), state: "in-force" }],
    ...changes,
  };
}

describe("limits get", () => {
  test("shows queues, throttles and overrides, and nothing in it moves the terminal", async () => {
    const hostile = {
      ...override({ why: `all ${ESC}[2J`, expiresAt: "2026-02-01T00:00:00.000Z" }),
      state: "expired",
    };
    const answer = limits({ overrides: [{ ...override(), state: "in-force" }, hostile] });
    const { exitCode, stdout } = await run(["limits", "get"], { "GET /v1/limits": ok(answer) });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/QUEUE +depthMax +priorities\n +shop +500 +false/);
    expect(stdout).toMatch(/free +tenant +each +token-bucket +100 +1 m 0 s +20 +by type/);
    expect(stdout).toMatch(/\/queues\/shop\/depthMax +500 +in-force +reset +ana@box +a sale/);
    expect(stdout).toMatch(/expired +2026-02-01T00:00:00\.000Z +ana@box +all \\x1b\[2J/);
    expect(stdout).not.toContain(ESC);
  });

  test("says that nothing is limited where nothing is, and passes the answer on in JSON", async () => {
    const answer = limits({ inForce: { queues: {}, throttles: [] }, overrides: [] });
    const { stdout } = await run(["limits", "get"], { "GET /v1/limits": ok(answer) });
    expect(stdout).toContain("none: nobody is held back");
    const json = await run(["limits", "get", "--json"], { "GET /v1/limits": ok(answer) });
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: "Limits", limits: answer });
  });
});

describe("limits set", () => {
  const set = ["limits", "set", PATH];
  const why = ["--why", "a sale"];

  test("sends what it was told, and says until when it holds", async () => {
    const answers = {
      [PUT]: ok({ revision: 4, override: override({ expiresAt: "2026-01-31T14:00:00.000Z" }) }),
    };
    const options = ["--for", "2h", "--by", "ana", "--expected", "3"];
    const { exitCode, stdout } = await run([...set, "500", ...why, ...options], answers);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: "/queues/shop/depthMax  500 until 2026-01-31T14:00:00.000Z\n",
    });
    expect(cli.received).toEqual([
      { path: PATH, value: 500, why: "a sale", by: "ana", expiresInMs: 7_200_000, expected: 3 },
    ]);
  });

  test.for([
    ["true", true],
    ["null", null],
    ["delay", "delay"],
    ['{"per":"key"}', { per: "key" }],
  ] as const)("reads the value %s", async ([typed, value]) => {
    const { stdout } = await run([...set, typed, ...why], {
      [PUT]: ok({ revision: 4, override: override() }),
    });
    expect(cli.received).toMatchObject([
      { value, expiresInMs: null, expected: null, by: expect.stringMatching(/@/) },
    ]);
    expect(stdout).toContain("until it is reset");
  });

  test.for([
    [422, "LIMIT_INVALID", "`sluice limits get` shows the queues"],
    [409, "LIMITS_CHANGED", "decide again"],
    [409, "OVERRIDES_FULL", "makes room"],
  ] as const)("that is refused with %i %s exits with 4 and says what to do", async ([status, code, hint]) => {
    const { exitCode, stderr } = await run([...set, "5", ...why], { [PUT]: problem(status, code) });
    expect(exitCode).toBe(4);
    expect(stderr).toContain(hint);
  });

  test("says that it is not known whether the limit changed, when it is not", async () => {
    const { exitCode, stderr } = await run([...set, "5", ...why], {
      [PUT]: problem(503, "LIMITS_CHANGE_UNKNOWN"),
    });
    expect(exitCode).toBe(6);
    expect(stderr).toContain("not known whether the limit changed");
  });

  test.for([
    [[...set, "5"]],
    [[...set, "5", "--why", "x"]],
    [[...set, "5 jobs", ...why]],
    [[...set, "5", ...why, "--for", "long"]],
    [[...set, "5", ...why, "--for", "500ms"]],
    [[...set, "5", ...why, "--expected", "-1"]],
    [["limits", "reset"]],
  ])("%j is a wrong usage, and nothing is sent", async ([wrong = []]) => {
    const { exitCode } = await run(wrong, { [PUT]: ok({ revision: 4, override: override() }) });
    expect(exitCode).toBe(2);
    expect(cli.received).toEqual([]);
  });
});

describe("limits reset", () => {
  test("drops what was set", async () => {
    const { exitCode, stdout } = await run(["limits", "reset", PATH], {
      [DELETE]: ok({ revision: 5, dropped: override() }),
    });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: "/queues/shop/depthMax  is what the configuration says again\n",
    });
  });

  test("of what is not set exits with 3", async () => {
    const { exitCode, stderr } = await run(["limits", "reset", PATH], {
      [DELETE]: problem(404, "OVERRIDE_NOT_FOUND"),
    });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("`sluice limits get` shows what is set");
  });
});
