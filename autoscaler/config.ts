/** The autoscaler's environment. */
import { z } from "zod";
import { listenSettings, listenVariables, processSettings, processVariables } from "#shared/process-env";
import { count, durationMs } from "#shared/read-config";

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
  })
  .transform((env) => ({
    ...processSettings(env),
    ...listenSettings(env),
    port: env.SLUICE_CONTROL_PORT,
    configPath: env.SLUICE_CONFIG,
    drainDeadlineMs: env.SLUICE_DRAIN_DEADLINE_MS,
  }));

export type AutoscalerConfig = Readonly<z.output<typeof autoscalerEnv>>;
