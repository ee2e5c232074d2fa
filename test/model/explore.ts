/** Runs many worlds by a seed and gives what happened in them, for a test to see that something did. */
import fc from "fast-check";
import { Coverage } from "./ledger.ts";
import { type anyCommands, runWorld } from "./run-world.ts";
import { HISTORIES } from "./version-histories.ts";
import { World } from "./world.ts";

const threeTypes = fc.uniqueArray(fc.nat(HISTORIES.length - 1), { minLength: 3, maxLength: 3 });

/** @throws with the shortest commands that still break a promise, and with what to replay them by. */
export async function explore(
  commands: typeof anyCommands,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<Coverage> {
  const coverage = new Coverage();
  const property = fc.asyncProperty(threeTypes, commands, (types, those) =>
    runWorld(new World(coverage, types), those),
  );
  await fc.assert(property, { seed, numRuns: runs });
  return coverage;
}

/** The events that happened less often than they should, each with both numbers; empty when all did. */
export function missing(
  coverage: Coverage,
  atLeast: Readonly<Record<string, number>>,
): Readonly<Record<string, string>> {
  const short = Object.entries(atLeast).filter(([event, times]) => coverage.of(event) < times);
  return Object.fromEntries(short.map(([event, times]) => [event, `${coverage.of(event)} of ${times}`]));
}
