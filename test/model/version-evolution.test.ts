/**
 * Builds, gates, workers and jobs in any order, as operators bring it about who ask before they retire.
 * The promises are in `invariants.ts` and `ledger.ts`; all of them are looked at after every command.
 */
import { expect, test } from "vitest";
import { explore, missing } from "./explore.ts";
import { orderlyCommands } from "./run-world.ts";

/** About half of what this seed gives: a change that takes the sting out of the commands shows here. */
const AT_LEAST = {
  steps: 50_000,
  runs: 200,
  "enqueue: accepted": 4_000,
  "enqueue: on an old copy of the registry": 3_000,
  "enqueue: scheduled far ahead": 500,
  "enqueue: refused, VERSION_NOT_ACTIVE": 400,
  "enqueue: refused, VERSION_UNKNOWN": 2_000,
  "repeat: the same job": 800,
  "publish: published": 900,
  "publish: refused": 700,
  "gate: raised": 500,
  "gate: lowered": 300,
  "gate: refused, slots-missing": 10,
  "gate: refused, no-reader": 10,
  "retire: done": 300,
  "retire: refused, lane-without-reader": 700,
  "retire: refused, version-without-reader": 1_000,
  "retire: refused, worker-takes-jobs": 2_000,
  "lanes retired": 60,
  "rolled back to a live release": 200,
  "rolled back to a retired release": 50,
  started: 4_000,
  "started older data": 1_000,
  "started newer data": 100,
  "settled: retry": 200,
  "settled: returned": 100,
  redelivered: 100,
  "migrated: moved": 300,
  "migrated: upcast": 100,
  "handed back: UPCAST_FAILED": 60,
};

test("no job is lost, failed for its version or run by a build that does not read it", async () => {
  const coverage = await explore(orderlyCommands, { seed: 20_260_131, runs: 540 });
  expect(missing(coverage, AT_LEAST)).toEqual({});
}, 300_000);
