/**
 * A JSON Schema as typed nodes, each `$ref` replaced by the node it means: the form in which this folder
 * looks at schemas. The nodes of a recursive schema form a circle, so whoever walks them needs a limit.
 *
 * It reads the keywords that a wire schema can hold. Of what it does not read (`contains`, `if`,
 * `dependencies`, `unevaluated*`) it only says that it was there: answers about such a schema are guesses.
 */
import type { JsonSchema } from "../../wire-schema.ts";
import { asDraft2020 } from "./draft-2020.ts";

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
  return { root, exact: linker.exact };
}

interface Linker {
  readonly root: unknown;
  readonly linked: Map<object, Linked>;
  exact: boolean;
}

type Node = Readonly<Record<string, unknown>>;

function link(node: unknown, linker: Linker): Linked {
  if (node === false) return NEVER;
  if (!isNode(node)) return ANY;
  const known = linker.linked.get(node);
  if (known !== undefined) return known;
  const target = typeof node.$ref === "string" ? follow(node.$ref, linker) : null;
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

function isNode(value: unknown): value is Node {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

const ANNOTATIONS = new Set(["$ref", "$defs", "definitions", "title", "description", "default", "examples"]);

function onlyRefers(node: Node): boolean {
  return Object.keys(node).every((keyword) => ANNOTATIONS.has(keyword));
}

/** The node behind a pointer, through references that lead to references. */
function follow(start: string, linker: Linker): unknown {
  const seen = new Set<string>();
  for (let ref = start; ; ) {
    if (seen.has(ref)) throw new Error(`$ref ${start} leads in a circle`);
    seen.add(ref);
    const target = pointedTo(ref, linker.root);
    if (!isNode(target) || typeof target.$ref !== "string" || !onlyRefers(target)) return target;
    ref = target.$ref;
  }
}

function pointedTo(ref: string, root: unknown): unknown {
  if (!ref.startsWith("#")) throw new Error(`$ref ${ref} leads out of the schema`);
  const pointer = decodeURIComponent(ref.slice(1));
  const target = pointer === "" || pointer.startsWith("/") ? behind(pointer, root) : anchored(pointer, root);
  if (target === undefined) throw new Error(`$ref ${ref} leads nowhere`);
  return target;
}

function behind(pointer: string, root: unknown): unknown {
  let target = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    target = (target as Node | undefined)?.[name];
  }
  return target;
}

function anchored(name: string, node: unknown): unknown {
  if (node === null || typeof node !== "object") return undefined;
  if ((node as Node).$anchor === name) return node;
  for (const part of Object.values(node)) {
    const found = anchored(name, part);
    if (found !== undefined) return found;
  }
  return undefined;
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
