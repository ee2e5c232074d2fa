/** Three releases with a breaking change each take over at 200 jobs a second, with a rollback in the middle. */
import { describe, expect } from "vitest";
import { showTakeovers } from "#test/support/rollout-shows";
import { standTest } from "#test/support/stand-test";

describe("v1 -> v2 -> v3 with a rollback from v3 to v2 in the middle", () => {
  standTest(
    "loses no job, fails none, burns no attempt, stalls none and runs none twice",
    async ({ stand }) => {
      const { verdicts, milestones, ledger } = await showTakeovers(stand);
      const { count, handedIn } = ledger;
      process.stdout.write(`${JSON.stringify({ milestones, count, refused: handedIn.refused })}\n`);
      expect(verdicts).toEqual(["finished", "rolled-back", "finished"]);
      expect(count).toMatchObject({
        succeeded: count.accepted,
        lost: 0,
        unfinished: 0,
        failed: { asMade: 0, unreadable: 0, byRelease: {} },
        runTwice: { explained: 0, unexplained: 0 },
        burnt: 0,
        stalls: 0,
      });
      expect(handedIn).toMatchObject({ refused: {}, unknown: 0 });
      expect(Object.keys(count.releases).sort()).toEqual(["demo-v1", "demo-v2", "demo-v3"]);
      for (const { shareDrainedAfterMs, drainedAfterMs } of milestones) {
        for (const lagMs of [shareDrainedAfterMs, drainedAfterMs]) expect(lagMs ?? 0).toBeLessThan(1_000);
      }
    },
  );
});
