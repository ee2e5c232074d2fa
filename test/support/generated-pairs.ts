/**
 * The promise of the compatibility check, tried on pairs of schemas: what it calls compatible has no counterexample that a
 * search finds. Two programs that know nothing of each other have to agree: the one compares schemas, the other makes
 * documents and asks the validator.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canRead } from "#shared/contracts/compatibility/can-read";
import { findCounterexample } from "#shared/contracts/compatibility/find-counterexample";
import { closed, type JsonSchema } from "#shared/contracts/wire-schema";
import { type SchemaPair, schemaPairs } from "./schema-pairs.ts";

const PAIRS_OF_SEED = 1_250;
/** Documents tried of a pair and direction. */
const RUNS = 40;
/** One in so many refused pairs is searched, to see that the search would find something. */
const REFUSED_SEARCHED = 20;
/** The steps of a `multipleOf` are decimals to the door and to readers. */
const OPTIONS = { decimalMultiples: true };

interface Direction {
  readonly reader: JsonSchema;
  readonly writer: JsonSchema;
}

/** Closed writers, as at publishing, both ways round; and the schemas as they are for every tenth pair. */
function directionsOf({ before, after }: SchemaPair, index: number): Direction[] {
  const closedOnes = [
    { reader: before, writer: closed(after) },
    { reader: after, writer: closed(before) },
  ];
  const openOnes = [
    { reader: before, writer: after },
    { reader: after, writer: before },
  ];
  return index % 10 === 0 ? [...closedOnes, ...openOnes] : closedOnes;
}

interface Verdict extends Direction {
  readonly isCompatible: boolean;
}

function verdictOf({ reader, writer }: Direction): Verdict {
  return { reader, writer, isCompatible: canRead(reader, writer, OPTIONS).length === 0 };
}

function shownAgainst({ reader, writer }: Direction): readonly unknown[] {
  const found = findCounterexample(reader, writer, { runs: RUNS });
  return found === null ? [] : [{ reader, writer, document: found.document }];
}

/** Tests 1,250 pairs of each seed. */
export function testGeneratedPairs(seeds: readonly number[]): void {
  describe.each(seeds)("of pairs with seed %i", (seed) => {
    test("none that is called compatible has a counterexample", { timeout: 300_000 }, () => {
      const pairs = fc.sample(schemaPairs(), { numRuns: PAIRS_OF_SEED, seed });
      const verdicts = pairs.flatMap(directionsOf).map(verdictOf);
      const compatible = verdicts.filter((it) => it.isCompatible);
      expect(compatible.flatMap(shownAgainst)).toEqual([]);

      // A check that refuses everything, or a search that finds nothing, would prove nothing here.
      expect(compatible.length).toBeGreaterThan(verdicts.length / 4);
      expect(compatible.length).toBeLessThan(verdicts.length * 0.75);
      const refused = verdicts.filter((it) => !it.isCompatible);
      const searched = refused.filter((_, index) => index % REFUSED_SEARCHED === 0);
      expect(searched.flatMap(shownAgainst).length).toBeGreaterThan(searched.length * 0.9);
    });
  });
}
