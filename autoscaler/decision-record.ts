/**
 * The record of a scaling decision: what "why 7 workers?" is answered from, now and later.
 *
 * A stored format: docs/reference/http-api.md describes it, and a reader meets records of earlier versions. A field
 * that is added has a default here; a field that changes its meaning raises RECORD_VERSION and gets its reading in
 * `readRecord`. What the decision's own code did not know is `null` or missing, never zero. Its size is bounded by
 * pool-record.ts, which writes it.
 */
import { z } from "zod";

/**
 * Version 1 had the fields up to `actions`, an id that was unique within a pool only, and `inputs` of any form.
 * Version 2 adds the terms, clamps, holds and what would change the number.
 */
export const RECORD_VERSION = 2;

const text = z.string();
const number = z.number();
const workersByRelease = z.record(text, number);

/** One answer to "how many slots does this lane need?". */
const term = z.object({
  /** Stable name: in-system, deadline, arrivals, ... */
  term: text,
  /** `null`: not known. */
  slots: number.nullable(),
  /** The formula with the numbers in it, for people. */
  formula: text,
});

/** A lane as it was measured, and what the law made of it. */
const recordedLane = z.object({
  lane: text,
  generation: number,
  /** Slots that it needs; `null`: a count was missing, so nobody knows. */
  slots: number.nullable(),
  /** The term that gave the number; `null` when it is not known. */
  ruledBy: text.nullable(),
  /** Why `slots` is not known. */
  unknownBecause: text.nullable(),
  terms: z.array(term),
  waiting: number.nullable(),
  inFlight: number.nullable(),
  dueSoon: number.nullable(),
  oldestDueAgeMs: number.nullable(),
  arrivalRatePerSec: number.nullable(),
  serviceTimeMs: number.nullable(),
  readySlots: number.nullable(),
  /** What had to be assumed, in kebab-case. */
  assumed: z.array(text),
  /** Whether a worker started on demand can keep the promise. */
  reachable: z.boolean().nullable(),
  /** The nearest numbers of jobs in the system at which the lane needs a slot more or fewer. */
  wouldChange: z
    .object({
      moreAtJobsInSystem: number.nullable(),
      lessAtJobsInSystem: number.nullable(),
      sentence: text,
    })
    .nullable(),
  /** What was forecast of it; `null`: nothing was. */
  forecast: z
    .object({
      /** Only `applied` may have raised `slots`. */
      mode: z.enum(["shadow", "applied"]),
      /** Jobs a minute by the time that a worker ordered now is up. */
      perMinute: number,
      /** That ask for them; `null`: not known. */
      slots: number.nullable(),
      /** Forecasts of the last hour that were held against what came. */
      comparedMinutes: number,
      /** Mean absolute errors, jobs a minute: of the forecasts, and of the rate as it was. */
      error: number.nullable(),
      persistenceError: number.nullable(),
    })
    .nullable()
    .default(null),
});

const clamp = z.object({ by: text, from: number, to: number, sentence: text });

const hold = z.object({
  because: text,
  /** Workers that are kept only for it. */
  workers: number,
  /** Milliseconds from the decision on; `null`: until something else changes. */
  forMs: number.nullable(),
  sentence: text,
});

const setting = { by: text, why: text, at: text, expiresAt: text };

const inputs = z.looseObject({
  /** The largest; the others are summed up in `otherLanes`. */
  lanes: z.array(recordedLane).default([]),
  otherLanes: z
    .object({
      lanes: number,
      slots: number,
      unknown: number,
      waiting: number,
      inFlight: number,
    })
    .nullable()
    .default(null),
  orphanLanes: z.array(text).default([]),
  releases: z
    .array(
      z.looseObject({
        release: text,
        generation: number,
        live: z.boolean(),
        workers: number,
        draining: number,
      }),
    )
    .default([]),
  startDelay: z.object({ startDelayMs: number, measured: z.boolean() }).nullable().default(null),
  pickupPromiseMs: number.nullable().default(null),
  /** The configuration's. */
  policy: z.record(text, z.unknown()).nullable().default(null),
  /** In force, with what operators set over the configuration. */
  bounds: z.object({ workersMin: number, workersMax: number }).nullable().default(null),
});

const decisionRecord = z.object({
  recordVersion: z.int().min(1),
  /** `<pool>~<term of the leader>-<number>`. */
  id: text,
  /** RFC 3339, Redis' clock: when the pool was looked at. */
  at: text,
  queue: text,
  kind: z.enum(["sized", "hold"]),
  /** Stable code. */
  reason: text,
  /** The number explained in a sentence. */
  sentence: text,
  /** Workers by release: before, asked for without limits, and after limits. */
  present: workersByRelease,
  wanted: workersByRelease,
  desired: workersByRelease,
  limitedBy: text.nullable(),
  /** What was done about it. */
  actions: z.array(z.object({ act: text, release: text, worker: text })),
  /** How many more were done than `actions` names. */
  actionsMore: number.default(0),
  /** What changed the number on its way from wanted to desired, in order. */
  clamps: z.array(clamp).default([]),
  holds: z.array(hold).default([]),
  /** Why releases cannot be started right now, in sentences. */
  blocked: z.array(text).default([]),
  /** How much lateness is allowed, and how much of it was used; `null`: not measured. */
  errorBudget: z.record(text, z.unknown()).nullable().default(null),
  /** What operators have set. */
  overrides: z
    .object({
      freeze: z.object({ pool: text, hard: z.boolean(), ...setting }).nullable(),
      bounds: z
        .object({ workersMin: number.nullable(), workersMax: number.nullable(), ...setting })
        .nullable(),
    })
    .default({ freeze: null, bounds: null }),
  /** The measurements and the policy that went into it. */
  inputs,
});

export const decisionRecordSchema = decisionRecord;

type Deep<T> = T extends object ? { readonly [K in keyof T]: Deep<T[K]> } : T;

export type DecisionRecord = Deep<z.output<typeof decisionRecord>>;
export type RecordedLane = Deep<z.output<typeof recordedLane>>;

/** The record that an entry holds, as this version tells it; `null` when it is none. */
export function readRecord(entry: unknown): DecisionRecord | null {
  if (typeof entry !== "object" || entry === null) return null;
  const said = "recordVersion" in entry ? entry : fromFirst(entry);
  const read = decisionRecord.safeParse(said);
  return read.success ? read.data : null;
}

/** Of a record of version 1: its lanes lie in the inputs in another form, and its terms were never kept. */
function fromFirst(entry: object): unknown {
  const old: { readonly inputs?: unknown } = entry;
  const { lanes: _lanes, slots: _slots, ...known } = Object(old.inputs) as Record<string, unknown>;
  return { ...entry, recordVersion: 1, inputs: known };
}
