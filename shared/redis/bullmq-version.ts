/**
 * The BullMQ this process runs. Two majors on one queue lose jobs; and what our own scripts write was held against one
 * version, key by key, so no other will do until the tests have been run with it.
 */
import { createRequire } from "node:module";
import { ConfigInvalidError } from "../errors.ts";

/** What our scripts write is what this version writes. */
export const BULLMQ_WRITTEN_FOR = "6.7.0";

const { version } = createRequire(import.meta.url)("bullmq/package.json") as { version: string };

export const bullmqMajor: string = version.split(".")[0] ?? version;

/** @throws {ConfigInvalidError} when the BullMQ that is installed is another than our scripts write for. */
export function requireKnownBullmq(installed: string = version): void {
  if (installed === BULLMQ_WRITTEN_FOR) return;
  throw new ConfigInvalidError("The installation", [
    `bullmq is ${installed} and must be ${BULLMQ_WRITTEN_FOR}, which is what jobs are stored for; install it exactly`,
  ]);
}
