/** The variables every Sluice process reads the same way. Each process adds its own to them. */
import { z } from "zod";
import { isLoopback } from "./http/loopback.ts";
import { LOG_LEVELS } from "./log.ts";
import { flag } from "./read-config.ts";
import { DURABILITY_LEVELS } from "./redis/durability.ts";

export const processVariables = {
  SLUICE_REDIS_URL: z
    .string("is required: where the jobs are kept, e.g. redis://127.0.0.1:6379 or unix:///path/redis.sock")
    .regex(/^(redis|rediss|unix):\/\//, "must start with redis://, rediss:// or unix://"),
  SLUICE_REDIS_URL_FILE: z
    .string()
    .optional()
    .describe("A file whose one line is SLUICE_REDIS_URL, for a secret that no environment shall hold."),
  SLUICE_REDIS_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, "must be 1 to 32 lower-case letters, digits and dashes")
    .default("sluice")
    .describe("Start of every Redis key."),
  SLUICE_DURABILITY: z
    .enum(DURABILITY_LEVELS, `must be one of ${DURABILITY_LEVELS.join(", ")}`)
    .default("disk")
    .describe("What an accepted job must survive; a process refuses to start on less."),
  SLUICE_DURABILITY_ASSERTED: flag().default(false).describe("Vouch for a Redis that hides its settings."),
  SLUICE_LOG_LEVEL: z
    .enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`)
    .default("info")
    .describe("Least severe events that are logged."),
} as const;

/** Variables of a process that listens. */
export const listenVariables = {
  SLUICE_HOST: z.string().default("127.0.0.1").describe("Address to listen on."),
  SLUICE_AUTH: z
    .enum(["keys", "off"], "must be keys or off")
    .optional()
    .describe("Who may use the API: holders of an API key, or (on loopback only) everybody."),
} as const;

/** `keys`: only holders of an API key. `off`: everybody who reaches the process. */
export type AuthMode = "keys" | "off";

/** Where authentication is not named, it is off where only this machine is heard and on everywhere else. */
export function listenSettings(env: {
  readonly SLUICE_HOST: string;
  readonly SLUICE_AUTH?: AuthMode | undefined;
}) {
  const { SLUICE_HOST: host, SLUICE_AUTH: named } = env;
  const auth: AuthMode = named ?? (isLoopback(host) ? "off" : "keys");
  return { host, auth };
}

interface ProcessVariables {
  readonly SLUICE_REDIS_URL: string;
  readonly SLUICE_REDIS_PREFIX: string;
  readonly SLUICE_DURABILITY: (typeof DURABILITY_LEVELS)[number];
  readonly SLUICE_DURABILITY_ASSERTED: boolean;
  readonly SLUICE_LOG_LEVEL: (typeof LOG_LEVELS)[number];
}

export function processSettings(env: ProcessVariables) {
  return {
    redisUrl: env.SLUICE_REDIS_URL,
    prefix: env.SLUICE_REDIS_PREFIX,
    durability: { required: env.SLUICE_DURABILITY, asserted: env.SLUICE_DURABILITY_ASSERTED },
    logLevel: env.SLUICE_LOG_LEVEL,
  };
}
