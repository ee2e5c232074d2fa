/**
 * Judges pairs of schemas of known outcome with the containment check, as they are given: no writer is closed.
 *
 * The files' format is described in test/fixtures/json-schema-compatibility/README.md.
 */
import { z } from "zod";
import { canRead } from "#shared/contracts/compatibility/can-read";

const schema = z.union([z.boolean(), z.record(z.string(), z.unknown())]);

const vector = z.looseObject({
  suite: z.string(),
  id: z.string(),
  writer: schema,
  reader: schema,
  /** Whether the reader reads everything the writer writes, as the suite declares it. */
  expect: z.boolean().nullish(),
  inZodProfile: z.boolean(),
  /** What a search for counterexamples came to. */
  semantic: z.string().optional(),
});

export type Vector = z.infer<typeof vector>;

export class MalformedVectors extends Error {}

/** @throws {MalformedVectors} naming the first rows that are not vectors */
export function parseVectors(text: string): readonly Vector[] {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch (error) {
    throw new MalformedVectors(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = z.array(vector).safeParse(rows);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `  row ${path.join(".")}: ${message}`);
  throw new MalformedVectors(`holds rows that are not vectors:\n${problems.join("\n")}`);
}

export interface Outcome {
  readonly suite: string;
  readonly id: string;
  /** Place in the file, from 0. */
  readonly row: number;
  readonly semantic: string | null;
  readonly inZodProfile: boolean;
  /** Empty for a pair that is answered compatible. */
  readonly reasons: readonly { readonly code: string; readonly path: string; readonly message: string }[];
}

/** Counts of one profile. */
export interface Tally {
  readonly pairs: number;
  /** Pairs with a document that the writer accepts and the reader rejects. */
  readonly refuted: number;
  /** Of those, answered compatible. */
  readonly unsound: readonly Outcome[];
  /** Pairs declared compatible for which no such document is known. */
  readonly expected: number;
  /** Of those, answered compatible. */
  readonly proved: number;
  readonly missed: readonly Outcome[];
}

export interface VectorReport {
  readonly inProfile: Tally;
  readonly outOfProfile: Tally;
  /** Of every row, in the file's order. */
  readonly outcomes: readonly Outcome[];
  readonly millis: number;
}

/** @param now milliseconds of some clock */
export function runVectors(vectors: readonly Vector[], now: () => number): VectorReport {
  const start = now();
  const judged = vectors.map(judge);
  return {
    inProfile: tally(judged.filter(({ outcome }) => outcome.inZodProfile)),
    outOfProfile: tally(judged.filter(({ outcome }) => !outcome.inZodProfile)),
    outcomes: judged.map(({ outcome }) => outcome),
    millis: now() - start,
  };
}

interface Judged {
  readonly isRefuted: boolean;
  readonly isExpected: boolean;
  readonly outcome: Outcome;
}

function judge(one: Vector, row: number): Judged {
  const { suite, id, writer, reader, expect, inZodProfile, semantic = null } = one;
  const found = canRead(reader, writer);
  const reasons = found.map(({ code, path, message }) => ({ code, path, message }));
  const isRefuted = Object.hasOwn(one, "counterexample");
  const outcome = { suite, id, row, semantic, inZodProfile, reasons };
  return { isRefuted, isExpected: expect === true && !isRefuted, outcome };
}

function tally(judged: readonly Judged[]): Tally {
  const refuted = judged.filter(({ isRefuted }) => isRefuted);
  const expected = judged.filter(({ isExpected }) => isExpected);
  const missed = expected.map(({ outcome }) => outcome).filter(({ reasons }) => reasons.length > 0);
  return {
    pairs: judged.length,
    refuted: refuted.length,
    unsound: refuted.map(({ outcome }) => outcome).filter(({ reasons }) => reasons.length === 0),
    expected: expected.length,
    proved: expected.length - missed.length,
    missed,
  };
}
