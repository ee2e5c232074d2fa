/**
 * The JSON Schema keywords that the containment check understands, and the shape each value must have.
 *
 * A keyword that is not listed here, or whose value is malformed, has no meaning here: on the writer's side
 * it is left out (it could only narrow what is sent), on the reader's side it is never compatible.
 */
import { parseStep } from "./decimal.ts";

export type SchemaObject = Readonly<Record<string, unknown>>;

/** Keywords that refuse no document. */
const ANNOTATIONS = new Set([
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "$comment",
  "$schema",
  "$id",
  "id",
  "$anchor",
  "$dynamicAnchor",
  "$vocabulary",
  "$defs",
  "definitions",
]);

/** Keywords about text that mean the same only when they are equal, since no grammar for them is known here. */
export const MARK_KEYWORDS = ["format", "contentEncoding", "contentMediaType", "contentSchema"] as const;

const isSchema = (value: unknown) => typeof value === "boolean" || isSchemaObject(value);
const isSchemaList = (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isSchema);
const isSchemaMap = (value: unknown) => isSchemaObject(value) && Object.values(value).every(isSchema);
const isText = (value: unknown) => typeof value === "string";
const isNames = (value: unknown) => Array.isArray(value) && value.every(isText);
const isNumber = (value: unknown) => typeof value === "number" && Number.isFinite(value);
const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;
const isFlag = (value: unknown) => typeof value === "boolean";

const TYPES = new Set<unknown>(["null", "boolean", "integer", "number", "string", "array", "object"]);
const isTypes = (value: unknown) =>
  TYPES.has(value) || (Array.isArray(value) && value.length > 0 && value.every((type) => TYPES.has(type)));

/** Draft 4 wrote `exclusiveMinimum: true` beside `minimum`. */
const isExclusive = (value: unknown) => isNumber(value) || isFlag(value);
const isDependencies = (value: unknown) =>
  isSchemaObject(value) && Object.values(value).every((part) => isSchema(part) || isNames(part));
const isNamesMap = (value: unknown) => isSchemaObject(value) && Object.values(value).every(isNames);

const WELL_FORMED: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ["$ref", isText],
  ["type", isTypes],
  ["nullable", isFlag],
  ["enum", Array.isArray],
  ["const", () => true],
  ["allOf", isSchemaList],
  ["anyOf", isSchemaList],
  ["oneOf", isSchemaList],
  ["not", isSchema],
  ["if", isSchema],
  ["then", isSchema],
  ["else", isSchema],
  ["minLength", isCount],
  ["maxLength", isCount],
  ["pattern", isText],
  ["format", isText],
  ["contentEncoding", isText],
  ["contentMediaType", isText],
  ["contentSchema", isSchema],
  ["minimum", isNumber],
  ["maximum", isNumber],
  ["exclusiveMinimum", isExclusive],
  ["exclusiveMaximum", isExclusive],
  ["multipleOf", (value) => parseStep(value) !== null],
  ["items", (value) => isSchema(value) || isSchemaList(value)],
  ["additionalItems", isSchema],
  ["prefixItems", isSchemaList],
  ["unevaluatedItems", isSchema],
  ["minItems", isCount],
  ["maxItems", isCount],
  ["uniqueItems", isFlag],
  ["contains", isSchema],
  ["minContains", isCount],
  ["maxContains", isCount],
  ["properties", isSchemaMap],
  ["patternProperties", isSchemaMap],
  ["additionalProperties", isSchema],
  ["unevaluatedProperties", isSchema],
  ["propertyNames", isSchema],
  ["required", isNames],
  ["minProperties", isCount],
  ["maxProperties", isCount],
  ["dependencies", isDependencies],
  ["dependentSchemas", isSchemaMap],
  ["dependentRequired", isNamesMap],
]);

/** Keywords whose value is one schema, several in a list, or several by name. */
export const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  "not",
  "if",
  "then",
  "else",
  "items",
  "additionalItems",
  "unevaluatedItems",
  "contains",
  "additionalProperties",
  "unevaluatedProperties",
  "propertyNames",
  "allOf",
  "anyOf",
  "oneOf",
  "prefixItems",
]);
export const SCHEMA_MAP_KEYWORDS: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
  "dependencies",
]);

export function isSchemaObject(value: unknown): value is SchemaObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

export function isAnnotation(keyword: string): boolean {
  return ANNOTATIONS.has(keyword);
}

/** The value of a keyword, or `undefined` when it is absent or malformed. */
export function keywordOf(schema: unknown, keyword: string): unknown {
  if (!isSchemaObject(schema) || !Object.hasOwn(schema, keyword)) return undefined;
  const value = schema[keyword];
  return WELL_FORMED.get(keyword)?.(value) === true ? value : undefined;
}

/** `null` for an absent or malformed keyword. */
export function countOf(schema: unknown, keyword: string): number | null {
  const value = keywordOf(schema, keyword);
  return typeof value === "number" ? value : null;
}

/** The schemas by name under a keyword such as `properties`; none when it is absent or malformed. */
export function entriesOf(schema: unknown, keyword: string): [string, unknown][] {
  const map = keywordOf(schema, keyword);
  return isSchemaObject(map) ? Object.entries(map) : [];
}

/** The keywords of a reader's schema that are neither annotations nor understood. */
export function unsupportedKeywords(schema: SchemaObject, hasPrefixItems: boolean): string[] {
  return Object.keys(schema).filter((keyword) => {
    if (ANNOTATIONS.has(keyword)) return false;
    // An older validator skips it, and reads `items` as the schema of every item.
    if (keyword === "prefixItems" && (!hasPrefixItems || Array.isArray(schema.items))) return true;
    return keywordOf(schema, keyword) === undefined;
  });
}

/** Whether a schema says nothing: `true`, or an object of annotations only. */
export function saysNothing(schema: unknown): boolean {
  if (schema === true) return true;
  if (!isSchemaObject(schema)) return false;
  for (const keyword in schema) if (!ANNOTATIONS.has(keyword)) return false;
  return true;
}
