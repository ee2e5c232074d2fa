/** Releases that are worse than the one before: halted by themselves, and no job pays for it. */
import { describe, expect } from "vitest";
import { LONG } from "#cli/demo/run-rollout";
import { standTest } from "#test/support/stand-test";

const FIRST_SHARE = 0.25;

describe("a release", () => {
  standTest(
    "that fails three jobs in ten is halted within 10 s of its 60th job and goes back",
    async ({ stand }) => {
      const ended = await stand.untilOver(await stand.begin("demo-v2-bad"));
      const ledger = await stand.load.close();
      const milestones = stand.milestonesOf(ended, ledger);
      const { count } = ledger;
      process.stdout.write(`${JSON.stringify({ milestones, count })}\n`);
      expect(ended.view.progress.verdict).toBe("rolled-back");
      expect(ended.view.rollout.halt?.gate).toBe("failures");
      // Halted before its 60th job there is no such time.
      expect(milestones.haltedAfterJob60Ms ?? 0).toBeLessThan(10_000);
      expect(milestones.exposure).toBeLessThan(1.5 * FIRST_SHARE);
      expect(count).toMatchObject({
        succeeded: count.accepted,
        lost: 0,
        unfinished: 0,
        failed: { unreadable: 0, byRelease: {} },
        runTwice: { explained: 0, unexplained: 0 },
        stalls: 0,
      });
      expect(count.releases["demo-v2-bad"]?.failed).toBeGreaterThan(0);
    },
  );

  standTest(
    "whose jobs make more jobs than it finishes is halted, and what they made is worked off",
    async ({ stand }) => {
      const { view } = await stand.untilOver(await stand.begin("demo-v2-supercritical"));
      const { count, handedIn } = await stand.load.close();
      expect(view.progress.verdict).toBe("rolled-back");
      expect(view.rollout.halt?.gate).toBe("criticality");
      expect(count.accepted).toBeGreaterThan(handedIn.accepted.length);
      expect(count).toMatchObject({ succeeded: count.accepted, lost: 0, unfinished: 0 });
    },
  );
});

describe("a release of long jobs", () => {
  standTest.override({ standOptions: { ratePerSecond: 100, ...LONG } });

  standTest("that takes three times as long is halted and goes back", async ({ stand }) => {
    const { view } = await stand.untilOver(await stand.begin("demo-v2-slow"));
    const { count } = await stand.load.close();
    expect(view.progress.verdict).toBe("rolled-back");
    expect(view.rollout.halt?.gate).toBe("run-time");
    expect(count).toMatchObject({ succeeded: count.accepted, lost: 0, unfinished: 0 });
  });
});
