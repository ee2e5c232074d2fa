/** What `sluice limits` reads from the control API's answers. */
import { z } from "zod";

const text = z.string();

const override = z.object({
  path: text,
  value: z.unknown(),
  by: text,
  at: text,
  why: text,
  expiresAt: text.nullable(),
});

const throttle = z.object({
  name: text,
  per: text,
  value: text,
  algorithm: text,
  limit: z.number(),
  windowMs: z.number(),
  burst: z.number().optional(),
  excess: text.optional(),
});

export const limitsAnswer = z.object({
  revision: z.number(),
  inForce: z.object({
    /** Bounds by queue and name; a newer server may have more of them. */
    queues: z.record(text, z.record(text, z.union([z.number(), z.boolean()]))),
    throttles: z.array(throttle),
  }),
  /** Oldest first. */
  overrides: z.array(override.extend({ state: text })),
});

export const overrideSetAnswer = z.object({ revision: z.number(), override });

export const overrideDroppedAnswer = z.object({ revision: z.number(), dropped: override });

export type LimitsAnswer = z.output<typeof limitsAnswer>;
export type OverrideAnswer = z.output<typeof override>;
