/** What `sluice rollout` reads from the control API's answers. A newer server may tell more. */
import { z } from "zod";

const text = z.string();
const number = z.number();
const known = number.nullable().default(null);

export const rolloutAnswer = z.object({
  id: text,
  pool: text,
  from: text,
  to: text,
  revision: number,
  state: text,
  direction: text,
  since: text,
  createdAt: text,
  updatedAt: text,
  stage: z.object({ kind: text, step: number, phase: text, extensions: number }).nullable(),
  paused: z.object({ code: text, why: text, by: text }).nullable(),
  halt: z
    .object({
      gate: text,
      why: text,
      suspects: z.array(
        z.object({ kind: text, name: text, rate: number, restRate: number, finished: number }),
      ),
    })
    .nullable(),
  bypass: z.object({ kind: text, by: text, why: text, expiresAt: text.nullable() }).nullable(),
  back: z.object({ phase: text, failed: z.boolean(), by: text, why: text }).nullable(),
  gates: z.array(z.object({ type: text, before: number, wanted: number })).default([]),
  drainers: z.array(z.object({ release: text })).default([]),
  quarantined: z.array(z.object({ worker: text, why: text })).default([]),
  history: z.array(z.object({ at: text, from: text, to: text, by: text, what: text, why: text })).default([]),
});

export const recordAnswer = z.object({
  at: text,
  rollout: text,
  revision: number,
  from: text,
  to: text,
  code: text,
  sentence: text,
  wouldChange: text.nullable(),
  by: text,
  evaluations: z
    .array(
      z.object({
        gate: text,
        outcome: text,
        sample: number,
        othersSample: number,
        sentence: text,
        wouldChange: text,
      }),
    )
    .default([]),
});

const seenRelease = z.object({
  taking: known,
  workers: known,
  inFlight: known,
  ran: z.object({ finished: number, failed: number, failedElsewhere: number }).nullable().default(null),
  byWorker: z.array(z.object({ worker: text, finished: number, failed: number })).default([]),
});

export const rolloutViewAnswer = z.object({
  at: text,
  rollout: rolloutAnswer,
  progress: z.object({
    verdict: text,
    isOver: z.boolean(),
    steps: z.array(z.object({ name: text, state: text })),
    running: z.object({ what: text, leftMs: number }).nullable(),
  }),
  share: number,
  lastRecord: recordAnswer.nullable(),
  observation: z.object({ workersWanted: known, from: seenRelease, to: seenRelease }).nullable(),
});

export const rolloutsAnswer = z.object({ rollouts: z.array(rolloutViewAnswer) });

export const pastRolloutsAnswer = z.object({ rollouts: z.array(rolloutAnswer) });

export const recordsAnswer = z.object({ records: z.array(recordAnswer) });

export const startedAnswer = z.object({ rollout: rolloutAnswer });

export const changedAnswer = z.object({ rollout: rolloutAnswer, record: recordAnswer });

export const lintAnswer = z.object({
  mayStart: z.boolean(),
  blockers: z.array(z.object({ code: text, what: text })),
});

/** Workers as the live view shows them. */
export const rolloutFleetAnswer = z.object({
  workers: z.array(
    z.object({
      worker: text,
      release: text,
      queue: text,
      state: text,
      reason: text.nullable(),
      slots: number,
      busy: number,
      takes: text.default("all"),
      heartbeatAgeMs: known,
      settled: z.record(text, number).default({}),
    }),
  ),
});

export type RolloutAnswer = z.output<typeof rolloutAnswer>;
export type RolloutRecordAnswer = z.output<typeof recordAnswer>;
export type RolloutViewAnswer = z.output<typeof rolloutViewAnswer>;
export type RolloutWorker = z.output<typeof rolloutFleetAnswer>["workers"][number];
