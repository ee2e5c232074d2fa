/**
 * One setup at a time in a clone: `npm start` and `npm test` in two terminals must not both write
 * node_modules/ or dist/.
 *
 * The lock is a directory, since only one process can make it, holding one file named after its owner.
 * The owner touches that file; a waiter that has seen it unchanged for `staleMs` on its own clock takes
 * the owner for dead. So no clocks are compared, a process id of another container means nothing, and
 * a laptop that slept breaks no lock. The owner must therefore never block its event loop for long.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmdirSync, statSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupProblem } from "./run.mjs";

/** Where the lock of a clone is, from its top. Outside of what a setup deletes: node_modules/ and dist/. */
export const SETUP_LOCK = ".sluice/setup.lock";

const TOUCH_MS = 2_000;
const POLL_MS = 200;
/** Ten touches missed. */
const STALE_MS = 20_000;
/** Longer than the slowest honest setup: every package, and Redis, over a poor line. */
const WAIT_MAX_MS = 20 * 60_000;

/**
 * Runs `act` while holding the lock at `path`.
 *
 * @throws {SetupProblem} when somebody else keeps it for `waitMaxMs`.
 */
export async function withSetupLock(path, act, { staleMs = STALE_MS, waitMaxMs = WAIT_MAX_MS } = {}) {
  const release = await acquire(path, staleMs, waitMaxMs);
  try {
    return await act();
  } finally {
    release();
  }
}

async function acquire(path, staleMs, waitMaxMs) {
  mkdirSync(dirname(path), { recursive: true });
  const startedAtMs = performance.now();
  let seen = { sign: null, sinceMs: startedAtMs };
  for (let tries = 0; ; tries += 1) {
    const release = tryAcquire(path);
    if (release !== null) return release;
    if (tries === 1) console.log("Another setup is at work in this clone; waiting for it…");

    const nowMs = performance.now();
    const sign = signOfLife(path);
    if (sign !== seen.sign) seen = { sign, sinceMs: nowMs };
    if (nowMs - seen.sinceMs >= staleMs) breakLock(path, seen.sign);
    if (nowMs - startedAtMs >= waitMaxMs) {
      throw new SetupProblem(
        `Another setup has held ${path} for too long. If none is running, remove that folder.`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** The function that gives the lock back, or `null` when somebody else has it. */
function tryAcquire(path) {
  const ownerFile = join(path, randomUUID());
  try {
    mkdirSync(path);
    writeFileSync(ownerFile, "");
  } catch (error) {
    // EEXIST: taken. ENOENT: ours was broken between the two calls, by a waiter that saw it empty too long.
    if (error.code === "EEXIST" || error.code === "ENOENT") return null;
    throw error;
  }
  const touching = setInterval(() => touch(ownerFile), TOUCH_MS);
  const release = () => {
    clearInterval(touching);
    process.off("exit", release);
    // Only if it is still ours: after a break, the directory is the next owner's.
    if (removeFile(ownerFile)) removeEmptyDirectory(path);
  };
  process.on("exit", release);
  return release;
}

/** Changes whenever the lock changes hands or its owner shows that it lives. `null`: nobody holds it. */
function signOfLife(path) {
  try {
    const owner = readdirSync(path)[0] ?? "";
    return `${owner} ${statSync(join(path, owner)).mtimeMs}`;
  } catch {
    return null;
  }
}

/**
 * Frees the lock of exactly the owner that was watched: of two that try, one unlinks and the other does
 * nothing.
 */
function breakLock(path, sign) {
  const owner = sign?.split(" ")[0] ?? "";
  if (owner === "" || removeFile(join(path, owner))) removeEmptyDirectory(path);
}

function touch(file) {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // The lock was broken while this process stood still; there is nothing left to keep fresh.
  }
}

function removeFile(file) {
  try {
    unlinkSync(file);
    return true;
  } catch {
    return false;
  }
}

function removeEmptyDirectory(path) {
  try {
    rmdirSync(path);
  } catch {
    // Not empty or gone: somebody else has it by now.
  }
}
