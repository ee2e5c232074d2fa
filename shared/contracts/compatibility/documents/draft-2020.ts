/**
 * Older spellings of a JSON Schema in the words of draft 2020-12, so that everything behind this file
 * knows one dialect only.
 *
 * Rewritten are `items` as a list with `additionalItems` (draft-07), boolean exclusive bounds (draft-04)
 * and `$schema`, `$id` and `id`, which are dropped unless they name a place (`#name`). `definitions` stays: a
 * `$ref` finds it by its pointer. What stands beside a `$ref` counts, as in 2020-12, though draft-07
 * ignored it.
 */
import type { JsonSchema } from "../../wire-schema.ts";

/** Keywords whose value maps names to schemas; the names are data. */
const MAPS = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
  "dependencies",
]);
/** Keywords whose value is data, however much it looks like a schema. */
const DATA = new Set(["enum", "const", "default", "examples", "required", "type"]);

const DROPPED = new Set(["$schema", "$id", "id"]);

export function asDraft2020(schema: JsonSchema | boolean): JsonSchema | boolean {
  return rewriteNode(schema) as JsonSchema | boolean;
}

function rewriteNode(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(rewriteNode);
  if (node === null || typeof node !== "object") return node;
  const copy: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (!DROPPED.has(keyword) || typeof value !== "string") copy[keyword] = rewriteValue(keyword, value);
    else if (value.startsWith("#")) copy.$anchor = value.slice(1);
  }
  rewriteItems(copy);
  rewriteBound(copy, "minimum", "exclusiveMinimum");
  rewriteBound(copy, "maximum", "exclusiveMaximum");
  return copy;
}

function rewriteValue(keyword: string, value: unknown): unknown {
  if (DATA.has(keyword)) return value;
  if (!MAPS.has(keyword) || value === null || typeof value !== "object") return rewriteNode(value);
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, rewriteNode(schema)]));
}

/** `additionalItems` means something only beside a list of items. */
function rewriteItems(copy: Record<string, unknown>): void {
  if (Array.isArray(copy.items)) {
    copy.prefixItems = copy.items;
    if (copy.additionalItems === undefined) delete copy.items;
    else copy.items = copy.additionalItems;
  }
  delete copy.additionalItems;
}

function rewriteBound(copy: Record<string, unknown>, bound: string, exclusive: string): void {
  if (typeof copy[exclusive] !== "boolean") return;
  if (copy[exclusive] === true && typeof copy[bound] === "number") {
    copy[exclusive] = copy[bound];
    delete copy[bound];
  } else {
    delete copy[exclusive];
  }
}
