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
};

test("what nobody reads is kept, told of and run by the next build that reads it", async () => {
  const coverage = await explore(anyCommands, { seed: 20_260_131, runs: 560 });
  expect(missing(coverage, AT_LEAST)).toEqual({});
}, 300_000);
