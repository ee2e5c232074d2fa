/**
 * Which build a command is about: the module of its app, and what starts a worker of it.
 *
 * An option says so, else the configuration file. A release's own `command` is used for its app, since that
 * is how a team says what its code needs in order to be loaded.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type ReleaseConfig, readSluiceConfig } from "#shared/sluice-config";
import { usageError } from "./cli-error.ts";
import type { CommandContext } from "./commands/context.ts";
import { readPlaces } from "./config.ts";

export interface Build {
  /** Absolute path of the module that exports `app`. */
  readonly app: string;
  /** Program and arguments that start a worker of it. */
  readonly command: readonly string[];
}

type Surroundings = Pick<CommandContext, "env" | "cwd" | "workerCommand">;

/**
 * The build that `--app` names, else the one that the configuration has.
 *
 * @throws {CliError | ConfigInvalidError} when there is none or more than one.
 */
export async function findBuild(given: string | undefined, surroundings: Surroundings): Promise<Build> {
  const releases = await releasesIn(readPlaces(surroundings).configPath);
  if (given !== undefined) return namedBuild(given, releases, surroundings);
  const apps = [...new Set(releases.map((it) => it.app))];
  const [only] = apps;
  if (only === undefined || apps.length > 1) {
    const why =
      only === undefined
        ? "--app is missing, and SLUICE_CONFIG names no configuration."
        : `--app is missing, and the configuration has ${apps.length} apps.`;
    throw usageError(why, `Give the module that exports \`app\`, e.g. --app ${only ?? "dist/app.js"}.`);
  }
  return namedBuild(only, releases, surroundings);
}

/**
 * The build of a release: `--app` names it, else the configuration.
 *
 * @throws {CliError | ConfigInvalidError} when neither does.
 */
export async function findReleaseBuild(
  release: string,
  {
    app,
    configPath,
    ...surroundings
  }: Surroundings & {
    readonly app: string | undefined;
    /** Absolute; `null` when there is none. */
    readonly configPath: string | null;
  },
): Promise<Build> {
  const releases = await releasesIn(configPath);
  if (app !== undefined) return namedBuild(app, releases, surroundings);
  const configured = releases.find((it) => it.id === release);
  if (configured !== undefined) {
    return { app: existing(configured.app), command: configured.command ?? surroundings.workerCommand };
  }
  const where =
    configPath === null ? "SLUICE_CONFIG names no configuration" : `${configPath} has no such release`;
  throw usageError(
    `It is not known what release ${release} is built from: ${where}.`,
    "Give its module with --app.",
  );
}

function namedBuild(
  given: string,
  releases: readonly ReleaseConfig[],
  { cwd, workerCommand }: Surroundings,
): Build {
  const app = existing(resolve(cwd, given));
  const command = releases.findLast((it) => it.app === app)?.command ?? workerCommand;
  return { app, command };
}

async function releasesIn(configPath: string | null): Promise<readonly ReleaseConfig[]> {
  return configPath === null ? [] : (await readSluiceConfig(configPath)).releases;
}

function existing(app: string): string {
  if (statSync(app, { throwIfNoEntry: false })?.isFile() === true) return app;
  throw usageError(
    `There is no file ${app}.`,
    "--app names the module that exports `app`, as it runs: built.",
  );
}
