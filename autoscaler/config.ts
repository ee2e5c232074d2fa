/** The autoscaler's environment. */
import { resolve } from "node:path";
import { z } from "zod";
import { listenSettings, listenVariables, processSettings, processVariables } from "#shared/process-env";
import { count, durationMs } from "#shared/read-config";
import { kedaSettings, kedaVariables } from "./keda/keda-settings.ts";
import { TICK_MS } from "./scaling/decide-lane-slots.ts";

export const autoscalerEnv = z
  .object({
    ...processVariables,
    ...listenVariables,
    SLUICE_CONTROL_PORT: count(0, 65_535)
      .default(7701)
      .describe("Port of the control API and the operator page; 0 picks a free one."),
    SLUICE_CONFIG: z
      .string("is required: the file with queues, pools and releases")
      .min(1)
      .describe("The file with queues, pools and releases."),
    SLUICE_DRAIN_DEADLINE_MS: durationMs(0, 3_600_000)
      .default(30_000)
      .describe("Drain deadline of workers whose pool names none."),
    SLUICE_DATA_DIR: z
      .string()
      .default(".sluice")
      .describe(
        "Where it keeps what it must not forget of workers and leaders; autoscalers of one machine share it.",
      ),
    ...kedaVariables,
    SLUICE_EXECUTOR_DIR: z
      .string()
      .optional()
      .describe(
        "The directory itself, for one Redis and prefix; one below SLUICE_DATA_DIR by their address.",
      ),
    SLUICE_EXECUTOR_URL: z
      .string()
      .regex(/^http:\/\/[^/?#@]+$/, "must be http://, a host and a port")
      .optional()
      .describe("Address of the Docker executor, for pools that name it."),
    SLUICE_EXECUTOR_TOKEN_FILE: z
      .string()
      .optional()
      .describe("The file with the secret that the Docker executor asks for."),
    SLUICE_TICK_MS: durationMs(200, 60_000)
      .default(TICK_MS)
      .describe("How often it looks at the load and sizes the pools."),
  })
  .transform((env) => ({
    keda: kedaSettings(env),
    ...processSettings(env),
    ...listenSettings(env),
    port: env.SLUICE_CONTROL_PORT,
    configPath: env.SLUICE_CONFIG,
    drainDeadlineMs: env.SLUICE_DRAIN_DEADLINE_MS,
    dataDir: resolve(env.SLUICE_DATA_DIR),
    executorDir: env.SLUICE_EXECUTOR_DIR === undefined ? null : resolve(env.SLUICE_EXECUTOR_DIR),
    remote:
      env.SLUICE_EXECUTOR_URL === undefined
        ? null
        : { url: env.SLUICE_EXECUTOR_URL, tokenFile: env.SLUICE_EXECUTOR_TOKEN_FILE ?? "" },
    tickMs: env.SLUICE_TICK_MS,
  }));

export type AutoscalerConfig = Readonly<z.output<typeof autoscalerEnv>>;
