/**
 * What the limits document holds: bounds of queues, throttles, and what operators have set over both.
 *
 * One document in Redis, changed by compare-and-set on its revision. The base comes from the configuration
 * file and is published by the autoscaler; overrides come from operators at run time and survive that.
 * What is in force at a moment is worked out by `resolve-limits.ts`, never stored. Data only: no IO, no clock.
 *
 * A field that is added here needs its row in docs/reference/configuration.md; a field's bounds hold for
 * the base and for overrides alike.
 */
import { z } from "zod";
import { QUEUE_NAME_PATTERN } from "../lane.ts";

export const THROTTLES_MAX = 200;
export const OVERRIDES_MAX = 100;

/** Longest window of a throttle: 31 days. Products of a window and a limit stay below 2^53. */
const WINDOW_MS_MAX = 2_678_400_000;

const WEEK_MS = 604_800_000;

/** Bounds of one queue. */
export const queueLimits = z.strictObject({
  /** Jobs waiting in all lanes of the queue; 0 accepts nothing. */
  depthMax: z.int().min(0).max(100_000_000).default(100_000),
  /** Jobs waiting for a time, retries included. */
  scheduledMax: z.int().min(0).max(100_000_000).default(1_000_000),
  /** Bytes of the envelopes of waiting jobs. */
  bytesMax: z.int().min(0).max(1_099_511_627_776).default(268_435_456),
  /** Longest estimated wait of a new job: backlog by measured completion rate, in milliseconds. */
  waitMaxMs: z.int().min(1_000).max(WEEK_MS).default(86_400_000),
  /** Jobs of one tenant that have not ended. */
  tenantDepthMax: z.int().min(1).max(100_000_000).default(50_000),
  /** Whether jobs get priorities: all of a queue, or none. */
  priorities: z.boolean().default(false),
  /** A job that has waited this long goes before those of its priority, in milliseconds. */
  raiseAfterMs: z.int().min(1_000).max(WEEK_MS).default(60_000),
});

export const THROTTLE_NAME_PATTERN = /^[a-z][a-z0-9-]{0,63}$/;

/** A tenant's, key's or type's name, or `*`. */
const subjectName = z
  .string()
  .regex(
    /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,256}$/u,
    "must be 1 to 256 characters without control characters and line breaks",
  );

export const throttle = z
  .strictObject({
    /** Unique; clients see it in the RateLimit fields. */
    name: z
      .string()
      .regex(
        THROTTLE_NAME_PATTERN,
        "must start with a lower-case letter and have only lower-case letters, digits and dashes, at most 64",
      ),
    per: z.enum(["tenant", "key", "type"]),
    /** Which one; `*`: each one by itself. */
    value: subjectName,
    /** Those that a throttle of `*` leaves out, usually because they have one of their own. */
    except: z.array(subjectName).max(100).optional(),
    algorithm: z.enum(["token-bucket", "leaky-bucket", "fixed-window", "sliding-window", "concurrency"]),
    /** Jobs a window; of `concurrency`: requests at once, in each process. */
    limit: z.int().min(1).max(1_000_000),
    /** In whole seconds, as the RateLimit fields say it. Not read by `concurrency`. */
    windowMs: z
      .int()
      .min(1_000)
      .max(WINDOW_MS_MAX)
      .multipleOf(1_000, "must be whole seconds: a multiple of 1000")
      .default(1_000),
    /** Jobs that may come at once after a pause; the limit when left out. */
    burst: z.int().min(1).max(1_000_000).optional(),
    /** What becomes of excess; the policy of the job's type when left out. */
    excess: z.enum(["reject", "delay", "degrade"]).optional(),
  })
  .superRefine((it, context) => {
    const refuse = (field: string, message: string) => {
      context.addIssue({ code: "custom", path: [field], message });
    };
    const isBucket = it.algorithm === "token-bucket" || it.algorithm === "leaky-bucket";
    if (it.burst !== undefined && it.algorithm !== "token-bucket") {
      refuse("burst", "only a token-bucket has a burst");
    }
    if (it.excess === "delay" && !isBucket) {
      refuse("excess", `a ${it.algorithm} cannot tell when a job fits; delay needs a token- or leaky-bucket`);
    }
    if (it.except !== undefined && it.value !== "*") refuse("except", "only a throttle of * leaves out any");
  });

const queueName = z
  .string()
  .regex(
    QUEUE_NAME_PATTERN,
    "a queue's name is lower-case letters, digits and dashes, at most 64 characters",
  );

export const throttleList = z
  .array(throttle)
  .max(THROTTLES_MAX)
  .superRefine((throttles, context) => {
    const seen = new Set<string>();
    for (const [index, { name }] of throttles.entries()) {
      if (seen.has(name)) {
        context.addIssue({ code: "custom", path: [index, "name"], message: "is used more than once" });
      }
      seen.add(name);
    }
  });

/** What the configuration says. */
export const limitsBase = z.object({
  queues: z.record(queueName, queueLimits),
  throttles: throttleList,
});

/** What somebody set over one value of the base. */
const override = z.object({
  /** JSON pointer; `change-limits.ts` says which there are. */
  path: z.string(),
  value: z.json(),
  /** A key's name, or who says to be somebody where nobody is asked for credentials. */
  by: z.string(),
  /** RFC 3339, as `expiresAt`. */
  at: z.string(),
  why: z.string(),
  /** `null`: until somebody drops it. */
  expiresAt: z.string().nullable(),
});

export const limitsDocument = z.object({
  /** Raised by each change; 0: nothing is stored. */
  revision: z.int(),
  base: limitsBase,
  overrides: z.array(override).max(OVERRIDES_MAX),
});

export type QueueLimits = Readonly<z.output<typeof queueLimits>>;
export type Throttle = Readonly<z.output<typeof throttle>>;
export type Excess = NonNullable<Throttle["excess"]>;
export type LimitOverride = Readonly<z.output<typeof override>>;

export interface LimitsBase {
  readonly queues: Readonly<Record<string, QueueLimits>>;
  readonly throttles: readonly Throttle[];
}

export interface LimitsDocument {
  readonly revision: number;
  readonly base: LimitsBase;
  readonly overrides: readonly LimitOverride[];
}

export const EMPTY_LIMITS: LimitsDocument = {
  revision: 0,
  base: { queues: {}, throttles: [] },
  overrides: [],
};

/** Of a queue for which nothing is configured. */
export const DEFAULT_QUEUE_LIMITS: QueueLimits = queueLimits.parse({});
