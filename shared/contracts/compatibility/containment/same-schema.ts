/**
 * Whether a reader's schema says the same as a writer's word for word, annotations aside, except that its
 * objects may be open where the writer's are closed.
 *
 * A shortcut, since most fields of two versions are alike, and the only proof there is for keywords without
 * a known meaning. References are never the same here: the same words may lead to different places.
 */
import {
  isAnnotation,
  isSchemaObject,
  SCHEMA_KEYWORDS,
  SCHEMA_MAP_KEYWORDS,
  type SchemaObject,
  saysNothing,
} from "./keywords.ts";
import type { Atom } from "./schema-atom.ts";

const DEPTH_MAX = 100;

/** Where two schemas are compared. */
interface Place {
  readonly depth: number;
  /** Whether the reader accepts more when the schema here does: not below a `not`, for one. */
  readonly mayOpen: boolean;
}

/** Keywords below which a schema that accepts more makes the whole accept more. */
const OPENING = new Set([
  "properties",
  "patternProperties",
  "additionalProperties",
  "items",
  "prefixItems",
  "additionalItems",
  "allOf",
  "anyOf",
]);

/** Whether whatever the writer's schema accepts is accepted by the reader's, as the words alone show. */
export function impliesByWords(writer: Atom, reader: Atom): boolean {
  if (writer.schema === reader.schema && writer.document === reader.document) return true;
  const isSameDialect =
    writer.document.dialect === reader.document.dialect &&
    writer.document.hasPrefixItems === reader.document.hasPrefixItems;
  return isSameDialect && alike(writer.schema, reader.schema, { depth: 0, mayOpen: true });
}

function alike(writer: unknown, reader: unknown, place: Place): boolean {
  if (!isSchemaObject(writer) || !isSchemaObject(reader)) {
    return writer === reader && typeof writer === "boolean";
  }
  if (place.depth > DEPTH_MAX) return false;
  return alikeIn(reader, [writer, reader], place) && alikeIn(writer, [writer, reader], place);
}

/** Whether the two are alike in all keywords of one of them; the reader's are looked at once. */
function alikeIn(keywords: SchemaObject, pair: [SchemaObject, SchemaObject], place: Place): boolean {
  // Walked without a list of keywords: this is asked of every field of every pair.
  for (const keyword in keywords) {
    if (isAnnotation(keyword) || (keywords !== pair[1] && Object.hasOwn(pair[1], keyword))) continue;
    if (!alikeKeyword(keyword, pair, place)) return false;
  }
  return true;
}

function alikeKeyword(
  keyword: string,
  [writer, reader]: [SchemaObject, SchemaObject],
  { depth, mayOpen }: Place,
): boolean {
  if (mayOpen && keyword === "additionalProperties" && isOpen(reader)) return true;
  if (!Object.hasOwn(writer, keyword) || !Object.hasOwn(reader, keyword)) return false;
  const place = { depth: depth + 1, mayOpen: mayOpen && OPENING.has(keyword) };
  return alikeValue(keyword, [writer[keyword], reader[keyword]], place);
}

/** Whether an object schema takes any value under a name that it does not declare. */
function isOpen(reader: SchemaObject): boolean {
  if (Object.hasOwn(reader, "additionalProperties")) return saysNothing(reader.additionalProperties);
  return !Object.hasOwn(reader, "unevaluatedProperties");
}

function alikeValue(keyword: string, [a, b]: [unknown, unknown], place: Place): boolean {
  if (keyword.endsWith("$ref") || keyword === "$dynamicRef" || keyword === "$recursiveRef") return false;
  if (keyword === "required" && isNames(a) && isNames(b)) return sameNames(a, b);
  if (SCHEMA_KEYWORDS.has(keyword)) return alikeSchemas(a, b, place);
  if (SCHEMA_MAP_KEYWORDS.has(keyword) && isSchemaObject(a) && isSchemaObject(b))
    return alikeMap(a, b, place);
  return sameJson(a, b) && !holdsReference(a, 0);
}

function alikeSchemas(a: unknown, b: unknown, place: Place): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return alike(a, b, place);
  return a.length === b.length && a.every((part, index) => alike(part, b[index], place));
}

function alikeMap(a: SchemaObject, b: SchemaObject, place: Place): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    if (!Object.hasOwn(b, name)) return false;
    // `dependencies` has lists of names beside schemas.
    return Array.isArray(a[name]) ? sameJson(a[name], b[name]) : alike(a[name], b[name], place);
  });
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value);
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(a);
  return names.size === new Set(b).size && b.every((name) => names.has(name));
}

/** Equality of JSON documents: the order of an object's names does not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return names.every((name) => Object.hasOwn(right, name) && sameJson(left[name], right[name]));
}

function holdsReference(value: unknown, depth: number): boolean {
  if (value === null || typeof value !== "object") return false;
  if (depth > DEPTH_MAX) return true;
  return Object.entries(value).some(
    ([name, part]) => name.endsWith("$ref") || holdsReference(part, depth + 1),
  );
}
