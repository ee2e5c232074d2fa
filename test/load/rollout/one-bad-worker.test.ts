/** One broken machine is told from a broken release. */
import { describe, expect } from "vitest";
import { standTest } from "#test/support/stand-test";

describe("a single bad worker of a good release", () => {
  // Three of four workers: two siblings clear the release before its own failures condemn it.
  standTest.override({ standOptions: { attempts: 6, rollout: { steps: [0.75, 1] } } });

  standTest("is named and quarantined, and the release takes over without it", async ({ stand }) => {
    const id = await stand.begin("demo-v2-one-bad-worker");
    const held = await stand.director.until(
      "a quarantine",
      ({ rollout }) => rollout.quarantined.length > 0 || rollout.halt !== null,
      120_000,
    );
    expect(held.rollout.halt).toBeNull();
    const [bad] = held.rollout.quarantined;
    const { view, records } = await stand.untilOver(id);
    const { runs, count } = await stand.load.close();
    process.stdout.write(`${records.map((it) => `${it.at} ${it.code}: ${it.sentence}`).join("\n")}\n`);
    const broken = runs.filter((it) => it.event === "end" && it.how === "failed").map((it) => it.worker);
    expect([...new Set(broken)]).toEqual([bad?.worker]);
    // Held where it was: the next step opened only after the quarantine.
    expect(held.rollout.stage).toMatchObject({ kind: "share", step: 1 });
    expect(view.progress.verdict).toBe("finished");
    expect(count).toMatchObject({ succeeded: count.accepted, lost: 0, unfinished: 0, stalls: 0 });
  });
});
