/**
 * The two sides of a published JSON Schema: what a writer may send, and what a reader takes.
 *
 * Published schemas are open and may hold our own keyword for open enums. `closed` gives the writer's side
 * (nothing undeclared, only the known values), `opened` the reader's (any field, any value of an open
 * enum). Both give plain JSON Schema; everything that compares, checks or generates works on one of them.
 * Pure. Comparing two schemas is done in `compatibility/`.
 */
import { pointerTo } from "../json-pointer.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Marks a string whose values may grow without older readers failing; see `open-enum.ts`. */
export const OPEN_ENUM_KEYWORD = "x-open-enum";

export interface OpenEnumRule {
  /** The values a writer of this version may send. */
  readonly values: readonly string[];
  /** How a reader sees a value that it does not know: one of `values`, or a name no writer may send. */
  readonly fallback: string;
}

/**
 * The schema with every open object closed and every open enum held to its known values. Records, whose
 * names are data, stay as they are: they have `propertyNames`, or an `additionalProperties` that is a
 * schema of its own.
 */
export function closed(schema: JsonSchema): JsonSchema {
  return once(closedOnes, schema, () => mapSchema(schema, closeNode));
}

function closeNode(node: Record<string, unknown>): JsonSchema {
  const rule = openEnumOf(node);
  const plain = withoutExtensions(node);
  if (rule !== null) return { ...plain, enum: rule.values };
  const isRecord = plain.propertyNames !== undefined;
  if (plain.type === "object" && !isRecord && isOpen(plain.additionalProperties)) {
    plain.additionalProperties = false;
  }
  return plain;
}

/** The schema as its reader takes data: open enums take any text. */
export function opened(schema: JsonSchema): JsonSchema {
  return once(openedOnes, schema, () => mapSchema(schema, withoutExtensions));
}

/** A version is compared with every other one, and its schema never changes: each side is made once. */
const closedOnes = new WeakMap<JsonSchema, JsonSchema>();
const openedOnes = new WeakMap<JsonSchema, JsonSchema>();

function once(made: WeakMap<JsonSchema, JsonSchema>, schema: JsonSchema, make: () => JsonSchema): JsonSchema {
  const known = made.get(schema);
  if (known !== undefined) return known;
  const side = make();
  made.set(schema, side);
  return side;
}

/** The open enum that a node of a published schema declares, or `null`. */
export function openEnumOf(node: JsonSchema): OpenEnumRule | null {
  const rule = node[OPEN_ENUM_KEYWORD];
  if (rule === null || typeof rule !== "object" || !("values" in rule) || !("fallback" in rule)) return null;
  const { values, fallback } = rule;
  const isList = Array.isArray(values) && values.length > 0 && values.every((it) => typeof it === "string");
  return isList && typeof fallback === "string" ? { values, fallback } : null;
}

/** A schema inside a schema. */
export interface SchemaNode {
  /** Where it is, as a JSON pointer. */
  readonly pointer: string;
  readonly node: JsonSchema;
}

/** Every schema in `root`, itself first. References are not followed. */
export function nodesOf(root: JsonSchema): readonly SchemaNode[] {
  const found: SchemaNode[] = [];
  const visit = (value: unknown, path: readonly string[]): void => {
    if (value === null || typeof value !== "object") return;
    if (!Array.isArray(value)) found.push({ pointer: pointerTo(path), node: value as JsonSchema });
    for (const [steps, part] of partsOf(value)) visit(part, [...path, ...steps]);
  };
  visit(root, []);
  return found;
}

/** The schema that a `$ref` into `root` means; `null` without one, or when nothing is there. */
export function targetOf({ $ref }: JsonSchema, root: JsonSchema): SchemaNode | null {
  if (typeof $ref !== "string" || !$ref.startsWith("#")) return null;
  const pointer = $ref.slice(1);
  let target: unknown = root;
  for (const step of pointer.split("/").slice(1)) {
    target = isNode(target) ? target[step.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  }
  return isNode(target) ? { pointer, node: target } : null;
}

export function isNode(value: unknown): value is JsonSchema {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** What a keyword, or a place of a list, holds schemas in; each with the steps to it. */
function partsOf(value: object): readonly (readonly [readonly string[], unknown])[] {
  const entries = Object.entries(value);
  if (Array.isArray(value)) return entries.map(([index, part]) => [[index], part]);
  return entries.flatMap(([keyword, part]): [string[], unknown][] => {
    if (holdsData(keyword)) return [];
    if (!MAP_KEYWORDS.has(keyword)) return [[[keyword], part]];
    return Object.entries(part ?? {}).map(([name, schema]) => [[keyword, name], schema]);
  });
}

/** A copy of `schema` with `change` made of every schema in it, innermost first. */
function mapSchema(schema: JsonSchema, change: (node: Record<string, unknown>) => JsonSchema): JsonSchema {
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit);
    if (node === null || typeof node !== "object") return node;
    const copy: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(node)) copy[keyword] = mapKeyword(keyword, value, visit);
    return change(copy);
  };
  return visit(schema) as JsonSchema;
}

/** Values that are data and not schemas stay as they are; some keywords map names to schemas. */
function mapKeyword(keyword: string, value: unknown, visit: (node: unknown) => unknown): unknown {
  if (holdsData(keyword)) return value;
  if (!MAP_KEYWORDS.has(keyword) || value === null || typeof value !== "object") return visit(value);
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, visit(schema)]));
}

const DATA_KEYWORDS: ReadonlySet<string> = new Set(["const", "enum", "default", "examples"]);
const MAP_KEYWORDS: ReadonlySet<string> = new Set(["properties", "$defs", "patternProperties"]);

function holdsData(keyword: string): boolean {
  return DATA_KEYWORDS.has(keyword) || isExtension(keyword);
}

/** Names of keywords that start so are annotations: they say nothing of what is valid. */
function isExtension(keyword: string): boolean {
  return keyword.startsWith("x-");
}

function withoutExtensions(node: JsonSchema): Record<string, unknown> {
  if (!Object.keys(node).some(isExtension)) return node;
  return Object.fromEntries(Object.entries(node).filter(([keyword]) => !isExtension(keyword)));
}

function isOpen(additional: unknown): boolean {
  if (additional === undefined || additional === true) return true;
  return additional !== null && typeof additional === "object" && Object.keys(additional).length === 0;
}
