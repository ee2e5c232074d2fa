/** One broken machine is told from a broken release. */
import { describe, expect } from "vitest";
import { standTest } from "#test/support/rollout-stand";

describe("a single bad worker of a good release", () => {
  standTest.override({ standOptions: { rollout: { steps: [0.5, 1] } } });

  standTest("is named and quarantined, and the release takes over without it", async ({ stand }) => {
    const id = await stand.begin("demo-v2-one-bad-worker");
    const held = await stand.director.until(
      "a quarantine",
      ({ rollout }) => rollout.quarantined.length > 0 || rollout.halt !== null,
      120_000,
    );
    const seen = await stand.director.view();
    process.stdout.write(`${JSON.stringify({ halt: held.rollout.halt, byWorker: seen.observation?.to.byWorker })}\n`);
    expect(held.rollout.halt).toBeNull();
    const [bad] = held.rollout.quarantined;
    const { view } = await stand.untilOver(id);
    const { runs, count } = await stand.load.close();
    const broken = runs.filter((it) => it.event === "end" && it.how === "failed").map((it) => it.worker);
    expect([...new Set(broken)]).toEqual([bad?.worker]);
    // Held where it was: the next step opened only after the quarantine.
    expect(held.rollout.stage).toMatchObject({ kind: "share", step: 1 });
    expect(view.progress.verdict).toBe("finished");
    expect(count).toMatchObject({ succeeded: count.accepted, lost: 0, unfinished: 0, stalls: 0 });
  });
});
