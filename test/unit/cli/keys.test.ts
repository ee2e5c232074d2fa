import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { parseLifetimeMs } from "#cli/commands/keys/parse-lifetime";
import { testKey } from "#test/support/api-keys";
import { FakeClock } from "#test/support/fake-clock";
import { cliHarness, ok, problem, type RunOptions } from "./cli-harness.ts";

const cli = cliHarness();
const env = { SLUICE_REDIS_URL: "unix:///run/redis.sock" };
const made = testKey(["jobs:write"]);
const { keyId } = made.document;
const { secrets: _secrets, ...rest } = made.document;
const key = { ...rest, secrets: [{ createdAt: rest.createdAt, expiresAt: null as string | null }] };

/** The task gives this answer, and keeps what it was asked and the environment it saw. */
function taskAnswers(answer: unknown, { exitCode = 0, complaint = "" } = {}): void {
  const seen = JSON.stringify(join(cli.directory, "seen.json"));
  cli.workerIs(`
    import { writeFileSync } from "node:fs";
    let text = "";
    for await (const chunk of process.stdin) text += chunk;
    const { SLUICE_API_KEY: apiKey = null, SLUICE_REDIS_URL: redisUrl } = process.env;
    writeFileSync(${seen}, JSON.stringify({ args: process.argv.slice(2), request: JSON.parse(text), apiKey, redisUrl }));
    console.error(${JSON.stringify(complaint)});
    console.log(${JSON.stringify(JSON.stringify(answer))});
    process.exitCode = ${exitCode};
  `);
}

function seen(): {
  args: string[];
  request: Record<string, unknown>;
  apiKey: string | null;
  redisUrl: string;
} {
  return JSON.parse(readFileSync(join(cli.directory, "seen.json"), "utf8"));
}

const run = (args: string, options: RunOptions = {}) =>
  cli.run(["keys", ...args.split(" ")], {
    clock: new FakeClock(),
    ...options,
    env: { ...env, ...options.env },
  });

describe("sluice keys create", () => {
  beforeEach(() => taskAnswers({ kind: "created", key, apiKey: made.text }));

  test("has the key made and shows it once", async () => {
    const told = await run("create --name ci --tenant acme --scope jobs:write,jobs:read --expires 90d");
    expect([told.exitCode, told.stderr]).toEqual([0, ""]);
    expect(told.stdout.split(made.secret)).toHaveLength(2);
    const { args, request, redisUrl } = seen();
    expect([args, redisUrl]).toEqual([["keys"], env.SLUICE_REDIS_URL]);
    const lifetimeMs = 90 * 24 * 60 * 60 * 1_000;
    const scopes = ["jobs:write", "jobs:read"];
    expect(request).toEqual({
      act: "create",
      name: "ci",
      tenant: "acme",
      scopes,
      lifetimeMs,
      by: expect.stringMatching(/^.+@.+$/),
    });
  });

  test("gives the key in the JSON form", async () => {
    const told = await run("create --name ci --tenant acme --scope admin --json");
    expect(JSON.parse(told.stdout)).toMatchObject({ kind: "Key", apiKey: made.text, key: { keyId } });
    expect(seen().request).toMatchObject({ lifetimeMs: null });
  });

  test.each([
    ["--name CI --tenant acme --scope admin", "--name"],
    ["--name ci --tenant Acme --scope admin", "--tenant"],
    ["--name ci --tenant acme --scope jobs:delete", "--scope"],
    ["--name ci --tenant acme --scope admin,", "--scope"],
    ["--name ci --tenant acme --scope admin --expires 0d", "--expires"],
    ["--name ci --tenant acme --scope admin --expires soon", "--expires"],
    ["--name ci --tenant acme --scope admin --expires 9999d", "--expires"],
    ["--name ci --tenant acme", "--scope"],
  ])("refuses %s by its rule, and starts nothing", async (options, named) => {
    cli.workerIs("process.exit(99)");
    const told = await run(`create ${options}`);
    expect(told.exitCode).toBe(2);
    expect(told.stderr).toContain(named);
  });

  test("needs to know where Redis is", async () => {
    const told = await run("create --name ci --tenant acme --scope admin", { env: { SLUICE_REDIS_URL: "" } });
    expect([told.exitCode, told.stderr]).toEqual([2, expect.stringContaining("SLUICE_REDIS_URL")]);
  });
});

describe("sluice keys list", () => {
  test("shows what each key may do and for how long", async () => {
    const now = Date.parse("2026-01-31T12:00:00.000Z");
    const at = (days: number) => new Date(now + days * 86_400_000).toISOString();
    const keys = [
      key,
      { ...key, name: "ends", expiresAt: at(2) },
      { ...key, name: "ended", expiresAt: at(-2) },
      { ...key, name: "gone", revokedAt: at(-1) },
      { ...key, name: "turning", secrets: [...key.secrets, { createdAt: at(-9), expiresAt: at(1) }] },
    ];
    taskAnswers({ kind: "keys", keys });
    const { stdout } = await run("list");
    expect(stdout).toMatch(/ci +acme +jobs:write +live +2026/);
    expect(stdout).toMatch(/ends .* live, 2 d 0 h left/);
    expect(stdout).toMatch(/ended .* expired 2026-01-29/);
    expect(stdout).toMatch(/gone .* revoked 2026-01-30/);
    expect(stdout).toMatch(/turning .* live, rotating/);
    expect(JSON.parse((await run("list --json")).stdout)).toMatchObject({ kind: "Keys", keys });
  });

  test("says when there is none", async () => {
    taskAnswers({ kind: "keys", keys: [] });
    expect((await run("list")).stdout).toBe("There is no key yet.\n");
  });
});

describe("sluice keys rotate and revoke", () => {
  test("give the new secret and say until when the one before is taken", async () => {
    const until = "2026-02-01T12:00:00.000Z";
    const secrets = [...key.secrets, { createdAt: key.createdAt, expiresAt: until }];
    taskAnswers({ kind: "rotated", key: { ...key, secrets }, apiKey: made.text });
    const told = await run(`rotate ${keyId}`);
    expect(told.stdout).toContain(made.text);
    expect(told.stdout).toContain(`taken until ${until}`);
    expect(seen().request).toMatchObject({ act: "rotate", keyId, overlapMs: 24 * 3_600_000 });
    await run(`rotate ${keyId} --overlap 0m`);
    expect(seen().request).toMatchObject({ overlapMs: 0 });
  });

  test("end a key", async () => {
    taskAnswers({ kind: "revoked", key: { ...key, revokedAt: "2026-01-31T12:00:00.000Z" } });
    expect((await run(`revoke ${keyId}`)).stdout).toBe(
      `${keyId} (ci) is revoked; servers follow within a second.\n`,
    );
    expect(seen().request).toMatchObject({ act: "revoke", keyId });
  });

  test("take an id and no whole key, which is not shown again", async () => {
    for (const act of ["rotate", "revoke"]) {
      const told = await run(`${act} ${made.text}`);
      expect(told.exitCode).toBe(2);
      expect(told.stdout + told.stderr).not.toContain(made.secret);
    }
  });

  test.each([
    ["KEY_NOT_FOUND", 3],
    ["KEY_REVOKED", 4],
  ])("tell a refusal as %s with exit %i", async (code, exitCode) => {
    taskAnswers({ kind: "refused", code, message: "It is so." });
    const told = await run(`revoke ${keyId} --json`);
    expect(told.exitCode).toBe(exitCode);
    expect(JSON.parse(told.stdout).error).toMatchObject({ code, message: "It is so." });
  });

  test("tell why the task failed, and that a change may be made all the same", async () => {
    const complaint = JSON.stringify({ code: null, message: "Command timed out", problems: [] });
    taskAnswers(null, { exitCode: 69, complaint });
    const told = await run(`revoke ${keyId}`);
    expect(told.exitCode).toBe(6);
    expect(told.stderr).toMatch(/Command timed out.*sluice keys list/);
  });
});

describe("SLUICE_API_KEY", () => {
  const answers = { "GET /v1/lanes": ok({ observedAt: key.createdAt, queues: [] }) };

  test("is shown to the servers as a bearer, and nothing is shown without it", async () => {
    await cli.run(["lanes", "list"], { answers, env: { SLUICE_API_KEY: made.text } });
    expect(cli.credentials).toEqual([made.bearer.authorization]);
    await cli.run(["lanes", "list"], { answers });
    expect(cli.credentials).toEqual([null]);
  });

  test("is not given to the programs that a command starts", async () => {
    taskAnswers({ kind: "keys", keys: [] });
    await run("list", { env: { SLUICE_API_KEY: made.text } });
    expect(seen().apiKey).toBeNull();
  });

  test("that is none is told by its rule and not by itself", async () => {
    const told = await cli.run(["lanes", "list"], { answers, env: { SLUICE_API_KEY: "slk_hunter2" } });
    expect([told.exitCode, told.stderr]).toEqual([
      2,
      expect.stringContaining("SLUICE_API_KEY: is no API key"),
    ]);
    expect(told.stderr).not.toContain("hunter2");
  });

  test.each([
    [401, "UNAUTHENTICATED"],
    [403, "SCOPE_MISSING"],
  ])("is what the hint names when a server answers %i", async (status, code) => {
    const refusing = { "GET /v1/lanes": problem(status, code) };
    const told = await cli.run(["lanes", "list"], { answers: refusing });
    expect(told.exitCode).toBe(5);
    expect(told.stderr).toContain("SLUICE_API_KEY");
  });
});

describe("a lifetime", () => {
  test("is a number of minutes, hours or days, up to ten years", () => {
    fc.assert(
      fc.property(
        fc.nat(3_650),
        fc.constantFrom(["m", 60_000], ["h", 3_600_000], ["d", 86_400_000]),
        (n, unit) => {
          expect(parseLifetimeMs(`${n}${unit[0]}`)).toBe(n * Number(unit[1]));
        },
      ),
    );
  });

  test.each(["", "90", "d", "-1d", "1.5d", "90 d", "90D", "3651d", "99999999m", "1w"])(
    "is not %j",
    (text) => {
      expect(parseLifetimeMs(text)).toBeNull();
    },
  );
});
