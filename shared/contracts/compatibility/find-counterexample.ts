/**
 * The search for a document that a writer's schema accepts and a reader's refuses.
 *
 * First small documents at the limits of the two schemas, one place changed at a time; then random ones.
 * A search proves nothing by finding nothing: that is the part of the check in `can-read.ts`. What it
 * finds is always true: the validator at the door has the last word.
 *
 * The schemas are taken as given. What a writer really sends is decided at the door, which closes its
 * objects: ask with `closed(writer)`.
 */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { compileCheck, type StrictCheck } from "../strict-check.ts";
import type { JsonSchema } from "../wire-schema.ts";
import { accepts } from "./documents/accepts.ts";
import { boundaryValues } from "./documents/boundary-values.ts";
import { firstOf } from "./documents/distinct.ts";
import { asDraft2020 } from "./documents/draft-2020.ts";
import { linkSchema } from "./documents/linked-schema.ts";
import type { Place } from "./documents/place.ts";
import { randomDocuments } from "./documents/random-documents.ts";
import { shrinkDocument } from "./documents/shrink-document.ts";
import { fullestOf } from "./documents/whole-documents.ts";

export interface Counterexample {
  /** As JSON has it; small, though perhaps not the smallest. */
  readonly document: unknown;
  /** A pointer into the document, and what the reader says about that place. */
  readonly rejectedBecause: string;
}

export interface SearchOptions {
  /** The same seed finds the same. @default 1 */
  readonly seed?: number;
  /** Documents tried at most. A quarter of them, at most 300, are random. @default 3000 */
  readonly runs?: number;
  /** Documents tried before all others, such as samples of the writer's version. */
  readonly hints?: readonly unknown[];
}

const RANDOM_MAX = 300;
/** Values made, of all places together, for each document that may be tried. */
const VARIANTS_PER_RUN = 20;
/** Random documents are made this many at a time. */
const BATCH = 25;

/**
 * A document that `writer` accepts and `reader` refuses, shrunk; `null` when none was found.
 *
 * @throws {Error} for a schema that cannot be compiled: a `$ref` that leads nowhere, a bad pattern.
 */
export function findCounterexample(
  reader: JsonSchema | boolean,
  writer: JsonSchema | boolean,
  options: SearchOptions = {},
): Counterexample | null {
  if (isDeepStrictEqual(reader, writer)) return null;
  const judge = judgeOf(reader, writer);
  for (const document of documentsToTry(judge.place, options)) {
    if (!judge.suspects(document)) continue;
    const found = judge.convict(document);
    if (found !== null) return found;
  }
  return null;
}

function* documentsToTry(place: Place, options: SearchOptions): Iterable<unknown> {
  const { seed = 1, runs = 3_000 } = options;
  const random = Math.min(Math.ceil(runs / 4), RANDOM_MAX);
  yield* firstOf(runs - random, guidedOnes(place, options.hints ?? [], runs));
  yield* randomOnes(place, random, seed);
}

function* guidedOnes(place: Place, hints: readonly unknown[], runs: number): Iterable<unknown> {
  yield* hints;
  const full = fullestOf(place.writer);
  if (full !== null) yield full.value;
  for (const { value } of boundaryValues(place, runs * VARIANTS_PER_RUN)) yield value;
}

function* randomOnes(place: Place, count: number, seed: number): Iterable<unknown> {
  const documents = randomDocuments(place);
  if (documents === null) return;
  for (let made = 0; made < count; made += BATCH) {
    yield* fc.sample(documents, { seed: seed + made, numRuns: Math.min(BATCH, count - made) });
  }
}

type Question = (document: unknown) => boolean;

interface Judge {
  readonly place: Place;
  readonly suspects: Question;
  /** Shrinks and asks the validators; `null` when they do not agree. */
  convict(document: unknown): Counterexample | null;
}

function judgeOf(reader: JsonSchema | boolean, writer: JsonSchema | boolean): Judge {
  const [ofReader, ofWriter] = [linkSchema(reader), linkSchema(writer)];
  const readerCheck = compiledWhenNeeded(reader);
  const writerCheck = compiledWhenNeeded(writer);
  const seems: Question = (document) => accepts(ofWriter.root, document) && !accepts(ofReader.root, document);
  const isProven: Question = (document) =>
    writerCheck(document).length === 0 && readerCheck(document).length > 0;
  // Quick questions first; once they were wrong, or are known to be guesses, only the validators count.
  let suspects = ofReader.exact && ofWriter.exact ? seems : isProven;

  const convict = (document: unknown): Counterexample | null => {
    const small = shrinkDocument(document, suspects);
    const [issue] = isProven(small) ? readerCheck(small) : [];
    if (issue !== undefined) return { document: small, rejectedBecause: sentenceOf(issue) };
    suspects = isProven;
    return isProven(document) ? convict(document) : null;
  };
  return {
    place: { writer: ofWriter.root, readers: [ofReader.root] },
    suspects: (document) => suspects(document),
    convict: (document) => convict(JSON.parse(JSON.stringify(document))),
  };
}

/** Most searches find nothing, and then nothing was compiled. */
function compiledWhenNeeded(schema: JsonSchema | boolean): StrictCheck {
  let check: StrictCheck | null = null;
  return (document) => {
    const compiled = check ?? compileCheck(asDraft2020(schema), "");
    check = compiled;
    return compiled(document);
  };
}

function sentenceOf({ pointer, message }: { readonly pointer: string; readonly message: string }): string {
  return `${pointer === "" ? "the document" : pointer} ${message}`;
}
