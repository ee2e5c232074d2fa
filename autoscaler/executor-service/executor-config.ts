/** The Docker executor's environment. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { ConfigInvalidError } from "#shared/errors";
import { processVariables } from "#shared/process-env";
import { count, durationMs } from "#shared/read-config";

const absolutePath = /^\/[^\0]*$/;

export const executorEnv = z
  .object({
    SLUICE_CONFIG: z
      .string("is required: the file with queues, pools and releases")
      .min(1)
      .describe("The file with queues, pools and releases; only what it declares is ever started."),
    SLUICE_HOST: z.string().default("127.0.0.1").describe("Address to listen on."),
    SLUICE_EXECUTOR_PORT: count(0, 65_535)
      .default(7710)
      .describe("Port of its three calls; 0 picks a free one."),
    SLUICE_EXECUTOR_TOKEN_FILE: z
      .string("is required: the file with the secret that the autoscalers show")
      .min(1)
      .describe("The file with the secret that the autoscalers show, at least 32 characters."),
    SLUICE_DOCKER_SOCKET: z
      .string()
      .regex(absolutePath, "must be an absolute path")
      .default("/var/run/docker.sock")
      .describe("Socket of the container engine."),
    SLUICE_STACK: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,31}$/, "must be 1 to 32 lower-case letters, digits and dashes")
      .default("sluice")
      .describe("Name of the stack: in the labels of its containers, and at the start of their names."),
    SLUICE_WORKER_NETWORK: z
      .string("is required: the engine's network that Redis is in")
      .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/, "must be a network's name")
      // The engine would share these with the worker: its machine's network, or another container's.
      .refine(
        (name) => !/^(host|none|bridge|default|container)$/.test(name),
        "must be a network of the stack's own",
      )
      .describe("The engine's network that Redis is in."),
    SLUICE_WORKER_SECRET_PATH: z
      .string("is required: where the engine's machine has the file with the address of Redis")
      .regex(absolutePath, "must be an absolute path")
      .describe("Where the engine's machine has the file with the address of Redis, for the workers."),
    SLUICE_DATA_DIR: z
      .string()
      .default(".sluice")
      .describe("Where it keeps the highest epoch, the images of releases and its journal."),
    SLUICE_DRAIN_DEADLINE_MS: durationMs(0, 3_600_000)
      .default(30_000)
      .describe("Drain deadline of workers whose pool names none."),
    SLUICE_IMAGE_PULL: z
      .enum(["missing", "never"], "must be missing or never")
      .default("missing")
      .describe("Whether an image that the engine does not have is pulled."),
    SLUICE_REDIS_PREFIX: processVariables.SLUICE_REDIS_PREFIX,
    SLUICE_DURABILITY: processVariables.SLUICE_DURABILITY,
    SLUICE_DURABILITY_ASSERTED: processVariables.SLUICE_DURABILITY_ASSERTED,
    SLUICE_LOG_LEVEL: processVariables.SLUICE_LOG_LEVEL,
  })
  .transform((env) => ({
    configPath: env.SLUICE_CONFIG,
    host: env.SLUICE_HOST,
    port: env.SLUICE_EXECUTOR_PORT,
    token: readToken(env.SLUICE_EXECUTOR_TOKEN_FILE),
    socket: env.SLUICE_DOCKER_SOCKET,
    stack: {
      stack: env.SLUICE_STACK,
      network: env.SLUICE_WORKER_NETWORK,
      secretPath: env.SLUICE_WORKER_SECRET_PATH,
      environment: {
        SLUICE_REDIS_PREFIX: env.SLUICE_REDIS_PREFIX,
        SLUICE_DURABILITY: env.SLUICE_DURABILITY,
        SLUICE_DURABILITY_ASSERTED: String(env.SLUICE_DURABILITY_ASSERTED),
        SLUICE_LOG_LEVEL: env.SLUICE_LOG_LEVEL,
      },
    },
    dataDir: resolve(env.SLUICE_DATA_DIR),
    drainDeadlineMs: env.SLUICE_DRAIN_DEADLINE_MS,
    pull: env.SLUICE_IMAGE_PULL,
    logLevel: env.SLUICE_LOG_LEVEL,
  }));

export type ExecutorConfig = Readonly<z.output<typeof executorEnv>>;

const TOKEN_CHARS_MIN = 32;

/** @throws {ConfigInvalidError} which never has a part of the secret. */
export function readToken(path: string): string {
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it failed";
    throw new ConfigInvalidError("The environment", [
      `SLUICE_EXECUTOR_TOKEN_FILE: the file cannot be read (${code}); name one that this user may read`,
    ]);
  }
  if (token.length >= TOKEN_CHARS_MIN && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new ConfigInvalidError("The environment", [
    `SLUICE_EXECUTOR_TOKEN_FILE: the secret must be one line of at least ${TOKEN_CHARS_MIN} letters, digits and signs`,
  ]);
}
