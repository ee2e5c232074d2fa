/** The airlock waits for what is in flight, to its deadline and no longer, and nothing opens before. */
import { describe, expect } from "vitest";
import { standTest } from "#test/support/stand-test";

const DRAIN_DEADLINE_MS = 6_000;

describe("a job that never ends on the old release", () => {
  standTest.override({
    standOptions: { ratePerSecond: 50, rollout: { steps: [0.5, 1], drainDeadlineMs: DRAIN_DEADLINE_MS } },
  });

  standTest(
    "holds the step until the drain deadline, is handed back and done by the new one, and the retirement is told to be forced",
    async ({ stand }) => {
      const endless = {
        n: 1_000_000,
        workMs: 10,
        act: "endless",
        made: "to-succeed",
        malformed: false,
      } as const;
      // One for each worker of the old release, as likely as not: some worker that leaves first has one.
      const ids: string[] = [];
      for (let n = 0; n < 8; n += 1) ids.push(await stand.load.handIn.one({ ...endless, n: endless.n + n }));
      const { view, records } = await stand.untilOver(await stand.begin("demo-v2"));
      const { runs, count } = await stand.load.close();
      process.stdout.write(`${records.map((it) => `${it.at} ${it.code}: ${it.sentence}`).join("\n")}\n`);

      const at = (code: string) => records.filter((it) => it.code === code).map((it) => Date.parse(it.at));
      const [started = 0] = at("started");
      const [handBack = 0] = at("hand-back");
      const [drained = 0] = at("drained");
      expect(handBack - started).toBeGreaterThanOrEqual(DRAIN_DEADLINE_MS);
      expect(drained).toBeGreaterThan(handBack);
      const second = records.filter((it) => it.code === "open-step").map((it) => Date.parse(it.at));
      expect(second.filter((atMs) => atMs > started && atMs < drained)).toEqual([]);
      expect(view.progress.verdict).toBe("finished");
      expect(records.at(-1)?.sentence).toContain("forced");
      for (const id of ids) {
        const own = runs
          .filter((it) => it.jobId === id && it.event === "end")
          .toSorted((a, b) => a.atMs - b.atMs);
        expect(own.at(-1)).toMatchObject({ release: "demo-v2", how: "done" });
        expect(own.filter((it) => it.how === "aborted").every((it) => it.release === "demo-v1")).toBe(true);
      }
      expect(count).toMatchObject({ succeeded: count.accepted, lost: 0, unfinished: 0, burnt: 0, stalls: 0 });
    },
  );
});
