import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withSetupLock } from "../../../ops/setup-lock.mjs";

let directory: string;
let lock: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-lock-"));
  lock = join(directory, "state", "setup.lock");
  vi.spyOn(console, "log").mockReturnValue();
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  vi.restoreAllMocks();
});

test("setups that come at once run one after the other", async () => {
  let running = 0;
  let runningMax = 0;
  const setup = async () => {
    running += 1;
    runningMax = Math.max(runningMax, running);
    await nextTurn();
    running -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withSetupLock(lock, setup)));
  expect(runningMax).toBe(1);
});

test("the lock is free again after a setup that failed", async () => {
  const failing = withSetupLock(lock, () => Promise.reject(new Error("no network")));
  await expect(failing).rejects.toThrow("no network");
  expect(existsSync(lock)).toBe(false);
});

test.for<[string, readonly string[]]>([
  ["that held it", ["owner-who-died"]],
  ["while taking it", []],
])("the lock of a setup that died %s is taken over", async ([, ownerFiles]) => {
  mkdirSync(lock, { recursive: true });
  for (const file of ownerFiles) writeFileSync(join(lock, file), "");
  await expect(withSetupLock(lock, async () => "set up", { staleMs: 300 })).resolves.toBe("set up");
  expect(existsSync(lock)).toBe(false);
});

test("a setup that waits too long says which folder keeps it", async () => {
  const waiting = withSetupLock(lock, () => withSetupLock(lock, async () => "never", { waitMaxMs: 250 }));
  await expect(waiting).rejects.toThrow(`${lock} for too long`);
});
