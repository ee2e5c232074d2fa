/**
 * What is configured of rollouts, with its defaults. Shares are 0 to 1, times milliseconds.
 *
 * It does not read a file: the process's configuration embeds this schema. The two error rates bound how often a
 * release that is as good as the old one is halted: see `decide-failure-gate.ts` before changing them.
 */
import { z } from "zod";

const ms = z.int().min(0);
const share = z.number().gt(0).max(1);

export const rolloutPolicy = z.object({
  /** Share of the slots at each step, rising; the last is all of them. */
  steps: z
    .array(share)
    .min(1)
    .max(20)
    .refine((it) => it.every((value, index) => index === 0 || value > (it[index - 1] ?? 0)), {
      message: "shares must rise from step to step",
    })
    .refine((it) => it.at(-1) === 1, { message: "the last step must be 1: all slots" })
    .default([0.05, 0.25, 0.5, 1]),
  /** How long a step is watched before its gate is asked. */
  soakMs: ms.default(600_000),
  /** The same, after the emission gate was raised. */
  emissionSoakMs: ms.default(600_000),
  /** How often a soak is extended by itself before a person is asked. */
  extensionsMax: z.int().min(0).max(20).default(3),
  /** First attempts of the new release without which no gate passes. */
  jobsMin: z.int().min(1).default(50),
  /** A gate passes only when the evidence excludes this many times the others' failure rate. */
  failureFactor: z.number().gt(1).default(3),
  /** A release is halted only if its failure rate is this many times the others'. */
  worseFactor: z.number().min(1).default(1.5),
  /** Failure rates below this are as good as none. */
  failureFloor: z.number().gt(0).lt(1).default(0.005),
  /** Run times may grow by this. */
  runFactor: z.number().gt(1).default(1.5),
  /** Failures in a row of a fresh release that halt it while the others succeed. */
  failuresInRow: z.int().min(2).default(5),
  /** First attempts up to which a release is fresh. */
  freshJobs: z.int().min(1).default(200),
  /** The most jobs one handler enqueues at once: how unevenly created jobs come. */
  fanOutMax: z.int().min(1).default(10),
  /** The chance that the tests halt a stage of a release as good as the others, at most. */
  errorRate: z.number().gt(0).lt(0.1).default(0.002),
  /** A pickup within this is as promised; the bucket bound at or above it is used. */
  pickupPromiseMs: z.int().min(1),
  startDeadlineMs: ms.default(300_000),
  verifyDeadlineMs: ms.default(120_000),
  /** Up to when the old share may finish what it has; then it is handed back. */
  drainDeadlineMs: ms.default(300_000),
  /** From there to a pause, if work is still seen. */
  handBackGraceMs: ms.default(60_000),
  /** How long a release must be seen to hold nothing: lease and stalled check, so that a lost job comes up again. */
  drainHoldMs: ms.default(20_000),
  /** Facts that are missing for longer make the state unknown. */
  unknownAfterMs: ms.default(15_000),
  /** How long the old workers are kept warm and the way back is at once. */
  rollbackWindowMs: ms.default(3_600_000),
  /** Old workers kept warm meanwhile, as a share of all. */
  warmShare: z.number().min(0).max(1).default(1),
  /** Goes back by itself when halted. */
  autoRollback: z.boolean().default(true),
  /** Workers of one release quarantined in one step before the release itself is blamed. */
  badWorkersMax: z.int().min(0).default(1),
});

export type RolloutPolicy = z.output<typeof rolloutPolicy>;
