/**
 * Whether two subschemas say the same, word for word and annotations aside.
 *
 * A shortcut, and the only proof there is for keywords without a known meaning. References are never the
 * same here, since the same words may lead to different places.
 */
import {
  isAnnotation,
  isSchemaObject,
  SCHEMA_KEYWORDS,
  SCHEMA_MAP_KEYWORDS,
  type SchemaObject,
} from "./keywords.ts";
import type { Atom } from "./schema-atom.ts";

const DEPTH_MAX = 100;

export function sameMeaning(a: Atom, b: Atom): boolean {
  if (a.schema === b.schema && a.document === b.document) return true;
  const isSameDialect =
    a.document.dialect === b.document.dialect && a.document.hasPrefixItems === b.document.hasPrefixItems;
  return isSameDialect && sameSchema(a.schema, b.schema, 0);
}

function sameSchema(a: unknown, b: unknown, depth: number): boolean {
  if (!isSchemaObject(a) || !isSchemaObject(b)) return a === b && typeof a === "boolean";
  if (depth > DEPTH_MAX) return false;
  // Both are walked without lists of their keywords: this is asked of every field of every pair.
  for (const keyword in b) if (!isAnnotation(keyword) && !Object.hasOwn(a, keyword)) return false;
  for (const keyword in a) if (!isAnnotation(keyword) && !sameKeyword(keyword, [a, b], depth)) return false;
  return true;
}

function sameKeyword(keyword: string, [a, b]: [SchemaObject, SchemaObject], depth: number): boolean {
  return Object.hasOwn(b, keyword) && sameValue(keyword, [a[keyword], b[keyword]], depth);
}

function sameValue(keyword: string, [a, b]: [unknown, unknown], depth: number): boolean {
  if (keyword.endsWith("$ref") || keyword === "$dynamicRef" || keyword === "$recursiveRef") return false;
  if (keyword === "required" && isNames(a) && isNames(b)) return sameNames(a, b);
  if (SCHEMA_KEYWORDS.has(keyword)) return sameSchemas(a, b, depth);
  if (SCHEMA_MAP_KEYWORDS.has(keyword) && isSchemaObject(a) && isSchemaObject(b)) return sameMap(a, b, depth);
  return sameJson(a, b) && !holdsReference(a, 0);
}

function sameSchemas(a: unknown, b: unknown, depth: number): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return sameSchema(a, b, depth + 1);
  return a.length === b.length && a.every((part, index) => sameSchema(part, b[index], depth + 1));
}

function sameMap(a: Record<string, unknown>, b: Record<string, unknown>, depth: number): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    if (!Object.hasOwn(b, name)) return false;
    // `dependencies` has lists of names beside schemas.
    return Array.isArray(a[name]) ? sameJson(a[name], b[name]) : sameSchema(a[name], b[name], depth + 1);
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
