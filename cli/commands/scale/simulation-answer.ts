/** What this command reads of the answer of the task `simulate`. */
import { z } from "zod";

const interval = z.object({ mean: z.number(), ci95: z.number().nullable() });

export const simulationAnswer = z.object({
  pools: z.array(
    z.object({
      pool: z.string(),
      trace: z.string(),
      kind: z.string(),
      pickupPromiseMs: z.number(),
      hours: z.number(),
      loadSlots: z.number(),
      workHours: z.number(),
      policies: z.array(
        z.object({ name: z.string(), policy: z.string(), metrics: z.record(z.string(), interval) }),
      ),
      impossible: z.array(z.string()),
      svg: z.string().nullable(),
    }),
  ),
});

export type SimulationAnswer = z.output<typeof simulationAnswer>;
