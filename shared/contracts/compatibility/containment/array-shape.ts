/**
 * Which arrays a schema accepts. Each merged schema keeps its own layer, since which of its keywords is about
 * an item depends on that schema's own tuple.
 */
import { countOf, keywordOf } from "./keywords.ts";
import type { Atom, Conjunction } from "./schema-atom.ts";

export interface ArrayLayer {
  readonly prefix: readonly Atom[];
  /** For items behind the prefix; `null` is anything. */
  readonly rest: Atom | null;
}

export interface ContainsRule {
  readonly schema: Atom;
  readonly min: number;
  readonly max: number;
}

export interface ArrayShape {
  readonly type: "array";
  readonly layers: readonly ArrayLayer[];
  readonly minItems: number;
  /** `Infinity` when there is none. */
  readonly maxItems: number;
  readonly isUnique: boolean;
  readonly contains: readonly ContainsRule[];
}

export const ANY_ARRAY: ArrayShape = {
  type: "array",
  layers: [],
  minItems: 0,
  maxItems: Number.POSITIVE_INFINITY,
  isUnique: false,
  contains: [],
};

/** The shape with a schema's keywords applied; `null` when no array is left. */
export function narrowArray(shape: ArrayShape, atom: Atom): ArrayShape | null {
  const { schema } = atom;
  const layer = layerOf(atom);
  const contains = containsOf(atom);
  const closedAt = layer?.rest?.schema === false ? layer.prefix.length : Number.POSITIVE_INFINITY;
  const narrowed = {
    ...shape,
    layers: layer === null ? shape.layers : [...shape.layers, layer],
    minItems: Math.max(shape.minItems, countOf(schema, "minItems") ?? 0, contains?.min ?? 0),
    maxItems: Math.min(shape.maxItems, countOf(schema, "maxItems") ?? closedAt, closedAt),
    isUnique: shape.isUnique || keywordOf(schema, "uniqueItems") === true,
    contains: contains === null ? shape.contains : [...shape.contains, contains],
  };
  return narrowed.minItems > narrowed.maxItems ? null : narrowed;
}

/** `null` when the schema says nothing about items. */
export function layerOf(atom: Atom): ArrayLayer | null {
  const { schema, document } = atom;
  const items = keywordOf(schema, "items");
  const tuple = document.hasPrefixItems ? keywordOf(schema, "prefixItems") : undefined;
  // A list of items beside a list of prefix items has no meaning in any draft.
  if (Array.isArray(tuple) && Array.isArray(items)) return null;
  const keyword = Array.isArray(items) ? "items" : "prefixItems";
  const list = [items, tuple].find(Array.isArray) as readonly unknown[] | undefined;
  const restKeyword = Array.isArray(items) ? "additionalItems" : "items";
  const rest = keywordOf(schema, restKeyword);
  if (list === undefined && rest === undefined) return null;
  return {
    prefix: (list ?? []).map((part, index) => document.child(atom, [keyword, index], part)),
    rest: rest === undefined ? null : document.child(atom, [restKeyword], rest),
  };
}

function containsOf(atom: Atom): ContainsRule | null {
  const { schema, document } = atom;
  const contained = keywordOf(schema, "contains");
  if (contained === undefined) return null;
  // Validators of older drafts skip both counts, and Ajv lets an empty array pass beside a tuple.
  const hasTuple = Array.isArray(keywordOf(schema, "prefixItems") ?? keywordOf(schema, "items"));
  const min = hasTuple ? 0 : (countOf(schema, "minContains") ?? 1);
  const isCounted = document.dialect === "new";
  return {
    schema: document.child(atom, ["contains"], contained),
    min: isCounted ? min : Math.min(min, 1),
    max: isCounted ? (countOf(schema, "maxContains") ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY,
  };
}

/** Items from this index on are all alike. */
export function tupleLength(shape: ArrayShape): number {
  return Math.max(0, ...shape.layers.map(({ prefix }) => prefix.length));
}

/** What an item at an index satisfies. */
export function itemAt(shape: ArrayShape, index: number): Conjunction {
  return shape.layers.map(({ prefix, rest }) => prefix[index] ?? rest).filter((atom) => atom !== null);
}

/** The shape cut before each of some lengths. */
export function cutItems(shape: ArrayShape, cuts: readonly number[]): ArrayShape[] {
  const borders = [...new Set(cuts)].filter(
    (cut) => Number.isFinite(cut) && cut > shape.minItems && cut <= shape.maxItems,
  );
  borders.sort((a, b) => a - b);
  const starts = [shape.minItems, ...borders];
  return starts.map((minItems, index) => ({
    ...shape,
    minItems,
    maxItems: (starts[index + 1] ?? shape.maxItems + 1) - 1,
  }));
}
