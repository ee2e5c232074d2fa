/**
 * `sluice release add`: enters a build in the configuration file and has it published, so that a running autoscaler
 * can start it.
 *
 * The file first: a release that is live and that the configuration cannot start would be retired. If the build
 * cannot be published, its entry goes again. What is in an image is only entered: it runs where the engine is, and
 * publishes itself there.
 */
import { resolve } from "node:path";
import { IMAGE_NAME_PATTERN } from "#shared/sluice-config";
import { withoutApiKey } from "../../api-key.ts";
import { CliError, usageError } from "../../cli-error.ts";
import { readPlaces } from "../../config.ts";
import { publishRelease } from "../../dev/publish-release.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { findBuild } from "../../find-build.ts";
import { findDevRun, findRedisUrl } from "../../find-redis-url.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { interrupted } from "../contracts/contract-task.ts";
import { enterRelease, type NewRelease } from "./config-release.ts";

export interface AddReleaseOptions {
  readonly app: string;
  readonly command?: string;
  readonly image?: string;
  readonly config?: string;
}

const ID_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** @throws {CliError} with the build's own words when it is not published. */
export async function addNewRelease(
  id: string,
  options: AddReleaseOptions,
  context: CommandContext,
): Promise<void> {
  if (!ID_PATTERN.test(id)) {
    throw usageError("A release's id is lower-case letters, digits, dots, dashes, underscores, at most 64.");
  }
  const command = readCommand(options.command);
  const configPath = await findConfig(options, context);
  if (options.image !== undefined) {
    return enterImage({ id, app: options.app, command, image: options.image }, configPath, context);
  }
  const { app } = await findBuild(options.app, {
    ...context,
    env: { ...context.env, SLUICE_CONFIG: undefined },
  });
  const redisUrl = await findRedisUrl(context);
  const { stop } = context.stopSignals();
  const entered = enterRelease(configPath, { id, app, command, image: null });
  try {
    await publishRelease(
      { id, app, command },
      {
        defaultCommand: context.workerCommand,
        env: { ...withoutApiKey(context.env), SLUICE_REDIS_URL: redisUrl, SLUICE_LOG_LEVEL: "info" },
        clock: context.clock,
        stop,
      },
    );
    if (stop.aborted) throw interrupted();
  } catch (error) {
    entered.undo();
    throw error instanceof CliError ? withHint(error, configPath) : error;
  }
  const { kind, atOncePools } = entered;
  const name = neutraliseLine(id);
  const said = kind === "added" ? "added and published" : "was there already, and is published";
  const next =
    atOncePools.length === 0
      ? `  begin with \`sluice rollout start <pool> --to ${name} --why "..."\`\n`
      : `  it has at once what it reads in the pools without "takeover": "rollout": ${neutraliseLine(atOncePools.join(", "))}\n`;
  context.answer({
    kind: "ReleaseAdded",
    json: {
      release: id,
      app,
      command,
      image: null,
      config: configPath,
      added: kind === "added",
      published: true,
      atOncePools,
    },
    text: `${context.paint.strong(name)}  ${said}\n${next}`,
    exitCode: CLI_EXIT.ok,
  });
}

/** @throws {CliError} */
function enterImage(
  release: NewRelease & { readonly image: string },
  configPath: string,
  context: CommandContext,
) {
  const { id, app, command, image } = release;
  if (!IMAGE_NAME_PATTERN.test(image)) {
    throw usageError("--image must be a container image's name, such as shop:2 or shop@sha256:…");
  }
  if (!app.startsWith("/")) {
    throw usageError("With --image, --app is an absolute path inside the image, such as /app/app.mjs.");
  }
  const { kind, atOncePools } = enterRelease(configPath, release);
  const publish = `SLUICE_RELEASE=${id} SLUICE_APP_IMAGE=${image} SLUICE_APP=${app}`;
  context.answer({
    kind: "ReleaseAdded",
    json: {
      release: id,
      app,
      command,
      image,
      config: configPath,
      added: kind === "added",
      published: false,
      atOncePools,
    },
    text: [
      `${context.paint.strong(id)}  ${kind === "added" ? "added" : "was there already"}, not published\n`,
      "  let the executor read it, then have the image publish itself:\n",
      "  docker compose kill -s SIGHUP executor\n",
      `  ${neutraliseLine(publish)} docker compose run --rm publish\n`,
    ].join(""),
    exitCode: CLI_EXIT.ok,
  });
}

async function findConfig({ config }: AddReleaseOptions, context: CommandContext): Promise<string> {
  if (config !== undefined) return resolve(context.cwd, config);
  const path = readPlaces(context).configPath ?? (await findDevRun(context))?.configPath ?? null;
  if (path !== null) return path;
  throw usageError(
    "It is not known which configuration: SLUICE_CONFIG is not set, and no `sluice dev` runs here.",
    "Name the file with --config.",
  );
}

/** Words with spaces between them, or a JSON array where a word has one in it. */
function readCommand(given: string | undefined): readonly string[] | null {
  if (given === undefined) return null;
  const words = given.trim().startsWith("[") ? parsedWords(given) : given.trim().split(/\s+/);
  const isUsable = words !== null && words.length > 0 && words.every((it) => it !== "");
  if (isUsable) return words;
  throw usageError('--command must be words such as "node worker.js", or a JSON array of them.');
}

function parsedWords(text: string): readonly string[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((it) => typeof it === "string") ? value : null;
  } catch {
    return null;
  }
}

function withHint({ failure }: CliError, configPath: string): CliError {
  const hint = `${failure.hint === undefined ? "" : `${failure.hint} `}${configPath} is as it was.`;
  return new CliError({ ...failure, hint });
}
