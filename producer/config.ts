/** The producer's environment. */
import { z } from "zod";
import { listenSettings, listenVariables, processSettings, processVariables } from "#shared/process-env";
import { count } from "#shared/read-config";

export const producerEnv = z
  .object({
    ...processVariables,
    ...listenVariables,
    SLUICE_API_PORT: count(0, 65_535).default(7700).describe("Port of the API; 0 picks a free one."),
  })
  .transform((env) => ({
    ...processSettings(env),
    ...listenSettings(env),
    port: env.SLUICE_API_PORT,
  }));

export type ProducerConfig = Readonly<z.output<typeof producerEnv>>;
