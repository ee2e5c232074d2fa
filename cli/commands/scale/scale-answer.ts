/**
 * What `sluice scale` reads from the control API's answers. A newer server may tell more, and an older one may have
 * kept less: what is not there is not known.
 */
import { z } from "zod";

const text = z.string();
const number = z.number();
const byRelease = z.record(text, number);
const known = number.nullable().default(null);

const setting = { by: text, why: text, at: text, expiresAt: text };

const freeze = z.object({ pool: text, hard: z.boolean(), ...setting });
const bounds = z.object({ workersMin: number.nullable(), workersMax: number.nullable(), ...setting });

const lane = z.object({
  lane: text,
  slots: number.nullable(),
  ruledBy: text.nullable().default(null),
  unknownBecause: text.nullable().default(null),
  terms: z.array(z.object({ term: text, slots: number.nullable(), formula: text })).default([]),
  waiting: known,
  inFlight: known,
  dueSoon: known,
  oldestDueAgeMs: known,
  arrivalRatePerSec: known,
  serviceTimeMs: known,
  readySlots: known,
  assumed: z.array(text).default([]),
  reachable: z.boolean().nullable().default(null),
  wouldChange: z.object({ sentence: text }).nullable().default(null),
  forecast: z
    .object({
      mode: text,
      perMinute: number,
      slots: number.nullable(),
      comparedMinutes: number,
      error: number.nullable(),
      persistenceError: number.nullable(),
    })
    .nullable()
    .default(null),
});

const inputs = z.object({
  lanes: z.array(lane).default([]),
  otherLanes: z
    .object({ lanes: number, slots: number, unknown: number, waiting: number, inFlight: number })
    .nullable()
    .default(null),
  startDelay: z.object({ startDelayMs: number, measured: z.boolean() }).nullable().default(null),
  pickupPromiseMs: known,
  policy: z.record(text, z.unknown()).nullable().default(null),
  bounds: z.object({ workersMin: number, workersMax: number }).nullable().default(null),
});

export const decisionAnswer = z.object({
  id: text,
  at: text,
  queue: text,
  kind: text,
  reason: text,
  sentence: text,
  present: byRelease,
  wanted: byRelease,
  desired: byRelease,
  actions: z.array(z.object({ act: text, release: text, worker: text })),
  clamps: z.array(z.object({ by: text, from: number, to: number, sentence: text })).default([]),
  holds: z
    .array(z.object({ because: text, workers: number, forMs: number.nullable(), sentence: text }))
    .default([]),
  blocked: z.array(text).default([]),
  errorBudget: z.object({ sentence: text.optional() }).nullable().default(null),
  overrides: z
    .object({ freeze: freeze.nullable(), bounds: bounds.nullable() })
    .default({ freeze: null, bounds: null }),
  inputs,
});

export const decisionPageAnswer = z.object({
  /** Newest first. */
  decisions: z.array(decisionAnswer),
  nextCursor: text.nullable().default(null),
});

const range = z.object({ workersMin: number, workersMax: number });

export const overridesAnswer = z.object({
  revision: number,
  at: text,
  pools: z.array(
    z.object({
      pool: text,
      configured: range,
      inForce: range,
      freeze: freeze.nullable(),
      held: byRelease.nullable(),
      bounds: bounds.nullable(),
    }),
  ),
  allFrozen: freeze.nullable(),
});

export const overrideChangeAnswer = z.object({
  revision: number,
  set: z
    .object({ pool: text, ...setting })
    .loose()
    .nullable(),
  replaced: z
    .object({ pool: text, ...setting })
    .loose()
    .nullable(),
});

export type Decision = z.output<typeof decisionAnswer>;
export type DecisionLane = z.output<typeof lane>;
export type ScalingOverrides = z.output<typeof overridesAnswer>;

export function total(workers: Readonly<Record<string, number>>): number {
  return Object.values(workers).reduce((sum, count) => sum + count, 0);
}
