/** The environment of `sluice dev`. What it does not name itself is passed on to the processes it starts. */
import { resolve } from "node:path";
import { z } from "zod";
import { LOG_LEVELS } from "#shared/log";
import { listenSettings, listenVariables, processVariables } from "#shared/process-env";
import { count, durationMs } from "#shared/read-config";

const API_PORT = 7700;
const CONTROL_PORT = 7701;

const EXAMPLE_CONFIG = "examples/shop/sluice.config.json";

const port = () => count(1, 65_535).optional();

export const devEnv = z
  .object({
    SLUICE_REDIS_URL: processVariables.SLUICE_REDIS_URL.optional().describe(
      "A Redis to use; without it `sluice dev` runs one of its own.",
    ),
    SLUICE_DATA_DIR: z.string().default(".sluice").describe("Where the own Redis keeps the jobs."),
    SLUICE_REDIS_MAXMEMORY: z
      .string()
      .regex(/^[1-9]\d{0,11}(kb|mb|gb)?$/i, "must be a size such as 512mb or 2gb")
      .default("512mb")
      .describe("Most memory the own Redis may use; when it is full, jobs are refused and none is lost."),
    SLUICE_API_PORT: port().describe(`Port of the API; ${API_PORT}, or the next free one.`),
    SLUICE_CONTROL_PORT: port().describe(`Port of the control API; ${CONTROL_PORT}, or the next free one.`),
    SLUICE_HOST: listenVariables.SLUICE_HOST,
    SLUICE_AUTH: listenVariables.SLUICE_AUTH,
    SLUICE_CONFIG: z
      .string()
      .optional()
      .describe(`The file with queues, pools and releases; the package's ${EXAMPLE_CONFIG}.`),
    SLUICE_DRAIN_DEADLINE_MS: durationMs(0, 3_600_000)
      .default(30_000)
      .describe("On stop, how long jobs in flight may take before they are handed back."),
    SLUICE_LOG_LEVEL: z
      .enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`)
      .default("warn")
      .describe("Least severe events of the started processes that are shown."),
  })
  .transform((env) => ({
    redisUrl: env.SLUICE_REDIS_URL ?? null,
    dataDir: resolve(env.SLUICE_DATA_DIR),
    redisMaxmemory: env.SLUICE_REDIS_MAXMEMORY,
    apiPort: { port: env.SLUICE_API_PORT ?? API_PORT, chosen: env.SLUICE_API_PORT !== undefined },
    controlPort: {
      port: env.SLUICE_CONTROL_PORT ?? CONTROL_PORT,
      chosen: env.SLUICE_CONTROL_PORT !== undefined,
    },
    ...listenSettings(env),
    configPath: env.SLUICE_CONFIG ?? null,
    drainDeadlineMs: env.SLUICE_DRAIN_DEADLINE_MS,
    logLevel: env.SLUICE_LOG_LEVEL,
  }));

export type DevConfig = Readonly<z.output<typeof devEnv>>;

/** Absolute path of the configuration file. */
export function configFileOf({ configPath }: DevConfig, packageRoot: string): string {
  return configPath === null ? resolve(packageRoot, EXAMPLE_CONFIG) : resolve(configPath);
}
