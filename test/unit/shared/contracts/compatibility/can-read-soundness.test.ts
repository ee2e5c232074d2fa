import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canRead } from "#shared/contracts/compatibility/can-read";
import { findCounterexample } from "#shared/contracts/compatibility/find-counterexample";
import { closed } from "#shared/contracts/wire-schema";
import { Dice } from "#test/support/dice";
import { DocumentsNear } from "#test/support/documents-near";
import { type AnySchema, editedSchema, randomSchema } from "#test/support/random-schemas";
import { schemaPairs } from "#test/support/schema-pairs";

/** More pairs, and others, when it is run by hand. */
const RUNS = Number(process.env.SLUICE_PAIRS ?? 200);
const SEED = Number(process.env.SLUICE_SEED ?? 1);
const DOCUMENTS = 120;

interface Pair {
  readonly writer: AnySchema;
  readonly reader: AnySchema;
}

function randomPair(dice: Dice): Pair {
  const depth = 1 + dice.below(3);
  const one = randomSchema(dice, depth);
  const other = dice.chance(0.8) ? editedSchema(dice, one) : randomSchema(dice, depth);
  return dice.chance(0.5) ? { writer: one, reader: other } : { writer: other, reader: one };
}

/** A document that a validator accepts for the writer and rejects for the reader; `undefined` for none. */
function refutation({ writer, reader }: Pair, dice: Dice): { document: unknown } | undefined {
  const documents = new DocumentsNear(dice, [writer, reader]);
  try {
    const [accepts, rejects] = [validator(writer), validator(reader)];
    for (let count = 0; count < DOCUMENTS; count += 1) {
      const document =
        count % 4 === 0 ? documents.any(2) : documents.like(...shaped(count, { writer, reader }), 6);
      if (accepts(document) && !rejects(document)) return { document };
    }
  } catch {
    // In place circles end the validator's stack, and some of its generated code names what is not there.
  }
  return undefined;
}

function shaped(count: number, { writer, reader }: Pair): [AnySchema, AnySchema] {
  return count % 4 === 3 ? [reader, reader] : [writer, writer];
}

const ajv = new Ajv2020({ strict: false, logger: false, ownProperties: true });

function validator(schema: AnySchema): (document: unknown) => boolean {
  const validate = ajv.compile(schema);
  // It would keep every schema it has seen.
  ajv.removeSchema(schema);
  return (document) => validate(document) === true;
}

test("What is called compatible is never refuted by a validator", () => {
  const found = { compatible: 0, refuted: 0, open: 0 };
  fc.assert(
    fc.property(fc.noShrink(fc.integer()), (seed) => {
      const dice = new Dice(seed);
      const pair = randomPair(dice);
      const isCompatible = canRead(pair.reader, pair.writer).length === 0;
      const document = refutation(pair, dice);
      if (isCompatible && document !== undefined) expect.fail(JSON.stringify({ ...pair, ...document }));
      found[isCompatible ? "compatible" : document === undefined ? "open" : "refuted"] += 1;
    }),
    { numRuns: RUNS, seed: SEED },
  );
  // Neither answer may be rare, or the property says nothing; and most refusals are right.
  expect(found.compatible).toBeGreaterThan(RUNS / 5);
  expect(found.refuted).toBeGreaterThan(RUNS / 8);
  expect(found.open).toBeLessThan(RUNS / 5);
});

test("What is called compatible between versions of a contract is not refuted by a search", () => {
  const found = { compatible: 0, refuted: 0 };
  fc.assert(
    fc.property(schemaPairs(), fc.boolean(), ({ before, after }, isClosed) => {
      const writer = isClosed ? closed(before) : before;
      const isCompatible = canRead(after, writer, { decimalMultiples: true }).length === 0;
      const counterexample = findCounterexample(after, writer, { runs: 600 });
      if (isCompatible) expect(counterexample).toBeNull();
      found.compatible += Number(isCompatible);
      found.refuted += Number(counterexample !== null);
    }),
    { numRuns: RUNS / 4, seed: SEED },
  );
  expect(found.compatible).toBeGreaterThan(RUNS / 16);
  expect(found.refuted).toBeGreaterThan(RUNS / 16);
});
