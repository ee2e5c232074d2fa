/**
 * The steps that make a clone ready, each of which does nothing when there is nothing to do: packages,
 * then Redis, then dist/.
 *
 * `start` and `test` need all three; `ci` builds nothing yet, so that the checks see the sources first.
 */
import { join } from "node:path";
import { buildDist, isDistFresh } from "./dist.mjs";
import { ensureRedis } from "./install-redis.mjs";
import { findPackagesProblem, installPackages } from "./packages.mjs";
import { findRedisServer } from "./redis-server.mjs";
import { runMain, SetupProblem, step } from "./run.mjs";
import { SETUP_LOCK, withSetupLock } from "./setup-lock.mjs";

const MODES = ["start", "test", "ci"];
const root = join(import.meta.dirname, "..");

/** Prepares the clone for one of `MODES`. */
export async function main(mode) {
  await runMain(async () => {
    if (!MODES.includes(mode)) throw new SetupProblem(`Usage: node ops/setup.mjs ${MODES.join("|")}`);
    // The usual case, nothing to do, takes no lock. Under the lock each step looks again, as another
    // setup may have done it while this one waited.
    if (isReady(mode)) return;
    await withSetupLock(join(root, SETUP_LOCK), () => prepare(mode));
  });
}

async function prepare(mode) {
  const problem = findPackagesProblem(root);
  if (problem !== null) {
    console.log(`Packages: ${problem}.`);
    await installPackages(root);
  }
  if (needsRedisServer(mode)) await ensureRedis(mode);
  if (needsDist(mode) && !isDistFresh(root)) await step("Building dist/", () => buildDist(root));
}

function isReady(mode) {
  return (
    findPackagesProblem(root) === null &&
    (!needsRedisServer(mode) || findRedisServer().kind === "found") &&
    (!needsDist(mode) || isDistFresh(root))
  );
}

/** A Redis that runs elsewhere serves `start` only: the tests start servers of their own. */
function needsRedisServer(mode) {
  return !(mode === "start" && process.env.SLUICE_REDIS_URL);
}

function needsDist(mode) {
  return mode !== "ci";
}
