/** The secrets of the compose stack: made once, closed to others, and of the forms that the processes take. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readToken } from "#autoscaler/executor-service/executor-config";
import { parseApiKey } from "#shared/auth/api-key";

const INIT = join(import.meta.dirname, "../../../ops/compose/init.mjs");

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-init-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

function init(): string {
  const args = [INIT, join(directory, "secrets"), join(directory, ".env")];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

function secret(name: string): string {
  return readFileSync(join(directory, "secrets", name), "utf8").trim();
}

function all(): Record<string, string> {
  return Object.fromEntries(readdirSync(join(directory, "secrets")).map((name) => [name, secret(name)]));
}

test("they have the forms that keys, tokens and the address of Redis have, and nobody else enters their directory", () => {
  const said = init();
  expect(statSync(join(directory, "secrets")).mode & 0o777).toBe(0o700);
  for (const name of ["operator-key", "metrics-key"]) expect(parseApiKey(secret(name)), name).not.toBeNull();
  expect(readToken(join(directory, "secrets/executor-token"))).toBe(secret("executor-token"));
  expect(secret("redis-url")).toBe(`redis://:${secret("redis-password")}@redis:6379`);
  expect(secret("redis-auth")).toBe(`requirepass ${secret("redis-password")}`);
  for (const [name, value] of Object.entries(all())) expect(said, name).not.toContain(value);
});

test("a second run keeps what is there, makes what was removed, and changes no line of .env", () => {
  writeFileSync(join(directory, ".env"), "SLUICE_LOG_LEVEL=warn\nSLUICE_DOCKER_GROUP=77");
  init();
  const before = all();
  const env = readFileSync(join(directory, ".env"), "utf8");
  expect(env).toBe(
    `SLUICE_LOG_LEVEL=warn\nSLUICE_DOCKER_GROUP=77\nSLUICE_SECRETS_DIR=${join(directory, "secrets")}\n`,
  );
  rmSync(join(directory, "secrets/executor-token"));
  init();
  const { "executor-token": token, ...others } = all();
  const { "executor-token": first, ...othersBefore } = before;
  expect(others).toEqual(othersBefore);
  expect(token).not.toBe(first);
  expect(readFileSync(join(directory, ".env"), "utf8")).toBe(env);
});
