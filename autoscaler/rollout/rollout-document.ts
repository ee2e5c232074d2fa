/**
 * What is stored of a rollout: one document a pool's takeover, changed by compare-and-set on its revision.
 *
 * It holds what a new leader needs to go on and nothing that can be measured again: orders are worked out from
 * it and an observation each time (`decide-orders.ts`), so a leader that dies between a write and its orders costs
 * nothing. It does not judge: see `decide-transition.ts`. All times are milliseconds since 1970.
 */
import { z } from "zod";

/** `from -> to` as one word; what each means is in docs/decisions/0023-rollout-state-machine.md. */
export const ROLLOUT_STATES = [
  "registered",
  "verifying",
  "soaking",
  "current",
  "draining",
  "drained",
  "retired",
  "halted",
  "rolling-back",
  "unknown",
] as const;

/** The newest of these are kept. */
export const HISTORY_LENGTH_MAX = 100;

const name = z.string().min(1).max(200);
const text = z.string().max(500);
const ms = z.number().min(0);
const count = z.number().min(0);
const state = z.enum(ROLLOUT_STATES);

/** What a release has run since some moment; jobs by how long they took in the buckets of `estimate-quantile.ts`. */
const tally = z.object({
  /** First attempts that ended, well or not. */
  finished: count,
  /** First attempts that failed. */
  failed: count,
  /** Of those, jobs that have failed on another release too: the job is to blame. */
  failedElsewhere: count,
  /** Attempts after the first that ended, and that failed. Told, and not judged by. */
  retried: count,
  retriedFailed: count,
  /** Starts whose worker was lost. */
  stalls: count,
  /** Jobs handed back because the build could not read them. */
  mismatches: count,
  /** Jobs that its handlers enqueued, and attempts of any number that succeeded. */
  created: count,
  completed: count,
  run: z.array(count),
  pickup: z.array(count),
});

const baseline = z.object({ to: tally, others: tally });

const stage = z.object({
  /** A share of slots, or the raise of the emission gate that comes after the last share. */
  kind: z.enum(["share", "emission"]),
  /** Index into the policy's steps; their number for the emission stage. */
  step: z.int().min(0),
  phase: z.enum(["starting", "draining", "raising", "soaking", "gate"]),
  /** The new release's share until this stage opened, 0 to 1: in force until its workers are there. */
  shareBefore: z.number().min(0).max(1),
  openedAtMs: ms,
  phaseSinceMs: ms,
  extensions: z.int().min(0),
  /** What the releases had run when the stage opened; `null` until that was seen. */
  baseline: baseline.nullable(),
  /** The old share was taken back at its deadline. */
  handedBack: z.boolean(),
});

const suspect = z.object({
  kind: z.enum(["release", "worker", "tenant", "type", "dependency"]),
  name,
  /** Share of failures, 0 to 1, of it and of the rest. */
  rate: z.number(),
  restRate: z.number(),
  finished: count,
});

const historyEntry = z.object({
  atMs: ms,
  revision: z.int(),
  from: state,
  to: state,
  /** Who: an operator's name or `rollout`. */
  by: name,
  what: text,
  why: text,
});

export const rolloutDocument = z.object({
  id: name,
  /** The queue whose pool is taken over. */
  pool: name,
  from: name,
  to: name,
  /** Rises by one with every stored change. */
  revision: z.int().min(1),
  state,
  /** `back` once the old release is to have it all again; the release that leaves is then `to`. */
  direction: z.enum(["forward", "back"]),
  stateSinceMs: ms,
  createdAtMs: ms,
  updatedAtMs: ms,
  stage: stage.nullable(),
  /** The state that went unknown, and since when facts are missing. */
  knownState: state.nullable(),
  missingSinceMs: ms.nullable(),
  paused: z.object({ code: name, why: text, by: name, atMs: ms }).nullable(),
  halt: z.object({ atMs: ms, gate: name, why: text, suspects: z.array(suspect) }).nullable(),
  bypass: z
    .object({
      kind: z.enum(["promote", "full", "force"]),
      by: name,
      why: text,
      atMs: ms,
      /** Up to when it holds; `null` for the kinds that end by themselves. */
      expiresAtMs: ms.nullable(),
    })
    .nullable(),
  back: z
    .object({
      phase: z.enum(["lowering", "restoring"]),
      /** The new release failed: it takes nothing more. Otherwise it empties what only it reads. */
      failed: z.boolean(),
      by: name,
      why: text,
    })
    .nullable(),
  /** Gates that the last stage raises, and where they stood before. Empty when no type broke. */
  gates: z.array(z.object({ type: name, before: z.int(), wanted: z.int() })),
  /** A gate may stand higher than before because of this rollout. */
  gateRaised: z.boolean(),
  /** Releases that an earlier revision of this rollout brought in and that leave. */
  drainers: z.array(z.object({ release: name, sinceMs: ms, failed: z.boolean() })),
  quarantined: z.array(z.object({ worker: name, release: name, atMs: ms, step: z.int(), why: text })),
  /** What the old release ran beside the new one over the stages that are closed. */
  reference: tally,
  probe: z.object({ attempt: z.int(), sinceMs: ms }).nullable(),
  /** Since when the leaving release was seen to hold nothing, without a gap. */
  quietSinceMs: ms.nullable(),
  /** The last drain ended by taking jobs back: the retirement is reported as forced. */
  drainForced: z.boolean(),
  /** So did the drain of a share: the old release's retirement is reported as forced. */
  shareTakenBack: z.boolean().default(false),
  currentAtMs: ms.nullable(),
  history: z.array(historyEntry).max(HISTORY_LENGTH_MAX),
});

export type Rollout = z.output<typeof rolloutDocument>;
export type RolloutState = Rollout["state"];
export type RolloutStage = NonNullable<Rollout["stage"]>;
export type Suspect = z.output<typeof suspect>;
export type Tally = z.output<typeof tally>;
export type HistoryEntry = z.output<typeof historyEntry>;
