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
};

test("no job is lost, failed for its version or run by a build that does not read it", async () => {
  const coverage = await explore(orderlyCommands, { seed: 20_260_131, runs: 540 });
  expect(missing(coverage, AT_LEAST)).toEqual({});
}, 300_000);
