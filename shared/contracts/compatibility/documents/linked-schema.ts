/**
 * A JSON Schema as typed nodes, each `$ref` replaced by the node it means: the form in which this folder
 * looks at schemas. The nodes of a recursive schema form a circle, so whoever walks them needs a limit.
 *
 * It reads the keywords that a wire schema can hold. Of what it does not read (`contains`, `if`,
 * `dependencies`, `unevaluated*`) it only says that it was there: answers about such a schema are guesses.
 */
import type { JsonSchema } from "../../wire-schema.ts";
import { asDraft2020 } from "./draft-2020.ts";
import { behindReference, isNode, type Node, onlyRefers } from "./references.ts";

export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

export interface Linked {
  /** The schema `false`. */
  readonly never: boolean;
  /** `null` where any type is allowed. */
  readonly types: ReadonlySet<JsonType> | null;
  /** Each of `enum` and `const`, a list of what is allowed. */
  readonly values: readonly (readonly unknown[])[];
  /** Inclusive; exclusive bounds stand beside. */
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly above: number | null;
  readonly below: number | null;
  readonly multipleOf: number | null;
  /** In code points. */
  readonly minLength: number;
  readonly maxLength: number;
  readonly pattern: RegExp | null;
  readonly format: string | null;
  /** Schemas of the first items, by position. */
  readonly prefixItems: readonly Linked[];
  /** Schema of the items behind those, `null` where anything is allowed. */
  readonly items: Linked | null;
  readonly minItems: number;
  readonly maxItems: number;
  readonly uniqueItems: boolean;
  readonly properties: ReadonlyMap<string, Linked>;
  readonly patternProperties: readonly (readonly [RegExp, Linked])[];
  readonly additionalProperties: Linked | null;
  readonly propertyNames: Linked | null;
  readonly required: readonly string[];
  readonly minProperties: number;
  readonly maxProperties: number;
  readonly allOf: readonly Linked[];
  /** Each of `anyOf` and `oneOf`. */
  readonly unions: readonly Union[];
  readonly not: Linked | null;
  /** Schemas in keywords that are not read: good for ideas. */
  readonly asides: readonly Linked[];
  /** The JSON of the schema when that alone says what it means: it holds no `$ref`. Else `null`. */
  readonly text: string | null;
}

export interface Union {
  readonly branches: readonly Linked[];
  /** `oneOf`: no second branch may hold. */
  readonly exclusive: boolean;
}

export interface LinkedRoot {
  readonly root: Linked;
  /** Whether every keyword with a meaning was read. */
  readonly exact: boolean;
}

export const ANY: Linked = {
  never: false,
  types: null,
  values: [],
  minimum: null,
  maximum: null,
  above: null,
  below: null,
  multipleOf: null,
  minLength: 0,
  maxLength: Number.POSITIVE_INFINITY,
  pattern: null,
  format: null,
  prefixItems: [],
  items: null,
  minItems: 0,
  maxItems: Number.POSITIVE_INFINITY,
  uniqueItems: false,
  properties: new Map(),
  patternProperties: [],
  additionalProperties: null,
  propertyNames: null,
  required: [],
  minProperties: 0,
  maxProperties: Number.POSITIVE_INFINITY,
  allOf: [],
  unions: [],
  not: null,
  asides: [],
  text: "true",
};

export const NEVER: Linked = { ...ANY, never: true, text: "false" };

const NOT_READ = [
  "contains",
  "if",
  "then",
  "else",
  "dependencies",
  "dependentRequired",
  "dependentSchemas",
  "unevaluatedItems",
  "unevaluatedProperties",
  "$dynamicRef",
];

/**
 * @throws {SyntaxError} when a pattern is no regular expression of Unicode mode.
 * @throws {Error} when a `$ref` leads out of the schema, nowhere or in a circle.
 */
export function linkSchema(schema: JsonSchema | boolean): LinkedRoot {
  const linker: Linker = { root: asDraft2020(schema), linked: new Map(), exact: true };
  const root = link(linker.root, linker);
  const settled = new Set<Linked>();
  for (const node of linker.linked.values()) refuseCircle(node, { settled, open: new Set() });
  return { root, exact: linker.exact };
}

interface CircleSearch {
  readonly settled: Set<Linked>;
  readonly open: Set<Linked>;
}

/** A schema that needs itself for the same value says nothing, and asking it would never end. */
function refuseCircle(node: Linked, search: CircleSearch): void {
  if (search.settled.has(node)) return;
  if (search.open.has(node))
    throw new Error("a schema leads in a circle: it needs itself for the same value");
  search.open.add(node);
  const branches = node.unions.flatMap((union) => union.branches);
  for (const part of [...node.allOf, ...branches, ...(node.not ? [node.not] : [])])
    refuseCircle(part, search);
  search.settled.add(node);
}

interface Linker {
  readonly root: unknown;
  readonly linked: Map<object, Linked>;
  exact: boolean;
}

function link(node: unknown, linker: Linker): Linked {
  if (node === false) return NEVER;
  if (!isNode(node)) return ANY;
  const known = linker.linked.get(node);
  if (known !== undefined) return known;
  const target = typeof node.$ref === "string" ? behindReference(node.$ref, linker.root) : null;
  if (target !== null && onlyRefers(node)) return link(target, linker);

  // Entered before its parts are linked: one of them may lead back to it.
  const linked: { -readonly [Field in keyof Linked]: Linked[Field] } = { ...ANY };
  linker.linked.set(node, linked);
  const text = JSON.stringify(node);
  linked.text = text.includes('"$ref"') ? null : text;
  Object.assign(linked, numberRules(node), textRules(node));
  Object.assign(linked, arrayRules(node, linker), objectRules(node, linker));
  linked.types = typesOf(node);
  linked.values = valuesOf(node);
  linked.allOf = [...linkAll(node.allOf, linker), ...(target === null ? [] : [link(target, linker)])];
  linked.unions = unionsOf(node, linker);
  linked.not = node.not === undefined ? null : link(node.not, linker);
  const notRead = NOT_READ.filter((keyword) => node[keyword] !== undefined);
  if (notRead.length > 0) linker.exact = false;
  linked.asides = notRead.flatMap((keyword) => linkAside(node[keyword], linker));
  return linked;
}

function linkAll(nodes: unknown, linker: Linker): Linked[] {
  return Array.isArray(nodes) ? nodes.map((node) => link(node, linker)) : [];
}

/** One schema, or one for each of some names. */
function linkAside(value: unknown, linker: Linker): Linked[] {
  return isNode(value) ? [value, ...Object.values(value).filter(isNode)].map((it) => link(it, linker)) : [];
}

function typesOf(node: Node): ReadonlySet<JsonType> | null {
  if (node.type === undefined) return null;
  const types = new Set([node.type].flat() as JsonType[]);
  if (node.nullable === true) types.add("null");
  return types;
}

function valuesOf(node: Node): (readonly unknown[])[] {
  const lists: (readonly unknown[])[] = [];
  if (Array.isArray(node.enum)) lists.push(node.enum);
  if (node.const !== undefined) lists.push([node.const]);
  return lists;
}

function unionsOf(node: Node, linker: Linker): Union[] {
  const unions: Union[] = [];
  if (node.anyOf !== undefined) unions.push({ branches: linkAll(node.anyOf, linker), exclusive: false });
  if (node.oneOf !== undefined) unions.push({ branches: linkAll(node.oneOf, linker), exclusive: true });
  return unions;
}

function numberOr<Otherwise>(value: unknown, otherwise: Otherwise): number | Otherwise {
  return typeof value === "number" ? value : otherwise;
}

function numberRules(node: Node): Partial<Linked> {
  return {
    minimum: numberOr(node.minimum, null),
    maximum: numberOr(node.maximum, null),
    above: numberOr(node.exclusiveMinimum, null),
    below: numberOr(node.exclusiveMaximum, null),
    multipleOf: numberOr(node.multipleOf, null),
  };
}

function textRules(node: Node): Partial<Linked> {
  return {
    minLength: numberOr(node.minLength, 0),
    maxLength: numberOr(node.maxLength, Number.POSITIVE_INFINITY),
    pattern: typeof node.pattern === "string" ? new RegExp(node.pattern, "u") : null,
    format: typeof node.format === "string" ? node.format : null,
  };
}

function arrayRules(node: Node, linker: Linker): Partial<Linked> {
  return {
    prefixItems: linkAll(node.prefixItems, linker),
    items: node.items === undefined ? null : link(node.items, linker),
    minItems: numberOr(node.minItems, 0),
    maxItems: numberOr(node.maxItems, Number.POSITIVE_INFINITY),
    uniqueItems: node.uniqueItems === true,
  };
}

function objectRules(node: Node, linker: Linker): Partial<Linked> {
  const additional = node.additionalProperties;
  return {
    properties: new Map(entriesOf(node.properties).map(([name, part]) => [name, link(part, linker)])),
    patternProperties: entriesOf(node.patternProperties).map(([pattern, part]) => [
      new RegExp(pattern, "u"),
      link(part, linker),
    ]),
    additionalProperties: additional === undefined ? null : link(additional, linker),
    propertyNames: node.propertyNames === undefined ? null : link(node.propertyNames, linker),
    required: Array.isArray(node.required) ? node.required : [],
    minProperties: numberOr(node.minProperties, 0),
    maxProperties: numberOr(node.maxProperties, Number.POSITIVE_INFINITY),
  };
}

function entriesOf(value: unknown): [string, unknown][] {
  return isNode(value) ? Object.entries(value) : [];
}
