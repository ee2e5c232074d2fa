import { describe, expect, test } from "vitest";
import { decideLaneRetirement } from "#autoscaler/retirement/decide-lane-retirement";
import type { RegistryDocument } from "#shared/registry/registry-document";
import {
  movedTo,
  published,
  publishedOn,
  releaseOf,
  typeOf,
  without,
} from "../../shared/registry/registry-builder.ts";
import { laneView } from "../control-api/build-look.ts";

const pairs = [
  [1, 1],
  [2, 2],
  [3, 3],
] as const;
const v1 = releaseOf("v1", typeOf("receipt.render", pairs.slice(0, 1)));
const v2 = releaseOf("v2", typeOf("receipt.render", pairs.slice(0, 2)));
const v3 = releaseOf("v3", typeOf("receipt.render", pairs));

/** v1 is gone: lane 1 is nobody's own, and everything is written to lane 2. */
const risen = without(published(v1, v2), "v1");

/** What is in the way of the lane of `generation`. */
function codesOf(document: RegistryDocument, generation: number, jobs = {}): readonly string[] {
  const lane = laneView({ lane: `shop.r${generation}`, generation, ...jobs });
  const { mayRetire, blockers } = decideLaneRetirement(document, "shop", lane);
  expect(mayRetire).toBe(blockers.length === 0);
  return blockers.map((it) => it.code);
}

describe("a lane may retire", () => {
  test("when it is empty, nobody's own, and nothing is written there", () => {
    expect(decideLaneRetirement(risen, "shop", laneView())).toEqual({ mayRetire: true, blockers: [] });
  });

  test("whatever finished jobs are still kept in it", () => {
    expect(codesOf(risen, 1, { succeeded: 100_000, failed: 10_000 })).toEqual([]);
  });

  test("when every release of its queue is retired, the newest lane too", () => {
    const nobody = without(risen, "v2");
    expect([codesOf(nobody, 1), codesOf(nobody, 2)]).toEqual([[], []]);
  });
});

describe("a lane may not retire", () => {
  test.each([
    ["waiting", 1, "jobs-waiting", "1 job in shop.r1 waits"],
    ["waiting", 3, "jobs-waiting", "3 jobs in shop.r1 wait"],
    ["inFlight", 1, "jobs-in-flight", "1 job in shop.r1 runs"],
    ["scheduled", 2, "jobs-scheduled", "2 jobs in shop.r1 are scheduled or due for a retry"],
    ["other", 1, "jobs-of-others", "1 job in shop.r1 waits for children or repeats"],
  ])("while %s is %i: %s", (state, jobs, code, what) => {
    expect(decideLaneRetirement(risen, "shop", laneView({ [state]: jobs }))).toEqual({
      mayRetire: false,
      blockers: [{ code, what, jobs }],
    });
  });

  test("while a live release has it for its own, and each is named", () => {
    const same = { ...v2, release: "v2b" };
    const { blockers } = decideLaneRetirement(
      publishedOn(risen, same),
      "shop",
      laneView({ lane: "shop.r2", generation: 2 }),
    );
    expect(blockers).toEqual([
      { code: "live-release", what: "release v2 is live and has this lane for its own" },
      { code: "live-release", what: "release v2b is live and has this lane for its own" },
      { code: "new-jobs", what: "new jobs of receipt.render are written to shop.r2" },
    ]);
  });

  test("while new jobs are written there, though it is nobody's own any more", () => {
    // v3 reads all of lane 2, and lane 1 is live again: version 2 goes to the lowest lane that reads it.
    const between = without(publishedOn(without(published(v1, v2), "v1"), v3), "v2");
    const document = movedTo(publishedOn(between, v1), 2);
    expect(codesOf(document, 2)).toEqual(["new-jobs"]);
    // Below the gate nothing is written there, and a lane that retires is passed over after that.
    expect(codesOf(movedTo(document, 1), 2)).toEqual([]);
  });

  test("for all its reasons at once, jobs first", () => {
    expect(codesOf(risen, 2, { waiting: 1, inFlight: 1, scheduled: 1, other: 1 })).toEqual([
      "jobs-waiting",
      "jobs-in-flight",
      "jobs-scheduled",
      "jobs-of-others",
      "live-release",
      "new-jobs",
    ]);
  });

  test("for a type of its own queue only", () => {
    const mail = releaseOf("mail-1", typeOf("mail.send", [[1, 1]], "mail"));
    const document = publishedOn(risen, { ...mail, app: "mail" });
    expect(codesOf(document, 1)).toEqual([]);
    expect(decideLaneRetirement(document, "mail", laneView({ lane: "mail.r1" })).blockers).toHaveLength(2);
  });
});
