/** `npm run build`: builds dist/, whether or not it looks up to date. */
import { join } from "node:path";
import { buildDist } from "./dist.mjs";

import { runMain, step } from "./run.mjs";
import { SETUP_LOCK, withSetupLock } from "./setup-lock.mjs";

const root = join(import.meta.dirname, "..");

await runMain(() =>
  withSetupLock(join(root, SETUP_LOCK), () => step("Building dist/", () => buildDist(root))),
);
