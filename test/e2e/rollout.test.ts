/** A release takes a pool over on real processes while jobs come in. The longer shows are in test/load/rollout. */
import { describe, expect } from "vitest";
import { standTest } from "#test/support/stand-test";

describe("a release with a breaking change", () => {
  standTest.override({
    standOptions: {
      ratePerSecond: 40,
      pool: { workersMin: 2, workersMax: 2 },
      // A release counts as good that fails less than three in ten: 40 jobs exclude that.
      rollout: {
        steps: [0.5, 1],
        soakMs: 1_500,
        emissionSoakMs: 1_000,
        jobsMin: 20,
        failureFloor: 0.1,
        drainHoldMs: 500,
        rollbackWindowMs: 500,
      },
    },
  });

  standTest(
    "takes over, is written to, and the old one retires; every job is done once",
    { timeout: 120_000 },
    async ({ stand }) => {
      const { view, records } = await stand.untilOver(await stand.begin("demo-v2"));
      const { runs, count, handedIn } = await stand.load.close();
      expect(view.progress.verdict).toBe("finished");
      expect(view.rollout.gates).toEqual([{ type: "demo.order", before: 1, wanted: 2 }]);
      expect(records.map((it) => it.code)).toEqual(
        expect.arrayContaining([
          "verify",
          "started",
          "drained",
          "open-step",
          "raise-gate",
          "current",
          "retired",
        ]),
      );
      expect(count).toMatchObject({
        succeeded: count.accepted,
        lost: 0,
        unfinished: 0,
        burnt: 0,
        stalls: 0,
        runTwice: { explained: 0, unexplained: 0 },
      });
      expect(handedIn).toMatchObject({ refused: {}, unknown: 0 });
      // What only the new release reads was never started by the old one.
      const newest = runs.filter((it) => it.event === "start" && it.schemaVersion === 2);
      expect(newest.length).toBeGreaterThan(0);
      expect(newest.every((it) => it.release === "demo-v2")).toBe(true);
    },
  );
});
