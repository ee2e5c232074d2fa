/**
 * What this command reads from the servers' answers.
 *
 * Only the fields that are shown, and words where a newer server may know more of them, so that a command
 * a little older or newer than its server still works. The JSON form passes the answer on as it came.
 */
import { z } from "zod";
import { CliError } from "./cli-error.ts";
import { CLI_EXIT } from "./exit-codes.ts";

const text = z.string();
const count = z.number();

export const typesAnswer = z.object({
  types: z.array(
    z.object({ type: text, versions: z.array(z.object({ schemaversion: count, accepted: z.boolean() })) }),
  ),
});

export const enqueuedAnswer = z.object({ id: text, type: text, state: text.nullable() });

const progressAnswer = z.object({ percent: count, message: text.nullable() }).nullable().default(null);

export const jobAnswer = z.object({
  type: text,
  state: text,
  queue: text,
  lane: text.nullable(),
  schemaversion: count.nullable(),
  acceptedAt: text,
  dueAt: text.nullable(),
  startedAt: text.nullable(),
  finishedAt: text.nullable(),
  release: text.nullable(),
  worker: text.nullable(),
  attempts: z.object({
    failed: count,
    starts: count,
    crashes: count,
    entries: z.array(
      z.object({
        attempt: count,
        release: text,
        worker: text,
        endedAt: text,
        outcome: text,
        code: text,
        message: text,
      }),
    ),
  }),
  progress: progressAnswer,
  result: z.unknown(),
  resultBytesDropped: count.nullable(),
  error: z.object({ code: text, message: text }).nullable(),
});

const jobItemAnswer = z.object({
  id: text,
  type: text,
  state: text,
  lane: text.nullable(),
  acceptedAt: text,
  dueAt: text.nullable(),
  startedAt: text.nullable(),
  finishedAt: text.nullable(),
});

export const jobListAnswer = z.object({ jobs: z.array(jobItemAnswer), nextCursor: text.nullable() });

/** What an event of a job's stream tells. */
export const jobStateAnswer = z.object({
  state: text,
  attempts: z.object({ failed: count }),
  release: text.nullable(),
  worker: text.nullable(),
  dueAt: text.nullable(),
  progress: progressAnswer,
});

export const cancelAnswer = z.object({ state: text, cancelling: z.boolean().optional() });

const laneAnswer = z.object({
  lane: text,
  waiting: count,
  inFlight: count,
  scheduled: count,
  failed: count,
  oldestDueAgeMs: count.nullable(),
  readers: z.array(text),
  consumers: count,
  orphaned: z.boolean(),
  /** Jobs are here and every release that takes them fails at its own step. */
  tripped: z.boolean().default(false),
  /** Jobs that only other users of BullMQ make. */
  other: count.default(0),
  retiredAt: text.nullable().default(null),
  /** Releases whose workers take nothing from the lane because their own step fails there. */
  trips: z.array(z.object({ release: text, type: text, targetVersion: count, code: text })).default([]),
});

export const lanesAnswer = z.object({
  observedAt: text,
  queues: z.array(
    z.object({
      queue: text,
      pickupPromiseMs: count.nullable(),
      lanes: z.array(laneAnswer),
      parked: count,
      quarantined: count,
    }),
  ),
});

export const fleetAnswer = z.object({
  observedAt: text,
  workers: z.array(
    z.object({
      worker: text,
      release: text,
      queue: text,
      state: text,
      reason: text.nullable(),
      slots: count,
      busy: count,
    }),
  ),
  /** Oldest first. */
  releases: z.array(
    z.object({
      release: text,
      app: text,
      state: text,
      publishedAt: text.optional(),
      /** Own generation by queue. */
      generations: z.record(text, count).default({}),
    }),
  ),
});

export const retirementAnswer = z.object({
  mayRetire: z.boolean(),
  /** What is in the way. */
  blockers: z.array(z.object({ code: text, what: text })),
});

const countsByRelease = z.record(text, count);

const decisionAnswer = z.object({
  id: text,
  at: text,
  queue: text,
  reason: text,
  sentence: text,
  present: countsByRelease,
  desired: countsByRelease,
  actions: z.array(z.object({ act: text, release: text, worker: text })),
});

export const decisionsAnswer = z.object({ decisions: z.array(decisionAnswer) });

export type JobAnswer = z.output<typeof jobAnswer>;
export type JobItemAnswer = z.output<typeof jobItemAnswer>;
export type JobStateAnswer = z.output<typeof jobStateAnswer>;
export type LanesAnswer = z.output<typeof lanesAnswer>;
export type FleetAnswer = z.output<typeof fleetAnswer>;
export type LaneAnswer = LanesAnswer["queues"][number]["lanes"][number];
export type RetirementAnswer = z.output<typeof retirementAnswer>;
export type DecisionAnswer = z.output<typeof decisionAnswer>;

/** @throws {CliError} when the answer is not of the shape this command knows. */
export function understood<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const where = result.error.issues.map((issue) => issue.path.join(".") || "(answer)").slice(0, 5);
  throw new CliError({
    exitCode: CLI_EXIT.unexpected,
    code: "ANSWER_UNREADABLE",
    message: `The server's ${what} is not as expected (${where.join(", ")}).`,
    hint: "Is it a Sluice, and of the same version as this command?",
  });
}
