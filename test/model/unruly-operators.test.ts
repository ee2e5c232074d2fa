/**
 * The same with people who retire without asking, move and add jobs with plain BullMQ tools, and publish a
 * version with another schema: jobs may then wait for a reader for long, with an alarm, but none is failed.
 */
import { expect, test } from "vitest";
import { explore, missing } from "./explore.ts";
import { anyCommands } from "./run-world.ts";

/** About half of what this seed gives. */
const AT_LEAST = {
  steps: 50_000,
  runs: 200,
  "enqueue: accepted": 4_000,
  "enqueue: on an old copy of the registry": 3_000,
  "enqueue: scheduled far ahead": 400,
  "enqueue: refused, VERSION_NOT_ACTIVE": 300,
  "enqueue: refused, VERSION_UNKNOWN": 1_000,
  "repeat: the same job": 700,
  "publish: published": 1_000,
  "publish: refused": 500,
  "gate: raised": 500,
  "gate: lowered": 300,
  "gate: refused, slots-missing": 20,
  "gate: refused, no-reader": 40,
  "retire: done": 200,
  "retire: refused, lane-without-reader": 700,
  "retire: refused, version-without-reader": 1_000,
  "retire: refused, worker-takes-jobs": 1_000,
  "lanes retired": 100,
  "rolled back to a live release": 200,
  "rolled back to a retired release": 100,
  started: 3_000,
  "started older data": 1_000,
  "started newer data": 100,
  "settled: retry": 200,
  "settled: returned": 100,
  redelivered: 100,
  "migrated: moved": 200,
  "migrated: upcast": 90,
  "handed back: UPCAST_FAILED": 60,
  misplaced: 800,
  "handed back: TOO_NEW": 20,
  "handed back: TOO_OLD": 8,
  "handed back: FOREIGN": 80,
  "parked: TOO_NEW": 10,
  "parked: FOREIGN": 40,
  "parked: UPCAST_FAILED": 10,
  "parked jobs released": 30,
  "dead: DATA_INVALID": 70,
  "migrated: quarantined": 6,
  "publish: fork refused": 400,
  "alarm: no live reader, no worker takes from it": 4_000,
  "alarm: live readers, no worker takes from it": 100,
};

test("what nobody reads is kept, told of and run by the next build that reads it", async () => {
  const coverage = await explore(anyCommands, { seed: 20_260_131, runs: 560 });
  expect(missing(coverage, AT_LEAST)).toEqual({});
}, 300_000);
