/** The rules of the state machine one by one; all of them together under chance: test/model/rollout.test.ts. */
import { describe, expect, test } from "vitest";
import { decideTransition } from "#autoscaler/rollout/decide-transition";
import type { Rollout } from "#autoscaler/rollout/rollout-document";
import type { RolloutObservation } from "#autoscaler/rollout/rollout-observation";
import {
  anObservation,
  aPolicy,
  aRollout,
  aStage,
  ask,
  aTally,
  aView,
  GATE,
  look,
  START_MS,
} from "./rollout-builder.ts";

const POLICY = aPolicy();
const SOAKED_MS = POLICY.soakMs;

/** Both have run enough, and equally well. */
const HEALTHY: Partial<RolloutObservation> = {
  from: aView({ taking: 19, workers: 19, tally: aTally(10_000, 100) }),
  to: aView({ taking: 1, workers: 1, tally: aTally(1_000, 10) }),
};

function soaking(over: Parameters<typeof aStage>[0] = {}, rollout: Partial<Rollout> = {}): Rollout {
  return aRollout({ state: "soaking", stage: aStage(over), ...rollout });
}

describe("a rollout that goes well", () => {
  test("is verified by a probe job before it has a share", () => {
    const verifying = look(aRollout(), {});
    expect(verifying.rollout).toMatchObject({ state: "verifying", probe: { attempt: START_MS } });
    expect(verifying.orders).toContainEqual({ kind: "start-probe", release: "mail-2", attempt: START_MS });
    expect(verifying.orders).toContainEqual({ kind: "share", release: "mail-2", workers: 1, takes: "probe" });
    const probe = { attempt: START_MS, outcome: "succeeded" as const, detail: "" };
    const first = look(verifying.rollout, { probe });
    expect(first.rollout).toMatchObject({ state: "soaking", stage: { step: 0, phase: "starting" } });
  });

  test("starts the new share, drains the old one, soaks and asks the gates, in this order", () => {
    const starting = soaking({ phase: "starting" });
    const draining = look(starting, {}).rollout;
    expect(draining.stage?.phase).toBe("draining");
    const soaks = look(draining, {}).rollout;
    expect(soaks.stage?.phase).toBe("soaking");
    expect(look(soaks, HEALTHY, { afterMs: SOAKED_MS - 1 }).kind).toBe("stayed");
    const gate = look(soaks, HEALTHY, { afterMs: SOAKED_MS }).rollout;
    expect(gate.stage?.phase).toBe("gate");
    const next = look(gate, HEALTHY, { afterMs: SOAKED_MS }).rollout;
    expect(next.stage).toMatchObject({ step: 1, phase: "starting", shareBefore: 0.05 });
  });

  test("raises the gate last, soaks again, and is current", () => {
    const last = soaking({ step: 3, phase: "gate", shareBefore: 0.5 });
    const alone = {
      from: aView({ tally: aTally(10_000, 100) }),
      to: aView({ taking: 20, workers: 20, tally: aTally(1_000, 10) }),
    };
    const raising = look(last, alone);
    expect(raising.rollout).toMatchObject({
      gateRaised: true,
      stage: { kind: "emission", phase: "raising" },
    });
    expect(raising.orders).toContainEqual({ kind: "set-gate", type: "mail.send", version: 2, raise: true });
    const raised = { ...alone, activeVersions: { "mail.send": 2 } };
    const soaks = look(raising.rollout, raised).rollout;
    expect(soaks.stage).toMatchObject({ kind: "emission", phase: "soaking" });
    const after = {
      ...raised,
      to: aView({ taking: 20, workers: 20, tally: aTally(3_000, 30) }),
    };
    const gate = look(soaks, after, { afterMs: POLICY.emissionSoakMs }).rollout;
    const current = look(gate, after, { afterMs: POLICY.emissionSoakMs });
    expect(current.rollout).toMatchObject({
      state: "current",
      currentAtMs: START_MS + POLICY.emissionSoakMs,
    });
    expect(current.orders).toContainEqual({
      kind: "share",
      release: "mail-1",
      workers: 20,
      takes: "nothing",
    });
  });

  test("drains, holds and retires the old release when the window is over", () => {
    const current = aRollout({ state: "current", currentAtMs: START_MS });
    const gone = { from: aView(), to: aView({ taking: 20, workers: 20 }) };
    const afterMs = POLICY.rollbackWindowMs;
    const draining = look(current, gone, { afterMs }).rollout;
    const quiet = look(draining, gone, { afterMs }).rollout;
    expect(quiet).toMatchObject({ state: "draining", quietSinceMs: START_MS + afterMs });
    expect(look(quiet, gone, { afterMs: afterMs + POLICY.drainHoldMs - 1 }).kind).toBe("stayed");
    const drained = look(quiet, gone, { afterMs: afterMs + POLICY.drainHoldMs });
    expect(drained.rollout.state).toBe("drained");
    expect(drained.orders).toContainEqual({ kind: "retire", release: "mail-1", forced: false });
    const retired = look(
      drained.rollout,
      { ...gone, retired: true },
      { afterMs: afterMs + POLICY.drainHoldMs },
    );
    expect(retired.rollout.state).toBe("retired");
  });
});

describe("no stage opens", () => {
  const gate = soaking({ phase: "gate" });

  test.each([
    { why: "while leaving workers have jobs", from: { leavingInFlight: 1 } },
    { why: "while a worker is not heard of", from: { unheard: 1 } },
    { why: "while more of the old release take jobs than are to", from: { taking: 20 } },
    { why: "while what left is not known", from: { leavingInFlight: null } },
  ])("$why", ({ from }) => {
    const view = aView({ taking: 19, workers: 19, tally: aTally(10_000, 100), ...from });
    const decision = look(gate, { ...HEALTHY, from: view });
    expect(decision.rollout.stage?.step).toBe(0);
  });

  test("past the contract check, with any bypass", () => {
    const contract = { lanesWithoutReader: ["mail.r1"], readGroupsUp: 1 };
    for (const kind of ["promote", "promote-full", "force"] as const) {
      const asked = ask(gate, { kind, expiresAtMs: START_MS + 60_000 });
      if (asked.kind === "refused") throw new Error(asked.reason);
      const decision = look(asked.rollout, { ...HEALTHY, contract });
      expect(decision).toMatchObject({ kind: "stayed", record: { code: "contract" } });
    }
  });

  test("on inconclusive gates: the soak is extended, then a person is asked", () => {
    const few = {
      to: aView({ taking: 1, tally: aTally(10) }),
      from: aView({ taking: 19, tally: aTally(10_000) }),
    };
    const extended = look(gate, few);
    expect(extended.rollout.stage).toMatchObject({ phase: "soaking", extensions: 1 });
    const paused = look(soaking({ phase: "gate", extensions: 3 }), few);
    expect(paused.rollout).toMatchObject({
      state: "soaking",
      paused: { code: "inconclusive", by: "rollout" },
    });
    expect(paused.record.evaluations.find((it) => it.gate === "failures")).toMatchObject({
      outcome: "inconclusive",
      sample: 10,
      othersSample: 10_000,
    });
  });
});

describe("a drain that does not end", () => {
  const stuck = { from: aView({ taking: 19, workers: 20, leavingInFlight: 1 }) };

  test("is taken back at its deadline, and the step stays shut until nothing is in flight", () => {
    const draining = soaking({ phase: "draining" });
    const back = look(draining, stuck, { afterMs: POLICY.drainDeadlineMs });
    expect(back.rollout.stage).toMatchObject({ phase: "draining", handedBack: true });
    expect(back.orders).toContainEqual({ kind: "hand-back", release: "mail-1" });
    const afterMs = POLICY.drainDeadlineMs + POLICY.handBackGraceMs;
    const paused = look(back.rollout, stuck, { afterMs });
    expect(paused.rollout).toMatchObject({ stage: { phase: "draining" }, paused: { code: "drain-stuck" } });
  });

  test("of the whole release ends in a retirement that is reported as forced", () => {
    const draining = aRollout({ state: "draining" });
    const held = { from: aView({ inFlight: 1, workers: 1 }) };
    const back = look(draining, held, { afterMs: POLICY.drainDeadlineMs }).rollout;
    expect(back.drainForced).toBe(true);
    const afterMs = POLICY.drainDeadlineMs;
    const quiet = look(back, { from: aView() }, { afterMs }).rollout;
    const drained = look(quiet, { from: aView() }, { afterMs: afterMs + POLICY.drainHoldMs });
    expect(drained.orders).toContainEqual({ kind: "retire", release: "mail-1", forced: true });
  });

  test("of a share does so too", () => {
    const draining = soaking({ phase: "draining" });
    const back = look(draining, stuck, { afterMs: POLICY.drainDeadlineMs }).rollout;
    const drained = look(
      { ...back, state: "drained", stage: null },
      { from: aView() },
      { afterMs: POLICY.drainDeadlineMs },
    );
    expect(drained.orders).toContainEqual({ kind: "retire", release: "mail-1", forced: true });
    expect(back.drainForced).toBe(false);
  });

  test("keeps one worker for what only the leaving release reads", () => {
    const held = { from: aView({ onlyItReads: 3 }) };
    const { orders } = look(aRollout({ state: "draining" }), held);
    expect(orders).toContainEqual({ kind: "share", release: "mail-1", workers: 1, takes: "own-lanes" });
  });

  test("begins again when work comes up after it was over", () => {
    const again = look(aRollout({ state: "drained" }), { from: aView({ inFlight: 1 }) });
    expect(again.rollout).toMatchObject({ state: "draining", quietSinceMs: null });
  });
});

describe("a release that fails", () => {
  const failing = {
    from: aView({ taking: 19, workers: 19, tally: aTally(10_000, 100) }),
    to: aView({ taking: 1, workers: 1, tally: aTally(100, 30) }),
    components: [
      { kind: "type" as const, name: "mail.render", finished: 40, failed: 29 },
      { kind: "type" as const, name: "mail.send", finished: 60, failed: 1 },
    ],
  };

  test("is halted at any moment of a stage, with its suspects", () => {
    for (const phase of ["starting", "draining", "soaking", "gate"] as const) {
      const { rollout, orders } = look(soaking({ phase }), failing);
      expect(rollout).toMatchObject({ state: "halted", halt: { gate: "failures" } });
      expect(rollout.halt?.suspects.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
        "release mail-2",
        "type mail.render",
      ]);
      expect(orders).toEqual(
        expect.arrayContaining([
          { kind: "share", release: "mail-2", workers: 0, takes: "nothing" },
          { kind: "share", release: "mail-1", workers: 20, takes: "all" },
          { kind: "pause-lanes", release: "mail-2" },
          { kind: "requeue-exhausted", release: "mail-2" },
        ]),
      );
    }
  });

  test("is halted while the rollout is paused", () => {
    const paused = { code: "operator", why: "lunch", by: "ben", atMs: START_MS };
    expect(look(soaking({}, { paused }), failing).rollout.state).toBe("halted");
  });

  test("goes back by itself, the gate lowered first", () => {
    const halted = aRollout({ state: "halted", stage: aStage(), gateRaised: true, gates: [GATE] });
    const raised = { ...failing, activeVersions: { "mail.send": 2 } };
    const back = look(halted, raised).rollout;
    expect(back).toMatchObject({ state: "rolling-back", direction: "back", back: { failed: true } });
    const waits = look(back, raised);
    expect(waits).toMatchObject({ kind: "stayed", record: { code: "lowering" } });
    expect(waits.orders).toContainEqual({ kind: "set-gate", type: "mail.send", version: 1, raise: false });
    expect(look(back, failing).rollout).toMatchObject({ back: { phase: "restoring" }, gateRaised: false });
  });

  test("waits halted where it is not to go back by itself", () => {
    const policy = aPolicy({ autoRollback: false });
    expect(look(aRollout({ state: "halted" }), failing, { policy }).kind).toBe("stayed");
  });

  test("passes its gate by force only, until the force ends", () => {
    const forced = ask(soaking({ phase: "gate" }), { kind: "force", expiresAtMs: START_MS + 60_000 });
    if (forced.kind === "refused") throw new Error(forced.reason);
    expect(look(forced.rollout, failing, { afterMs: 59_999 }).rollout.stage?.step).toBe(1);
    expect(look(forced.rollout, failing, { afterMs: 60_000 }).rollout.state).toBe("halted");
    expect(forced.rollout.history.at(-1)).toMatchObject({ by: "ben", what: "force" });
    expect(forced.rollout.history.at(-1)?.why).toContain(`until ${START_MS + 60_000}`);
  });
});

describe("a single bad worker", () => {
  test("is quarantined, and the stage is watched anew without it", () => {
    const worker = (name: string, failed: number) => ({
      worker: name,
      finished: 300,
      failed,
      failedElsewhere: 0,
      stalls: 0,
    });
    const to = aView({
      taking: 5,
      tally: aTally(900, 126),
      byWorker: [worker("w-1", 120), worker("w-2", 3), worker("w-3", 3)],
    });
    const held = look(soaking({ step: 1 }), { ...HEALTHY, to }, { afterMs: 60_000 });
    expect(held.rollout).toMatchObject({
      state: "soaking",
      quarantined: [{ worker: "w-1", release: "mail-2" }],
      stage: { phase: "soaking", phaseSinceMs: START_MS + 60_000, baseline: null },
    });
    expect(held.orders).toContainEqual({ kind: "quarantine", worker: "w-1" });
    const anew = look(held.rollout, { ...HEALTHY, to }, { afterMs: 65_000 }).rollout;
    expect(anew.stage?.baseline?.to.failed).toBe(126);
  });

  test("that still runs jobs is no reason to halt the release: the new count waits for it, but not for ever", () => {
    const bad = { worker: "w-1", finished: 300, failed: 120, failedElsewhere: 0, stalls: 0, isAtWork: true };
    const to = aView({ taking: 4, tally: aTally(900, 126), byWorker: [bad] });
    const quarantined = [{ worker: "w-1", release: "mail-2", atMs: START_MS, step: 1, why: "it fails" }];
    const stage = soaking({ step: 1, baseline: null }, { quarantined });
    const waits = look(stage, { ...HEALTHY, to }, { afterMs: 2_000 });
    expect(waits.rollout.stage?.baseline).toBeNull();
    expect(waits.record.code).toBe("quarantine");
    const idle = { ...to, byWorker: [{ ...bad, isAtWork: false }] };
    expect(look(stage, { ...HEALTHY, to: idle }, { afterMs: 4_000 }).rollout.stage?.baseline).not.toBeNull();
    const late = look(stage, { ...HEALTHY, to }, { afterMs: POLICY.handBackGraceMs });
    expect(late.rollout.stage?.baseline).not.toBeNull();
  });
});

describe("what is not known", () => {
  const dark = {
    from: aView({ taking: null, inFlight: null, leavingInFlight: null, unheard: null, tally: null }),
    to: aView({ taking: null, inFlight: null, tally: null }),
  };

  test("becomes a state of its own after a while, and orders no less than before", () => {
    const noted = look(soaking(), dark).rollout;
    expect(noted).toMatchObject({ state: "soaking", missingSinceMs: START_MS });
    const unknown = look(noted, dark, { afterMs: POLICY.unknownAfterMs });
    expect(unknown.rollout).toMatchObject({ state: "unknown", knownState: "soaking" });
    expect(unknown.orders).toContainEqual({ kind: "share", release: "mail-1", workers: 19, takes: "all" });
  });

  test("is not soaked: the gap is left out", () => {
    const noted = look(soaking(), dark).rollout;
    const known = look(noted, HEALTHY, { afterMs: 10_000 }).rollout;
    expect(known).toMatchObject({ missingSinceMs: null, stage: { phaseSinceMs: START_MS + 10_000 } });
  });

  test("breaks the hold of a drain", () => {
    const quiet = aRollout({ state: "draining", quietSinceMs: START_MS });
    expect(look(quiet, dark).rollout.quietSinceMs).toBeNull();
  });

  test("does not end the window: its end takes the warm workers away", () => {
    const current = aRollout({ state: "current", currentAtMs: START_MS });
    const decision = look(current, dark, { afterMs: POLICY.rollbackWindowMs });
    expect(decision.rollout.state).toBe("current");
  });
});

describe("the way back by choice", () => {
  test("keeps one worker on what only the new release reads, until that is empty", () => {
    const current = aRollout({ state: "current", currentAtMs: START_MS, gateRaised: true });
    const asked = ask(current, { kind: "undo" });
    if (asked.kind === "refused") throw new Error(asked.reason);
    const warm = { to: aView({ taking: 20, workers: 20, onlyItReads: 40 }), from: aView({ workers: 20 }) };
    const restoring = look(asked.rollout, warm).rollout;
    expect(restoring.back).toMatchObject({ phase: "restoring", failed: false });
    // The old release takes first; until it does the new one goes on.
    const goesOn = look(restoring, warm).orders;
    expect(goesOn).toContainEqual({ kind: "share", release: "mail-1", workers: 20, takes: "all" });
    expect(goesOn).toContainEqual({ kind: "share", release: "mail-2", workers: 20, takes: "all" });
    const both = { from: aView({ taking: 20 }), to: aView({ taking: 1, workers: 1, onlyItReads: 40 }) };
    const left = look(restoring, both);
    expect(left.rollout).toMatchObject({ state: "draining", direction: "back" });
    expect(left.orders).toContainEqual({ kind: "share", release: "mail-2", workers: 1, takes: "own-lanes" });
    expect(left.orders.filter(({ kind }) => kind === "pause-lanes")).toEqual([]);
  });

  test("is refused after the window, with what to do instead", () => {
    const current = aRollout({ state: "current", currentAtMs: START_MS });
    expect(ask(current, { kind: "undo" }, { afterMs: POLICY.rollbackWindowMs })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("start a rollout to mail-1"),
    });
  });

  test("is taken when the probe job fails", () => {
    const verifying = aRollout({ state: "verifying", probe: { attempt: 1, sinceMs: START_MS } });
    const probe = { attempt: 1, outcome: "failed" as const, detail: "no route to the mail server" };
    expect(look(verifying, { probe }).rollout).toMatchObject({
      state: "rolling-back",
      back: { failed: true },
    });
  });
});

describe("an operator's act", () => {
  test("promote --full goes to all slots in one step, and drains all the same", () => {
    const asked = ask(soaking({ phase: "soaking" }), { kind: "promote-full" });
    if (asked.kind === "refused") throw new Error(asked.reason);
    const gate = look(asked.rollout, HEALTHY).rollout;
    const opened = look(gate, HEALTHY);
    expect(opened.rollout.stage).toMatchObject({ step: 3, phase: "starting", shareBefore: 0.05 });
    // The old share stays until the new workers are there.
    expect(opened.orders).toContainEqual({ kind: "share", release: "mail-1", workers: 19, takes: "all" });
  });

  test("revise starts over with another release, and the one before leaves", () => {
    const asked = ask(soaking({ step: 2 }), { kind: "revise", to: "mail-3", gates: [GATE] });
    if (asked.kind === "refused") throw new Error(asked.reason);
    expect(asked.rollout).toMatchObject({
      state: "registered",
      to: "mail-3",
      stage: null,
      drainers: [{ release: "mail-2", failed: false }],
    });
    const drainers = { "mail-2": aView({ onlyItReads: 2 }) };
    const { orders } = look(asked.rollout, { drainers });
    expect(orders).toContainEqual({ kind: "share", release: "mail-2", workers: 1, takes: "own-lanes" });
  });

  test.each([
    { act: { kind: "pause" as const, by: "" }, code: "who-missing" },
    { act: { kind: "abort" as const, why: " " }, code: "why-missing" },
    { act: { kind: "force" as const }, code: "expiry-wrong" },
    { act: { kind: "force" as const, expiresAtMs: START_MS + 25 * 3_600_000 }, code: "expiry-wrong" },
    { act: { kind: "revise" as const, to: "mail-1" }, code: "release-wrong" },
    { act: { kind: "undo" as const }, code: "not-in-this-state" },
    { act: { kind: "resume" as const }, code: "not-in-this-state" },
    { act: { kind: "close" as const }, code: "not-in-this-state" },
  ])("$act is refused as $code", ({ act, code }) => {
    expect(ask(soaking(), act)).toMatchObject({ kind: "refused", code });
  });

  test("does not pause what goes back", () => {
    const back = aRollout({ state: "rolling-back", direction: "back" });
    expect(ask(back, { kind: "pause" })).toMatchObject({ code: "not-in-this-state" });
  });
});

describe("the fence", () => {
  test("refuses an event of another revision, and a look from before the last change", () => {
    const rollout = soaking({}, { revision: 7, updatedAtMs: START_MS });
    const input = { policy: POLICY, nowMs: START_MS };
    const stale = { kind: "observed" as const, revision: 6, observation: anObservation() };
    expect(decideTransition(rollout, stale, input)).toMatchObject({ code: "stale-revision" });
    const observation = anObservation({ atMs: START_MS - 1 });
    expect(decideTransition(rollout, { kind: "observed", revision: 7, observation }, input)).toMatchObject({
      code: "stale-observation",
    });
  });
});
