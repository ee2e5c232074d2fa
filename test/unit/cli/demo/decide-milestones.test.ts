import { describe, expect, it } from "vitest";
import type { RunLine } from "#cli/demo/decide-ledger";
import { decideMilestones, type MilestoneRecord } from "#cli/demo/decide-milestones";

const run = (release: string, event: "start" | "end", atMs: number): RunLine => ({
  event,
  release,
  atMs,
  jobId: `${release}-${atMs}`,
  starts: 1,
  schemaVersion: 1,
  worker: "w-1",
  ...(event === "end" && { how: "done" as const }),
});

const runsOf = (release: string, count: number, everyMs: number): RunLine[] =>
  Array.from({ length: count }, (_, n) => [
    run(release, "start", n * everyMs),
    run(release, "end", (n + 1) * everyMs),
  ]).flat();

const record = (atMs: number, code: string, from: string, to = from): MilestoneRecord => ({
  atMs,
  code,
  from,
  to,
});

const milestones = (records: readonly MilestoneRecord[], runs: readonly RunLine[]) =>
  decideMilestones({ from: "v1", to: "v2", records, runs, drainHoldMs: 1_000 });

describe("the milestones of a rollout", () => {
  it("tell how long after the new release's 60th job it was halted, and how many it had run by then", () => {
    // An end every 100 ms: the 60th at 6 s, 85 of them by 8.5 s.
    const told = milestones([record(8_500, "halt", "soaking", "halted")], runsOf("v2", 200, 100));
    // It goes on to start until 19.9 s.
    expect(told).toMatchObject({ haltedAfterJob60Ms: 2_500, jobsBeforeHalt: 85, startsAfterHaltMs: 11_400 });
  });

  it("tell no time to the halt where there were fewer jobs, and none below zero", () => {
    const halt = record(3_000, "halt", "soaking", "halted");
    expect(milestones([halt], runsOf("v2", 40, 100)).haltedAfterJob60Ms).toBeNull();
    expect(milestones([halt], runsOf("v2", 100, 100)).haltedAfterJob60Ms).toBe(0);
    expect(
      milestones([record(3_000, "current", "soaking", "current")], runsOf("v2", 100, 100)),
    ).toMatchObject({
      haltedAfterJob60Ms: null,
      jobsBeforeHalt: null,
    });
  });

  it("tell the share of starts that the new release had from its first to the halt", () => {
    // From 1,000 to 2,000 ms: 11 starts of v1 and 3 of v2; what is before and after does not count.
    const runs = [
      ...runsOf("v1", 40, 100),
      ...[1_000, 1_500, 2_000, 2_500].map((atMs) => run("v2", "start", atMs)),
    ];
    const told = milestones([record(2_000, "halt", "soaking", "halted")], runs);
    expect(told.exposure).toBeCloseTo(3 / 14);
  });

  it("tell how long after the old release's last job the last step was seen to be drained", () => {
    const records = [
      record(500, "started", "soaking"),
      record(900, "drained", "soaking"),
      record(2_000, "started", "soaking"),
      record(4_200, "drained", "soaking"),
    ];
    // The last of 40 ends at 4,000 ms.
    expect(milestones(records, runsOf("v1", 40, 100)).shareDrainedAfterMs).toBe(200);
    expect(milestones(records, runsOf("v1", 50, 100)).shareDrainedAfterMs).toBeNull();
  });

  it("tell the same of the release that leaves, from when it was told to and less the hold", () => {
    const records = [
      record(6_000, "drain", "current", "draining"),
      record(7_300, "drained", "draining", "drained"),
    ];
    expect(milestones(records, runsOf("v1", 40, 100)).drainedAfterMs).toBe(300);
    const back = [
      record(3_000, "roll-back", "halted", "rolling-back"),
      record(3_100, "drain", "rolling-back", "draining"),
      record(5_000, "drained", "draining", "drained"),
    ];
    // v2 ends its last at 3,500.
    expect(milestones(back, [...runsOf("v1", 60, 100), ...runsOf("v2", 35, 100)]).drainedAfterMs).toBe(500);
  });
});
