/**
 * The names that a published JSON Schema declares: fields by their place in the data, and the values that a
 * place is held to. What a name once meant is remembered by people and by stored jobs, so it is names that
 * are compared over a type's whole history.
 *
 * Pure. A place is written as the steps to it, as in `/total/currency`, with "*" for every item and every
 * value of a record, "{name}" for a record's names, and `/payment(kind="card")/number` for what is so in one variant of a union.
 */

import { isNode, type JsonSchema, type OpenEnumRule, openEnumOf, targetOf } from "../wire-schema.ts";
import type { Side } from "./can-read.ts";

export interface ValueNames {
  readonly place: Side;
  /** JSON texts of the values; `null` when any text or number is taken. */
  readonly listed: ReadonlySet<string> | null;
  readonly openEnum: OpenEnumRule | null;
}

export interface SchemaNames {
  /** Declared fields, by place in the data. */
  readonly fields: ReadonlyMap<string, Side>;
  /** What texts and numbers a place may hold, by place in the data. */
  readonly values: ReadonlyMap<string, ValueNames>;
  /** The variants of unions, by place: what tells each apart. */
  readonly variants: ReadonlyMap<string, Variant>;
}

export interface Variant {
  /** Place of the field that tells it apart. */
  readonly place: string;
  /** JSON text of the field's value. */
  readonly value: string;
}

/** The step into a variant of a union; what `namesOf` puts into the places of its fields. */
export function variantStep(discriminator: string, valueText: string): string {
  return `(${discriminator}=${valueText})`;
}

/** The place without the steps into variants: what it is in every variant. */
export function withoutVariants(place: string): string {
  return place.replaceAll(/\([^()]*=(?:"(?:[^"\\]|\\.)*"|[^()"]*)\)/g, "");
}

/** Made once a schema: every later version asks for the names of all before it. */
export function namesOf(schema: JsonSchema): SchemaNames {
  const names = known.get(schema) ?? findNames(schema);
  known.set(schema, names);
  return names;
}

const known = new WeakMap<JsonSchema, SchemaNames>();

function findNames(schema: JsonSchema): SchemaNames {
  const walk: Walk = {
    root: schema,
    fields: new Map(),
    values: new Map(),
    variants: new Map(),
    inside: new Set(),
  };
  visit(schema, [{ place: "" }], { walk, pointer: "" });
  return walk;
}

interface Walk {
  readonly root: JsonSchema;
  readonly fields: Map<string, Side>;
  readonly values: Map<string, ValueNames>;
  readonly variants: Map<string, Variant>;
  /** Nodes on the way here: a schema that holds itself is walked once. */
  readonly inside: Set<unknown>;
}

/** Where the node is in the data: as a whole, and, within a variant, as a part of that. */
type Places = readonly { readonly place: string }[];

interface At {
  readonly walk: Walk;
  /** JSON pointer of the node in the schema. */
  readonly pointer: string;
}

function visit(node: unknown, places: Places, { walk, pointer }: At): void {
  if (!isNode(node) || walk.inside.has(node)) return;
  walk.inside.add(node);
  noteValues(node, places, { walk, pointer });
  visitFields(node, places, { walk, pointer });
  for (const [step, part, keyword] of innerParts(node)) {
    visit(part, stepInto(places, step), { walk, pointer: `${pointer}${keyword}` });
  }
  const target = targetOf(node, walk.root);
  if (target !== null) visit(target.node, places, { walk, pointer: target.pointer });
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const branches = node[keyword];
    if (Array.isArray(branches)) visitBranches(branches, places, { walk, pointer: `${pointer}/${keyword}` });
  }
  walk.inside.delete(node);
}

function visitFields(node: JsonSchema, places: Places, { walk, pointer }: At): void {
  const { properties } = node;
  if (!isNode(properties)) return;
  for (const [name, part] of Object.entries(properties)) {
    const inside = stepInto(places, `/${escaped(name)}`);
    const at = `${pointer}/properties/${escaped(name)}`;
    for (const { place } of inside) {
      if (!walk.fields.has(place)) walk.fields.set(place, { pointer: at, fragment: part });
    }
    visit(part, inside, { walk, pointer: at });
  }
}

/** Of a union whose variants a field tells apart, each variant has places of its own as well. */
function visitBranches(branches: readonly unknown[], places: Places, { walk, pointer }: At): void {
  const nodes = branches.map((branch) => (isNode(branch) ? resolved(branch, walk.root) : null));
  const discriminators = discriminatorsOf(nodes);
  branches.forEach((branch, index) => {
    const variants = discriminators.flatMap((name) =>
      (literalsAt(nodes[index] ?? null, name) ?? []).flatMap((value) =>
        places.map(({ place }) => {
          const variant = `${place}${variantStep(name, value)}`;
          walk.variants.set(variant, { place: `${place}/${escaped(name)}`, value });
          return { place: variant };
        }),
      ),
    );
    visit(branch, [...places, ...variants], { walk, pointer: `${pointer}/${index}` });
  });
}

/**
 * The fields that every object among `nodes` requires to be one of some literals, none of them shared. Where
 * one object is left, each such field may be what told it from others once.
 */
function discriminatorsOf(nodes: readonly (JsonSchema | null)[]): readonly string[] {
  const objects = nodes.filter((node) => isNode(node?.properties));
  const tellsApart = (name: string) => {
    const literals = objects.map((node) => literalsAt(node, name));
    const all = literals.flatMap((it) => it ?? []);
    return literals.every((it) => it !== null) && new Set(all).size === all.length;
  };
  return Object.keys(objects[0]?.properties ?? {}).filter(tellsApart);
}

function literalsAt(node: JsonSchema | null, name: string): readonly string[] | null {
  const { properties, required } = node ?? {};
  const field = isNode(properties) ? properties[name] : undefined;
  if (!isNode(field) || !Array.isArray(required) || !required.includes(name)) return null;
  return listedIn(field);
}

function noteValues(node: JsonSchema, places: Places, { walk, pointer }: At): void {
  const openEnum = openEnumOf(node);
  const texts = openEnum === null ? listedIn(node) : openEnum.values.map((it) => JSON.stringify(it));
  if (texts === null && !takesAnyScalar(node)) return;
  for (const { place } of places) {
    const known = walk.values.get(place);
    const isAny = texts === null || (known !== undefined && known.listed === null);
    walk.values.set(place, {
      place: known?.place ?? { pointer, fragment: node },
      listed: isAny ? null : new Set([...(known?.listed ?? []), ...texts]),
      openEnum: openEnum ?? known?.openEnum ?? null,
    });
  }
}

/** JSON texts of the values of `const` and `enum`; `null` when the node has neither. */
function listedIn(node: JsonSchema): readonly string[] | null {
  if (node.const !== undefined) return [JSON.stringify(node.const)];
  return Array.isArray(node.enum) ? node.enum.map((it) => JSON.stringify(it)) : null;
}

/** Takes any text, number or truth value, or anything at all. */
function takesAnyScalar(node: JsonSchema): boolean {
  if (node.type === undefined) return APPLICATORS.every((keyword) => node[keyword] === undefined);
  return [node.type].flat().some((it) => SCALAR_TYPES.has(it));
}

const APPLICATORS = ["$ref", "anyOf", "oneOf", "allOf", "not"];
const SCALAR_TYPES: ReadonlySet<unknown> = new Set(["string", "number", "integer", "boolean"]);

function innerParts(node: JsonSchema): readonly (readonly [string, unknown, string])[] {
  const parts: (readonly [string, unknown, string])[] = [
    ["/*", node.additionalProperties, "/additionalProperties"],
    ["/*", node.items, "/items"],
    ["/{name}", node.propertyNames, "/propertyNames"],
  ];
  if (Array.isArray(node.prefixItems)) {
    node.prefixItems.forEach((part, index) => {
      parts.push([`/${index}`, part, `/prefixItems/${index}`]);
    });
  }
  if (isNode(node.patternProperties)) {
    for (const [pattern, part] of Object.entries(node.patternProperties)) {
      parts.push(["/*", part, `/patternProperties/${escaped(pattern)}`]);
    }
  }
  return parts;
}

function stepInto(places: Places, step: string): Places {
  return places.map(({ place }) => ({ place: `${place}${step}` }));
}

/** The node that a chain of references leads to. */
function resolved(node: JsonSchema, root: JsonSchema): JsonSchema {
  const seen = new Set<unknown>();
  let current = node;
  while (!seen.has(current)) {
    seen.add(current);
    const target = targetOf(current, root);
    if (target === null) return current;
    current = target.node;
  }
  return current;
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
