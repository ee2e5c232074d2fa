import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { forgetDevNote, readDevNote, writeDevNote } from "#cli/dev/dev-note";
import { findDevRun, findRedisUrl } from "#cli/find-redis-url";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-test-"));
  mkdirSync(join(directory, ".sluice"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const note = () => ({
  redisUrl: `unix://${inject("redisSocketPath")}`,
  configPath: "/app/sluice.config.json",
});

describe("what a running `sluice dev` leaves behind", () => {
  test("can be read by its owner only, also when an earlier file could be read by others", () => {
    const dataDir = join(directory, ".sluice");
    writeFileSync(join(dataDir, "dev.json"), "old", { mode: 0o644 });
    writeDevNote(dataDir, note());
    expect(statSync(join(dataDir, "dev.json")).mode & 0o777).toBe(0o600);
    expect(readDevNote(dataDir)).toEqual(note());
    forgetDevNote(dataDir);
    forgetDevNote(dataDir);
    expect(existsSync(join(dataDir, "dev.json"))).toBe(false);
  });

  test("is nothing when it cannot be read", () => {
    expect(readDevNote(join(directory, "none"))).toBeNull();
    writeFileSync(join(directory, "dev.json"), '{"redisUrl":1}');
    expect(readDevNote(directory)).toBeNull();
  });
});

describe("where the jobs are kept", () => {
  test("is what the environment says, before anything else", async () => {
    writeDevNote(join(directory, ".sluice"), note());
    const env = { SLUICE_REDIS_URL: "redis://elsewhere:6379" };
    expect(await findRedisUrl({ env, cwd: directory })).toBe("redis://elsewhere:6379");
  });

  test("is the Redis of the `sluice dev` that runs in this directory", async () => {
    writeDevNote(join(directory, ".sluice"), note());
    expect(await findRedisUrl({ env: { SLUICE_REDIS_URL: "" }, cwd: directory })).toBe(note().redisUrl);
    expect(await findDevRun({ env: {}, cwd: directory })).toEqual(note());
    const other = { env: { SLUICE_DATA_DIR: join(directory, ".sluice") }, cwd: "/" };
    expect(await findRedisUrl(other)).toBe(note().redisUrl);
  });

  test("is not known when none runs, and the variable is named", async () => {
    await expect(findRedisUrl({ env: {}, cwd: directory })).rejects.toThrow("SLUICE_REDIS_URL");
    writeDevNote(join(directory, ".sluice"), { ...note(), redisUrl: `unix://${directory}/gone.sock` });
    await expect(findRedisUrl({ env: {}, cwd: directory })).rejects.toMatchObject({
      failure: { exitCode: 2, code: "REDIS_URL_MISSING" },
    });
  });
});
