/**
 * Whether a linked schema accepts a value: a validator that needs no compiling, for the thousands of small
 * questions of a search, about parts of schemas and parts of documents.
 *
 * It only guides. What leaves this folder was checked by the validator at the door (`strict-check.ts`),
 * with which this one agrees wherever `LinkedRoot.exact` says that every keyword was read.
 */
import { isDeepStrictEqual } from "node:util";
import * as formats from "ajv-formats";
import { core } from "zod";
import type { JsonType, Linked, Union } from "./linked-schema.ts";

export function accepts(schema: Linked, value: unknown): boolean {
  if (schema.never) return false;
  if (schema.types !== null && !hasType(schema.types, value)) return false;
  if (!schema.values.every((list) => list.some((allowed) => isSame(allowed, value)))) return false;
  if (!obeysRulesOfItsType(schema, value)) return false;
  if (!schema.allOf.every((part) => accepts(part, value))) return false;
  if (!schema.unions.every((union) => fitsUnion(union, value))) return false;
  return schema.not === null || !accepts(schema.not, value);
}

function hasType(types: ReadonlySet<JsonType>, value: unknown): boolean {
  const type = jsonTypeOf(value);
  return types.has(type) || (type === "integer" && types.has("number"));
}

/** Of a whole number, however it is written, "integer". */
export function jsonTypeOf(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value as JsonType;
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === "object" && isDeepStrictEqual(one, other));
}

function fitsUnion({ branches, exclusive }: Union, value: unknown): boolean {
  if (!exclusive) return branches.some((branch) => accepts(branch, value));
  return branches.filter((branch) => accepts(branch, value)).length === 1;
}

function obeysRulesOfItsType(schema: Linked, value: unknown): boolean {
  if (typeof value === "string") return acceptsText(schema, value);
  if (typeof value === "number") return acceptsNumber(schema, value);
  if (Array.isArray(value)) return acceptsArray(schema, value);
  if (value !== null && typeof value === "object") return acceptsObject(schema, value);
  return true;
}

function acceptsNumber(schema: Linked, value: number): boolean {
  if (schema.minimum !== null && value < schema.minimum) return false;
  if (schema.maximum !== null && value > schema.maximum) return false;
  if (schema.above !== null && value <= schema.above) return false;
  if (schema.below !== null && value >= schema.below) return false;
  return schema.multipleOf === null || core.util.floatSafeRemainder(value, schema.multipleOf) === 0;
}

function acceptsText(schema: Linked, value: string): boolean {
  if (schema.minLength > 0 || schema.maxLength < value.length) {
    const length = codePointsOf(value);
    if (length < schema.minLength || length > schema.maxLength) return false;
  }
  if (schema.pattern !== null && !schema.pattern.test(value)) return false;
  return schema.format === null || hasFormat(schema.format, value);
}

/** JSON Schema counts code points, JavaScript half pairs. */
export function codePointsOf(text: string): number {
  let count = 0;
  for (const _character of text) count += 1;
  return count;
}

type Format = ReturnType<typeof formats.default.default.get>;

const knownFormats = new Map<string, Format | null>();

function hasFormat(name: string, value: string): boolean {
  let format = knownFormats.get(name);
  if (format === undefined) {
    format = formatNamed(name);
    knownFormats.set(name, format);
  }
  return format === null || obeysFormat(format, value);
}

/** A format that the door does not know it does not check either. */
function formatNamed(name: string): Format | null {
  try {
    const format = formats.default.default.get(name as never);
    return typeof format === "object" && "type" in format && format.type === "number" ? null : format;
  } catch {
    return null;
  }
}

function obeysFormat(format: Format, value: string): boolean {
  if (typeof format === "boolean") return format;
  if (format instanceof RegExp) return format.test(value);
  if (typeof format === "string") return new RegExp(format, "u").test(value);
  if (typeof format === "function") return format(value);
  return obeysFormat(format.validate as Format, value);
}

function acceptsArray(schema: Linked, value: readonly unknown[]): boolean {
  if (value.length < schema.minItems || value.length > schema.maxItems) return false;
  if (schema.uniqueItems && !isUnique(value)) return false;
  const { prefixItems, items } = schema;
  if (items === null && prefixItems.length === 0) return true;
  return value.every((item, index) => {
    const at = index < prefixItems.length ? prefixItems[index] : items;
    return at === null || at === undefined || accepts(at, item);
  });
}

function isUnique(values: readonly unknown[]): boolean {
  return values.every((value, index) => !values.slice(0, index).some((earlier) => isSame(earlier, value)));
}

function acceptsObject(schema: Linked, value: object): boolean {
  const names = Object.keys(value);
  if (names.length < schema.minProperties || names.length > schema.maxProperties) return false;
  if (!schema.required.every((name) => Object.hasOwn(value, name))) return false;
  return names.every((name) => acceptsProperty(schema, name, (value as Record<string, unknown>)[name]));
}

function acceptsProperty(schema: Linked, name: string, value: unknown): boolean {
  if (schema.propertyNames !== null && !accepts(schema.propertyNames, name)) return false;
  return schemasOfProperty(schema, name).every((part) => accepts(part, value));
}

/** The schemas that `schema` itself, without its `allOf` and unions, has for the value under `name`. */
export function schemasOfProperty(schema: Linked, name: string): readonly Linked[] {
  const declared = schema.properties.get(name);
  if (schema.patternProperties.length === 0 && declared !== undefined) return [declared];
  const found = declared === undefined ? [] : [declared];
  for (const [pattern, part] of schema.patternProperties) if (pattern.test(name)) found.push(part);
  if (found.length > 0) return found;
  return schema.additionalProperties === null ? [] : [schema.additionalProperties];
}
