/**
 * Random documents of a JSON Schema, for properties that must hold for whatever a writer may send.
 *
 * How they are made is the matter of `documents/`. Objects get undeclared fields where the schema is
 * open: close it first (`closed`) for what the door would let in.
 */
import type fc from "fast-check";
import type { JsonSchema } from "../wire-schema.ts";
import { linkSchema } from "./documents/linked-schema.ts";
import { randomDocuments } from "./documents/random-documents.ts";

/**
 * Documents that `schema` accepts; rarely one that it does not, where it uses keywords outside of what a
 * wire schema holds. Recursive schemas are followed a few steps only.
 *
 * @throws {Error} when no document is found that `schema` accepts, and for a `$ref` or a pattern that
 *   cannot be used.
 */
export function arbitraryOf(schema: JsonSchema | boolean): fc.Arbitrary<unknown> {
  const documents = randomDocuments({ writer: linkSchema(schema).root, readers: [] });
  if (documents === null) throw new Error("no document was found that the schema accepts");
  return documents;
}
