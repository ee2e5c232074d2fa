/** What the command reads from its environment; options come before it. `sluice dev` has a schema of its own. */
import { resolve } from "node:path";
import { z } from "zod";
import { processVariables } from "#shared/process-env";
import { count, readConfig } from "#shared/read-config";
import { usageError } from "./cli-error.ts";

const serversEnv = z.object({
  SLUICE_URL: z.string().optional().describe("Base address of the API."),
  SLUICE_CONTROL_URL: z.string().optional().describe("Base address of the control API."),
  SLUICE_API_PORT: count(1, 65_535).default(7700).describe("Port of the API when SLUICE_URL is missing."),
  SLUICE_CONTROL_PORT: count(1, 65_535)
    .default(7701)
    .describe("Port of the control API when SLUICE_CONTROL_URL is missing."),
});

export interface Servers {
  /** Base address of the API, without a slash at the end. */
  readonly apiUrl: string;
  /** Base address of the control API, without a slash at the end. */
  readonly controlUrl: string;
}

export interface ServerOptions {
  readonly url?: string | undefined;
  readonly controlUrl?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const placesEnv = z.object({
  SLUICE_REDIS_URL: processVariables.SLUICE_REDIS_URL.optional(),
  SLUICE_CONFIG: z.string().optional(),
  SLUICE_DATA_DIR: z.string().default(".sluice"),
});

/** Where the commands that start a task of a worker find what it needs. */
export interface Places {
  /** `null`: the environment does not say. */
  readonly redisUrl: string | null;
  /** Absolute path of the file with queues, pools and releases; `null`: the environment does not say. */
  readonly configPath: string | null;
  /** Absolute path of the directory in which a `sluice dev` of this place keeps its data. */
  readonly dataDir: string;
}

/** @throws {ConfigInvalidError} */
export function readPlaces({ env, cwd }: { readonly env: Environment; readonly cwd: string }): Places {
  const given = readConfig(placesEnv, env);
  return {
    redisUrl: given.SLUICE_REDIS_URL ?? null,
    configPath: given.SLUICE_CONFIG === undefined ? null : resolve(cwd, given.SLUICE_CONFIG),
    dataDir: resolve(cwd, given.SLUICE_DATA_DIR),
  };
}

/** Where the servers are. @throws {CliError | ConfigInvalidError} when an address or a port cannot be used. */
export function readServers(options: ServerOptions, env: Environment): Servers {
  const given = readConfig(serversEnv, env);
  return {
    apiUrl: baseUrl(options.url ?? given.SLUICE_URL, "--url", given.SLUICE_API_PORT),
    controlUrl: baseUrl(
      options.controlUrl ?? given.SLUICE_CONTROL_URL,
      "--control-url",
      given.SLUICE_CONTROL_PORT,
    ),
  };
}

function baseUrl(text: string | undefined, name: string, defaultPort: number): string {
  if (text === undefined) return `http://127.0.0.1:${defaultPort}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const usable = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
  if (!usable) {
    throw usageError(`${name} is not an http:// or https:// address without credentials in it.`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}
