/** A rollout as the routes about it promise it; `rollout-answer.ts` makes it. */
import { z } from "zod";
import { component } from "#shared/http/operation";
import { ROLLOUT_VERDICTS, RUNNING_TIMES, STEP_STATES } from "../../rollout/decide-rollout-progress.ts";
import { ROLLOUT_STATES } from "../../rollout/rollout-document.ts";

const moment = z.iso.datetime({ offset: true });
const count = z.int().min(0);
const number = z.number();
const text = z.string();
const state = z.enum(ROLLOUT_STATES);

const suspect = z.object({
  kind: z.enum(["release", "worker", "tenant", "type", "dependency"]),
  name: text,
  rate: number.describe("Share that fails, 0 to 1."),
  restRate: number.describe("The same of everything else."),
  finished: number,
});

const stage = z.object({
  kind: z.enum(["share", "emission"]),
  step: z.int().min(1).describe("From 1."),
  phase: z.enum(["starting", "draining", "raising", "soaking", "gate"]),
  openedAt: moment,
  phaseSince: moment,
  extensions: count,
  handedBack: z.boolean().describe("What the old share still ran was taken back at its deadline."),
});

export const rolloutSchema = component(
  "Rollout",
  z.object({
    id: text,
    pool: text,
    from: text,
    to: text,
    revision: z.int().min(1),
    state,
    knownState: state.nullable().describe("While the state is `unknown`: the one before."),
    direction: z.enum(["forward", "back"]).describe("`back`: the old release is to have it all again."),
    since: moment.describe("Of the state."),
    createdAt: moment,
    updatedAt: moment,
    currentAt: moment.nullable(),
    missingSince: moment.nullable().describe("Since when a fact is missing."),
    quietSince: moment.nullable().describe("Since when the leaving release is seen to hold nothing."),
    stage: stage.nullable(),
    paused: z.object({ code: text, why: text, by: text, at: moment }).nullable(),
    halt: z.object({ gate: text, why: text, suspects: z.array(suspect), at: moment }).nullable(),
    bypass: z
      .object({
        kind: z.enum(["promote", "full", "force"]),
        by: text,
        why: text,
        at: moment,
        expiresAt: moment.nullable(),
      })
      .nullable(),
    back: z
      .object({ phase: z.enum(["lowering", "restoring"]), failed: z.boolean(), by: text, why: text })
      .nullable(),
    gates: z.array(z.object({ type: text, before: z.int(), wanted: z.int() })),
    gateRaised: z.boolean(),
    drainers: z.array(z.object({ release: text, failed: z.boolean(), since: moment })),
    quarantined: z.array(z.object({ worker: text, release: text, why: text, step: z.int(), at: moment })),
    probe: z.object({ attempt: z.int(), since: moment }).nullable(),
    drainForced: z.boolean().describe("The last drain ended by taking jobs back."),
    history: z
      .array(
        z.object({
          at: moment,
          revision: z.int(),
          from: state,
          to: state,
          by: text,
          what: text,
          why: text,
        }),
      )
      .describe("Oldest first; the newest 100."),
  }),
);

export const rolloutRecordSchema = component(
  "RolloutRecord",
  z.object({
    at: moment,
    rollout: text,
    revision: z.int(),
    from: state,
    to: state,
    code: text,
    sentence: text,
    wouldChange: text.nullable().describe("null when something has changed."),
    by: text,
    evaluations: z.array(
      z.object({
        gate: text,
        outcome: z.enum(["pass", "fail", "inconclusive"]),
        value: number.nullable().describe("What was measured, in the gate's own unit."),
        limit: number.describe("What it is held against."),
        sample: number.describe("Jobs of the new release that it rests on."),
        othersSample: number,
        sentence: text,
        wouldChange: text,
      }),
    ),
  }),
);

const seenRelease = component(
  "SeenRelease",
  z
    .object({
      taking: number.nullable(),
      workers: number.nullable(),
      inFlight: number.nullable(),
      leavingInFlight: number.nullable(),
      unheard: number.nullable(),
      onlyItReads: number.nullable(),
      failuresInRow: number.nullable(),
      ran: z
        .object({
          finished: number,
          failed: number,
          failedElsewhere: number,
          retried: number,
          retriedFailed: number,
          stalls: number,
          mismatches: number,
          created: number,
          completed: number,
        })
        .nullable(),
      byWorker: z.array(
        z.object({
          worker: text,
          finished: number,
          failed: number,
          failedElsewhere: number,
          stalls: number,
        }),
      ),
    })
    .describe("null: not known, which holds everything."),
);

export const rolloutViewSchema = component(
  "RolloutView",
  z.object({
    at: moment,
    rollout: rolloutSchema,
    progress: z.object({
      verdict: z.enum(ROLLOUT_VERDICTS),
      isOver: z.boolean().describe("Nothing will change any more."),
      steps: z.array(z.object({ name: text, state: z.enum(STEP_STATES) })),
      running: z.object({ what: z.enum(RUNNING_TIMES), leftMs: number }).nullable(),
    }),
    share: number.describe("Of the slots, that the new release is to have now."),
    policy: z.record(text, z.unknown()).describe("As configured."),
    lastRecord: rolloutRecordSchema.nullable(),
    observation: z
      .object({
        at: moment,
        workersWanted: number.nullable(),
        from: seenRelease,
        to: seenRelease,
        drainers: z.record(text, seenRelease),
        contract: z.object({ lanesWithoutReader: z.array(text), readGroupsUp: number }).nullable(),
        probe: z
          .object({
            attempt: z.int(),
            outcome: z.enum(["pending", "succeeded", "failed"]),
            detail: text,
          })
          .nullable(),
        activeVersions: z.record(text, number).nullable(),
        components: z.array(
          z.object({
            kind: z.enum(["tenant", "type", "dependency"]),
            name: text,
            finished: number,
            failed: number,
          }),
        ),
        retired: z.boolean().nullable(),
      })
      .nullable()
      .describe("null where the process that answers does not lead."),
  }),
);
