/**
 * Golden samples of a schema version: documents that every later build must still be able to read.
 *
 * The smallest document, a full one, and random ones of a fixed seed. All of them pass the door: no
 * undeclared field, and nothing that the door refuses in any document.
 */
import fc from "fast-check";
import { findForbidden } from "../../json-walk.ts";
import { compileStrictCheck } from "../strict-check.ts";
import { closed, type JsonSchema } from "../wire-schema.ts";
import { type Linked, linkSchema } from "./documents/linked-schema.ts";
import { randomDocuments } from "./documents/random-documents.ts";
import { fullestOf, smallestOf } from "./documents/whole-documents.ts";

/** Random documents made for each sample that is wanted. */
const TRIES_PER_SAMPLE = 20;

/**
 * `count` different documents that the door accepts for `schema`, the smallest first and the fullest second;
 * fewer only when the schema does not seem to allow as many. The same seed gives the same.
 *
 * @throws {Error} for a schema that cannot be compiled.
 */
export function generateSamples(schema: JsonSchema, count: number, seed: number): readonly unknown[] {
  const check = compileStrictCheck(schema, "");
  const samples = new Map<string, unknown>();
  for (const document of documentsOf(linkSchema(closed(schema)).root, count, seed)) {
    if (samples.size >= count) break;
    const json = JSON.stringify(document);
    const sample: unknown = JSON.parse(json);
    if (findForbidden(sample) === null && check(sample).length === 0) samples.set(json, sample);
  }
  return [...samples.values()];
}

function* documentsOf(schema: Linked, count: number, seed: number): Iterable<unknown> {
  const [smallest, fullest] = [smallestOf(schema), fullestOf(schema)];
  if (smallest !== null) yield smallest.value;
  if (fullest !== null) yield fullest.value;
  const random = randomDocuments({ writer: schema, readers: [] });
  if (random !== null) yield* fc.sample(random, { seed, numRuns: count * TRIES_PER_SAMPLE });
}
