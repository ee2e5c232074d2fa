import { describe, expect, test } from "vitest";
import { type Evidence, failuresOf } from "#autoscaler/rollout/decide-evidence";
import { decideFailureGate } from "#autoscaler/rollout/decide-failure-gate";
import {
  decideCriticalityGate,
  decideMismatchGate,
  decidePickupGate,
  decideStallGate,
} from "#autoscaler/rollout/decide-flow-gates";
import { decideGates } from "#autoscaler/rollout/decide-gates";
import { NO_TALLY } from "#autoscaler/rollout/decide-preflight";
import { decideRunGate } from "#autoscaler/rollout/decide-run-gate";
import { decideBadWorkers, decideSuspects } from "#autoscaler/rollout/decide-suspects";
import type { WorkerTally } from "#autoscaler/rollout/rollout-observation";
import { aPolicy, aRollout, aStage, aTally } from "./rollout-builder.ts";

const POLICY = aPolicy();

function someEvidence(over: Partial<Evidence> = {}): Evidence {
  return {
    to: aTally(600, 6),
    others: aTally(10_000, 100),
    isPast: false,
    inFlight: 0,
    failuresInRow: 0,
    workers: [],
    ...over,
  };
}

function aWorker(worker: string, over: Partial<WorkerTally> = {}): WorkerTally {
  return { worker, finished: 300, failed: 3, failedElsewhere: 0, stalls: 0, ...over };
}

describe("the failure gate", () => {
  test("fails a release that is proven worse, with two releases only", () => {
    // An average that includes the suspect could not exceed twofold with two releases; this one has 30 %
    // against 1 %.
    const gate = decideFailureGate(someEvidence({ to: aTally(60, 18) }), POLICY);
    expect(gate).toMatchObject({ outcome: "fail", value: 0.3, sample: 60, othersSample: 10_000 });
    expect(gate.sentence).toContain("30 % of 60 (at least");
  });

  test("does not fail on a ratio of three by a few jobs", () => {
    // 2 of 50 is 4 times 1 %; a release that fails 1 % does so in 9 of 100 cases.
    expect(decideFailureGate(someEvidence({ to: aTally(50, 2) }), POLICY).outcome).toBe("inconclusive");
  });

  test("passes when three times the others' rate is excluded", () => {
    expect(decideFailureGate(someEvidence({ to: aTally(2_000, 20) }), POLICY)).toMatchObject({
      outcome: "pass",
      limit: expect.closeTo(0.03),
    });
  });

  test("does not pass below the minimum of evidence, however good it looks", () => {
    expect(decideFailureGate(someEvidence({ to: aTally(49) }), POLICY)).toMatchObject({
      outcome: "inconclusive",
      wouldChange: "1 more first attempts",
    });
    expect(decideFailureGate(someEvidence({ others: aTally(10) }), POLICY).outcome).toBe("inconclusive");
  });

  test("takes a failure rate below the floor for none", () => {
    // 0.4 % against 0 of a million is proven to be more, and is below the floor of 0.5 %.
    const evidence = someEvidence({ to: aTally(100_000, 400), others: aTally(1_000_000) });
    expect(decideFailureGate(evidence, POLICY).outcome).toBe("pass");
  });

  test("leaves out jobs that fail on other releases too", () => {
    const poisoned = aTally(100, 40, { failedElsewhere: 39 });
    expect(failuresOf(poisoned)).toEqual({ hits: 1, trials: 61 });
    expect(decideFailureGate(someEvidence({ to: poisoned }), POLICY).outcome).not.toBe("fail");
    expect(decideFailureGate(someEvidence({ to: aTally(100, 40) }), POLICY).outcome).toBe("fail");
  });

  test("counts first attempts only", () => {
    const retrying = aTally(600, 6, { retried: 500, retriedFailed: 500 });
    expect(decideFailureGate(someEvidence({ to: retrying }), POLICY).outcome).not.toBe("fail");
  });

  test("takes jobs in flight for ones that may succeed: failures often come first", () => {
    const first = aTally(8, 5);
    expect(decideFailureGate(someEvidence({ to: first }), POLICY).outcome).toBe("fail");
    expect(decideFailureGate(someEvidence({ to: first, inFlight: 200 }), POLICY).outcome).toBe(
      "inconclusive",
    );
  });

  test("trips on five failures in a row of a fresh release while others succeed", () => {
    const fresh = { to: aTally(150, 5), failuresInRow: 5 };
    expect(decideFailureGate(someEvidence(fresh), POLICY).outcome).toBe("fail");
    expect(decideFailureGate(someEvidence({ ...fresh, failuresInRow: 4 }), POLICY).outcome).toBe(
      "inconclusive",
    );
  });

  test("does not trip on five in a row where that happens to good releases", () => {
    // 200 x 0.3^5 = 0.49: about every second good release would have such a row among its first 200 jobs.
    const row = { to: aTally(30, 10), failuresInRow: 5, others: aTally(10_000, 3_000) };
    expect(decideFailureGate(someEvidence(row), POLICY).outcome).not.toBe("fail");
    // 200 x 0.32^12 = 0.0002.
    expect(decideFailureGate(someEvidence({ ...row, failuresInRow: 12 }), POLICY).outcome).toBe("fail");
  });

  test("allows half as much again beside the others' past, which was another time", () => {
    const evidence = { to: aTally(10_000, 850), others: aTally(20_000, 1_000) };
    expect(decideFailureGate(someEvidence(evidence), POLICY).outcome).toBe("fail");
    const past = decideFailureGate(someEvidence({ ...evidence, isPast: true }), POLICY);
    expect(past.outcome).not.toBe("fail");
  });
});

describe("the run time gate", () => {
  const at = (index: number, jobs: number) => NO_TALLY.run.with(index, jobs);

  test("passes equal times", () => {
    expect(decideRunGate(someEvidence(), POLICY)).toMatchObject({ outcome: "pass", sample: 600 });
  });

  test("fails times that no slowing by half explains", () => {
    // Others up to 1 s, the new release from 2 s to 3 s.
    const evidence = someEvidence({
      to: aTally(100, 0, { run: at(5, 100) }),
      others: aTally(1_000, 0, { run: at(3, 1_000) }),
    });
    expect(decideRunGate(evidence, POLICY).outcome).toBe("fail");
    const spread = someEvidence({
      to: aTally(100, 0, { run: at(3, 60).with(5, 40) }),
      others: aTally(1_000, 0, { run: at(3, 1_000) }),
    });
    expect(decideRunGate(spread, POLICY)).toMatchObject({ outcome: "fail" });
  });

  test("decides nothing on a few jobs", () => {
    const few = someEvidence({ to: aTally(5, 0, { run: at(3, 3).with(5, 2) }) });
    expect(decideRunGate(few, POLICY).outcome).toBe("inconclusive");
  });
});

describe("the pickup gate", () => {
  const late = NO_TALLY.pickup.with(15, 500);

  test("holds while everybody is late, and halts nobody for it", () => {
    const evidence = someEvidence({
      to: aTally(500, 0, { pickup: late }),
      others: aTally(500, 0, { pickup: late }),
    });
    expect(decidePickupGate(evidence, POLICY).outcome).toBe("inconclusive");
  });

  test("fails when only the new release's jobs are late", () => {
    expect(decidePickupGate(someEvidence({ to: aTally(500, 0, { pickup: late }) }), POLICY).outcome).toBe(
      "fail",
    );
  });

  test("passes when 95 of 100 are in time", () => {
    const pickup = NO_TALLY.pickup.with(0, 95).with(15, 5);
    expect(decidePickupGate(someEvidence({ to: aTally(100, 0, { pickup }) }), POLICY).outcome).toBe("pass");
  });
});

describe("the gates of what must not happen", () => {
  test("stalls of the new release alone fail, those that others share hold", () => {
    const stalled = aTally(600, 6, { stalls: 1 });
    expect(decideStallGate(someEvidence({ to: stalled })).outcome).toBe("fail");
    const shared = { to: stalled, others: aTally(10_000, 100, { stalls: 2 }) };
    expect(decideStallGate(someEvidence(shared)).outcome).toBe("inconclusive");
    expect(decideStallGate(someEvidence()).outcome).toBe("pass");
  });

  test("one schema mismatch fails", () => {
    expect(decideMismatchGate(someEvidence({ to: aTally(600, 6, { mismatches: 1 }) })).outcome).toBe("fail");
    expect(decideMismatchGate(someEvidence()).outcome).toBe("pass");
  });
});

describe("the criticality gate", () => {
  test("passes below one job created for each that is completed", () => {
    const evidence = someEvidence({ to: aTally(1_000, 0, { created: 900 }) });
    expect(decideCriticalityGate(evidence, POLICY).outcome).toBe("pass");
  });

  test("fails when each job leaves more than itself behind", () => {
    const evidence = someEvidence({ to: aTally(1_000, 0, { created: 2_000 }) });
    expect(decideCriticalityGate(evidence, POLICY)).toMatchObject({ outcome: "fail", value: 2 });
  });

  test("waits where a few large batches explain it, or the whole is above one", () => {
    const few = someEvidence({ to: aTally(20, 0, { created: 30 }) });
    expect(decideCriticalityGate(few, POLICY).outcome).toBe("inconclusive");
    const whole = someEvidence({
      to: aTally(1_000, 0, { created: 2_000 }),
      others: aTally(10_000, 0, { created: 20_000 }),
    });
    expect(decideCriticalityGate(whole, POLICY).outcome).toBe("inconclusive");
  });
});

describe("a single bad worker", () => {
  const bad = aWorker("w-7", { finished: 300, failed: 120 });
  const good = ["w-8", "w-9", "w-10"].map((name) => aWorker(name));

  test("is told from its siblings, pooled", () => {
    expect(decideBadWorkers([bad, ...good], POLICY)).toMatchObject([
      { kind: "worker", name: "w-7", rate: 0.4 },
    ]);
    expect(decideBadWorkers(good, POLICY)).toEqual([]);
    expect(decideBadWorkers([bad], POLICY)).toEqual([]);
  });

  test("of a good release holds the rollout and does not halt it", () => {
    const evidence = someEvidence({ to: aTally(1_200, 129), workers: [bad, ...good] });
    const rollout = aRollout({ state: "soaking", stage: aStage() });
    const decision = decideGates(rollout, { evidence, components: [], policy: POLICY });
    expect(decision).toMatchObject({ kind: "hold", worker: { name: "w-7" } });
  });

  test("is named on less evidence once a gate fails: few siblings prove it later than the many jobs beside it", () => {
    // 10 of 17 beside 0 of 68: not within 0.002, within 0.01.
    const few = [aWorker("w-7", { finished: 17, failed: 10 }), aWorker("w-8", { finished: 68, failed: 0 })];
    expect(decideBadWorkers(few, POLICY)).toEqual([]);
    expect(decideBadWorkers(few, POLICY, true)).toMatchObject([{ name: "w-7" }]);
    // Proven against 392 good jobs of the old release when the siblings, started later, have run 18: the one look is enough.
    const late = [
      aWorker("w-7", { finished: 38, failed: 23 }),
      aWorker("w-8", { finished: 9, failed: 0 }),
      aWorker("w-9", { finished: 9, failed: 0 }),
    ];
    expect(decideBadWorkers(late, POLICY, true)).toMatchObject([{ name: "w-7" }]);
    const both = [aWorker("w-7", { finished: 40, failed: 12 }), aWorker("w-8", { finished: 45, failed: 14 })];
    expect(decideBadWorkers(both, POLICY, true)).toEqual([]);
  });

  test("is no excuse when its siblings are bad too, or it is the second of the step", () => {
    const rollout = aRollout({ state: "soaking", stage: aStage() });
    const siblings = ["w-8", "w-9"].map((name) => aWorker(name, { failed: 60 }));
    const evidence = someEvidence({ to: aTally(900, 240), workers: [bad, ...siblings] });
    expect(decideGates(rollout, { evidence, components: [], policy: POLICY }).kind).toBe("fail");
    const second = {
      ...rollout,
      quarantined: [{ worker: "w-1", release: "mail-2", atMs: 1, step: 0, why: "x" }],
    };
    const again = someEvidence({ to: aTally(1_200, 129), workers: [bad, ...good] });
    expect(decideGates(second, { evidence: again, components: [], policy: POLICY }).kind).toBe("fail");
  });

  test("is the one whose jobs stall, if no sibling's do", () => {
    const workers = [aWorker("w-7", { stalls: 2 }), ...good];
    expect(decideBadWorkers(workers, POLICY)).toMatchObject([{ name: "w-7" }]);
    expect(decideBadWorkers([aWorker("w-7", { stalls: 1 }), aWorker("w-8", { stalls: 1 })], POLICY)).toEqual(
      [],
    );
  });
});

describe("the suspects", () => {
  test("are the release, then what its failures belong to", () => {
    const components = [
      { kind: "type" as const, name: "mail.send", finished: 500, failed: 2 },
      { kind: "type" as const, name: "mail.render", finished: 100, failed: 80 },
      { kind: "tenant" as const, name: "acme", finished: 300, failed: 40 },
      { kind: "tenant" as const, name: "globex", finished: 300, failed: 42 },
      { kind: "dependency" as const, name: "smtp-eu", finished: 50, failed: 49 },
      { kind: "dependency" as const, name: "smtp-us", finished: 550, failed: 33 },
    ];
    const evidence = someEvidence({ to: aTally(600, 82) });
    const suspects = decideSuspects("mail-2", evidence, { components, policy: POLICY });
    expect(suspects.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "release mail-2",
      "dependency smtp-eu",
      "type mail.render",
    ]);
    expect(suspects[0]).toMatchObject({ restRate: 0.01, finished: 600 });
  });
});
