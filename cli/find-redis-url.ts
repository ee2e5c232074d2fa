/**
 * Where the jobs are, for the commands that start a task of a worker: the environment says so, else the
 * `sluice dev` that runs in this directory.
 */
import { CliError } from "./cli-error.ts";
import { readPlaces } from "./config.ts";
import { type DevNote, readDevNote } from "./dev/dev-note.ts";
import { redisCondition } from "./dev/redis-link.ts";
import { CLI_EXIT } from "./exit-codes.ts";

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** The `sluice dev` that runs on this directory's data, `null` when none answers. */
export async function findDevRun(surroundings: Surroundings): Promise<DevNote | null> {
  const note = readDevNote(readPlaces(surroundings).dataDir);
  if (note === null) return null;
  const socketPath = /^unix:\/\/(\/.+)$/.exec(note.redisUrl)?.[1];
  if (socketPath === undefined) return null;
  return (await redisCondition(socketPath)).kind === "absent" ? null : note;
}

/** @throws {CliError | ConfigInvalidError} when neither says where. */
export async function findRedisUrl(surroundings: Surroundings): Promise<string> {
  const { redisUrl } = readPlaces(surroundings);
  if (redisUrl !== null) return redisUrl;
  const note = await findDevRun(surroundings);
  if (note !== null) return note.redisUrl;
  throw new CliError({
    exitCode: CLI_EXIT.usage,
    code: "REDIS_URL_MISSING",
    message:
      "It is not known where the jobs are kept: SLUICE_REDIS_URL is not set, and no `sluice dev` runs here.",
    hint: "Set SLUICE_REDIS_URL as the processes have it, or go to the directory where `sluice dev` was started.",
  });
}
