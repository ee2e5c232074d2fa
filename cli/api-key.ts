/**
 * The key that this command shows the servers: `SLUICE_API_KEY` of its environment.
 *
 * From the environment only: an argument is seen by everybody who lists the machine's processes. It is the
 * process's own and is set once, when a command begins; no program that a command starts gets it.
 */
import { z } from "zod";
import { parseApiKey } from "#shared/auth/api-key";
import { readConfig } from "#shared/read-config";

type Environment = Readonly<Record<string, string | undefined>>;

const apiKeyEnv = z.object({
  SLUICE_API_KEY: z
    .string()
    .refine((text) => parseApiKey(text) !== null, "is no API key, slk_<key id>_<secret>")
    .optional()
    .describe("API key for servers that ask for one."),
});

let shown: string | null = null;

/** From here on every request shows the environment's key, or none. @throws {ConfigInvalidError} */
export function showApiKeyOf(env: Environment): void {
  shown = readConfig(apiKeyEnv, env).SLUICE_API_KEY ?? null;
}

/** The headers that show it. */
export function apiKeyHeaders(): { readonly authorization?: string } {
  return shown === null ? {} : { authorization: `Bearer ${shown}` };
}

/** An environment for another program. */
export function withoutApiKey(env: Environment): Environment {
  const { SLUICE_API_KEY: _ours, ...others } = env;
  return others;
}
