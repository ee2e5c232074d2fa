import { describe, expect, test } from "vitest";
import { decidePreflight, type PreflightFacts } from "#autoscaler/rollout/decide-preflight";
import { HISTORY_LENGTH_MAX, rolloutDocument } from "#autoscaler/rollout/rollout-document";
import { rolloutPolicy } from "#shared/rollout/rollout-policy";
import { A_REQUEST, aRollout, ask, someFacts } from "./rollout-builder.ts";

function codesOf(over: Partial<PreflightFacts>, request = A_REQUEST): readonly string[] {
  const decision = decidePreflight(request, someFacts(over));
  return decision.kind === "ready" ? [] : decision.blockers.map(({ code }) => code);
}

describe("a rollout may begin", () => {
  test("when both releases are live and every lane keeps a reader", () => {
    const decision = decidePreflight(A_REQUEST, someFacts());
    expect(decision).toMatchObject({ kind: "ready", rollout: { state: "registered", revision: 1 } });
  });

  test("beside an earlier one whose old release only leaves", () => {
    expect(codesOf({ latest: aRollout({ state: "draining" }) })).toEqual([]);
    expect(codesOf({ latest: aRollout({ state: "drained" }) })).toEqual([]);
    expect(codesOf({ latest: aRollout({ state: "retired" }) })).toEqual([]);
    expect(codesOf({ latest: aRollout({ state: "drained", direction: "back" }) })).toEqual([]);
  });
});

describe("a rollout is blocked", () => {
  test.each([
    {
      why: "by a stored lane without a reader",
      over: { contract: { lanesWithoutReader: ["mail.r1"], readGroupsUp: 1 } },
      codes: ["contract"],
    },
    {
      why: "by a jump of two versions",
      over: { contract: { lanesWithoutReader: [], readGroupsUp: 2 } },
      codes: ["contract"],
    },
    { why: "while the contract check is not known", over: { contract: null }, codes: ["contract-not-known"] },
    { why: "by a release that is not published", over: { toState: null }, codes: ["release-not-live"] },
    {
      why: "by a release that is retired",
      over: { toState: "retired" as const },
      codes: ["release-not-live"],
    },
    {
      why: "by a third live release",
      over: { liveReleases: ["mail-0", "mail-1", "mail-2"] },
      codes: ["third-release"],
    },
    {
      why: "by another rollout of the pool",
      over: { latest: aRollout({ state: "soaking" }) },
      codes: ["rollout-active"],
    },
    {
      why: "by one that is unknown",
      over: { latest: aRollout({ state: "unknown" }) },
      codes: ["rollout-active"],
    },
    {
      why: "by one that goes back",
      over: { latest: aRollout({ state: "draining", direction: "back" }) },
      codes: ["rollout-active"],
    },
    {
      why: "by an open rollback window",
      over: { latest: aRollout({ state: "current" }) },
      codes: ["window-open"],
    },
  ])("$why", ({ over, codes }) => {
    expect(codesOf(over)).toEqual(codes);
  });

  test("without who and why, or to the release that is there", () => {
    expect(codesOf({}, { ...A_REQUEST, why: " " })).toEqual(["who-missing"]);
    expect(codesOf({}, { ...A_REQUEST, to: "mail-1" })).toContain("same-release");
  });

  test("with all blockers at once", () => {
    expect(codesOf({ contract: null, toState: null })).toEqual(["release-not-live", "contract-not-known"]);
  });
});

describe("the stored document", () => {
  test("is the same after it was text", () => {
    const rollout = aRollout();
    expect(rolloutDocument.parse(JSON.parse(JSON.stringify(rollout)))).toEqual(rollout);
  });

  test("keeps a bounded history with bounded texts", () => {
    let rollout = aRollout();
    for (let turn = 0; turn < HISTORY_LENGTH_MAX + 20; turn += 1) {
      const kind = rollout.paused === null ? ("pause" as const) : ("resume" as const);
      const decision = ask(rollout, { kind, why: "w".repeat(2_000) });
      if (decision.kind === "refused") throw new Error(decision.reason);
      rollout = decision.rollout;
    }
    expect(rollout.history).toHaveLength(HISTORY_LENGTH_MAX);
    expect(rolloutDocument.safeParse(rollout).success).toBe(true);
  });
});

describe("the policy", () => {
  test("needs the pickup promise only", () => {
    expect(rolloutPolicy.parse({ pickupPromiseMs: 30_000 })).toMatchObject({
      steps: [0.05, 0.25, 0.5, 1],
      soakMs: 600_000,
      rollbackWindowMs: 3_600_000,
    });
  });

  test.each([{ steps: [0.5] }, { steps: [0.5, 0.25, 1] }, { steps: [] }, { steps: [0, 1] }])(
    "refuses the steps $steps",
    ({ steps }) => {
      expect(rolloutPolicy.safeParse({ pickupPromiseMs: 30_000, steps }).success).toBe(false);
    },
  );
});
