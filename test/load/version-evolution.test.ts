/** The model of version evolution on seeds that nobody has seen before; a failure says which one it was. */
import { randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { explore } from "#test/model/explore";
import { anyCommands, orderlyCommands } from "#test/model/run-world";

const SEED_MAX = 2 ** 31 - 1;

/** About 100,000 steps each. */
const RUNS = 1_100;

describe.each([
  ["operators who ask", orderlyCommands],
  ["operators who do not ask", anyCommands],
])("a fleet with %s", (_who, commands) => {
  test("keeps every promise", async () => {
    const coverage = await explore(commands, { seed: randomInt(SEED_MAX), runs: RUNS });
    expect(coverage.of("runs")).toBe(RUNS);
  });
});
