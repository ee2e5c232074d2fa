import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ConfigInvalidError } from "#shared/errors";
import { listenSettings, listenVariables, processSettings, processVariables } from "#shared/process-env";
import { count, durationMs, flag, readConfig } from "#shared/read-config";

/** What is refused, as the error lists it. */
function problemsOf(schema: z.ZodType, env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigInvalidError) return error.problems;
    throw error;
  }
  return [];
}

const processEnv = z.object({ ...processVariables, ...listenVariables }).transform((env) => ({
  ...processSettings(env),
  ...listenSettings(env),
}));

const REDIS = { SLUICE_REDIS_URL: "redis://127.0.0.1:6379" };

describe("readConfig", () => {
  const schema = z.object({
    SIZE: count(1, 10),
    WAIT_MS: durationMs(0, 60_000).default(500),
    ON: flag().default(false),
    NAME: z.string().regex(/^[a-z]+$/, "must be lower-case letters"),
  });

  test("gives values of their own types and ignores other variables", () => {
    expect(readConfig(schema, { SIZE: "3", WAIT_MS: "0", ON: "yes", NAME: "x", PATH: "/bin" })).toEqual({
      SIZE: 3,
      WAIT_MS: 0,
      ON: true,
      NAME: "x",
    });
  });

  test("takes an empty variable for a missing one", () => {
    expect(readConfig(schema, { SIZE: "3", WAIT_MS: "", ON: "", NAME: "x" })).toMatchObject({
      WAIT_MS: 500,
      ON: false,
    });
    expect(problemsOf(schema, { SIZE: "", NAME: "x" })).toEqual(problemsOf(schema, { NAME: "x" }));
    expect(problemsOf(schema, { SIZE: "", NAME: "x" })).toHaveLength(1);
  });

  test("lists every problem in one error", () => {
    const problems = problemsOf(schema, { SIZE: "0", WAIT_MS: "x", ON: "perhaps", NAME: "X" });
    expect(problems.map((it) => it.split(":")[0])).toEqual(["SIZE", "WAIT_MS", "ON", "NAME"]);
  });

  test("never shows a value, only names and rules", () => {
    const secret = "hunter2-hunter2";
    const env = { SIZE: secret, WAIT_MS: secret, ON: secret, NAME: `${secret}!` };
    expect(problemsOf(schema, env).join("\n")).not.toContain("hunter2");
    expect(() => readConfig(schema, env)).not.toThrow(/hunter2/);
  });

  test.each(["1.5", "1e2", "0x5", " 5", "5 ", "-1", "+1", "٣", "99999999999999999999", "11", "0"])(
    "refuses %j as a whole number from 1 to 10",
    (text) => {
      expect(problemsOf(z.object({ SIZE: count(1, 10) }), { SIZE: text })).toEqual([
        expect.stringMatching(/^SIZE: must be (a whole number from 1 to 10|at least 1|at most 10)$/),
      ]);
    },
  );

  test.each(["1", "10", "007"])("takes %s as one", (text) => {
    expect(readConfig(z.object({ SIZE: count(1, 10) }), { SIZE: text }).SIZE).toBe(Number(text));
  });
});

describe("the variables of every process", () => {
  test("have defaults, all but where Redis is", () => {
    expect(readConfig(processEnv, REDIS)).toEqual({
      redisUrl: "redis://127.0.0.1:6379",
      prefix: "sluice",
      durability: { required: "disk", asserted: false },
      logLevel: "info",
      host: "127.0.0.1",
      auth: "off",
    });
    expect(problemsOf(processEnv, {})).toEqual([expect.stringMatching(/^SLUICE_REDIS_URL: is required/)]);
  });

  test.each(["redis://h:1", "rediss://user:pw@h", "unix:///run/redis.sock"])("take %s for Redis", (url) => {
    expect(readConfig(processEnv, { SLUICE_REDIS_URL: url }).redisUrl).toBe(url);
  });

  test("take the address of Redis from a file, unless it is said outright", () => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-config-"));
    try {
      const path = join(directory, "redis-url");
      writeFileSync(path, "redis://:hunter2@h:1\n");
      const file = { SLUICE_REDIS_URL_FILE: path };
      expect(readConfig(processEnv, file).redisUrl).toBe("redis://:hunter2@h:1");
      expect(readConfig(processEnv, { ...file, ...REDIS }).redisUrl).toBe(REDIS.SLUICE_REDIS_URL);
      writeFileSync(path, "http://hunter2");
      expect(problemsOf(processEnv, file).join()).not.toContain("hunter2");
      expect(problemsOf(processEnv, { SLUICE_REDIS_URL_FILE: join(directory, "none") })).toEqual([
        expect.stringMatching(/^SLUICE_REDIS_URL_FILE: the file cannot be read \(ENOENT\)/),
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("refuse another kind of URL without showing its password", () => {
    const problems = problemsOf(processEnv, { SLUICE_REDIS_URL: "http://user:hunter2@h" });
    expect(problems).toEqual(["SLUICE_REDIS_URL: must start with redis://, rediss:// or unix://"]);
  });

  test.each([
    ["SLUICE_REDIS_PREFIX", "sluice:prod", "must be 1 to 32 lower-case letters, digits and dashes"],
    ["SLUICE_DURABILITY", "forever", "must be one of process, disk"],
    ["SLUICE_AUTH", "yes", "must be keys or off"],
    ["SLUICE_LOG_LEVEL", "loud", "must be one of silent, error, warn, info, debug"],
  ])("refuse a wrong %s by its rule", (name, value, rule) => {
    expect(problemsOf(processEnv, { ...REDIS, [name]: value })).toEqual([`${name}: ${rule}`]);
  });

  test("refuse an assertion that is neither yes nor no, and never take it for yes", () => {
    const name = "SLUICE_DURABILITY_ASSERTED";
    expect(problemsOf(processEnv, { ...REDIS, [name]: "ja" })).toEqual([expect.stringMatching(`^${name}: `)]);
    expect(readConfig(processEnv, { ...REDIS, [name]: "false" }).durability.asserted).toBe(false);
  });

  test.each([
    ["127.0.0.1", undefined, "off"],
    ["::1", "", "off"],
    ["127.0.0.1", "keys", "keys"],
    ["0.0.0.0", undefined, "keys"],
    ["ops.example", "", "keys"],
    ["0.0.0.0", "off", "off"],
  ])("ask for keys beyond loopback unless told: on %s with SLUICE_AUTH=%s it is %s", (host, named, auth) => {
    const env = { ...REDIS, SLUICE_HOST: host, SLUICE_AUTH: named };
    expect(readConfig(processEnv, env)).toMatchObject({ host, auth });
  });
});
