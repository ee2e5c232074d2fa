/**
 * Which objects a schema accepts. Each merged schema keeps its own layer, since whether a name is
 * "additional" depends on that schema's own `properties` and `patternProperties`.
 */
import { countOf, entriesOf, isSchemaObject, keywordOf } from "./keywords.ts";
import { matches } from "./patterns/text-search.ts";
import type { Atom, Conjunction, Dialect } from "./schema-atom.ts";

export interface ObjectLayer {
  readonly properties: ReadonlyMap<string, Atom>;
  readonly patterns: readonly (readonly [pattern: string, atom: Atom])[];
  /** For names that neither declares; `null` is anything. */
  readonly additional: Atom | null;
}

export interface ObjectShape {
  readonly type: "object";
  readonly layers: readonly ObjectLayer[];
  readonly required: ReadonlySet<string>;
  readonly minProperties: number;
  /** `Infinity` when there is none. */
  readonly maxProperties: number;
  /** What every name satisfies, as a string. */
  readonly names: Conjunction;
  /** What the whole object satisfies when it has a name. */
  readonly dependents: readonly (readonly [name: string, atom: Atom])[];
}

export const ANY_OBJECT: ObjectShape = {
  type: "object",
  layers: [],
  required: new Set(),
  minProperties: 0,
  maxProperties: Number.POSITIVE_INFINITY,
  names: [],
  dependents: [],
};

/** The shape with a schema's keywords applied; `null` when no object is left. */
export function narrowObject(
  shape: ObjectShape,
  atom: Atom,
  context: { fillsDefaults(schema: Atom): boolean },
): ObjectShape | null {
  const { schema, document } = atom;
  const layer = layerOf(atom);
  const required = requiredOf(atom, context);
  const names = keywordOf(schema, "propertyNames");
  const dependents = dependentsOf(atom, DEPENDENTS_APPLIED[document.dialect]);
  const narrowed = {
    ...shape,
    layers: layer === null ? shape.layers : [...shape.layers, layer],
    required: required.length === 0 ? shape.required : new Set([...shape.required, ...required]),
    minProperties: Math.max(shape.minProperties, countOf(schema, "minProperties") ?? 0),
    maxProperties: Math.min(
      shape.maxProperties,
      countOf(schema, "maxProperties") ?? Number.POSITIVE_INFINITY,
    ),
    names:
      names === undefined ? shape.names : [...shape.names, document.child(atom, ["propertyNames"], names)],
    dependents: dependents.length === 0 ? shape.dependents : [...shape.dependents, ...dependents],
  };
  const atLeast = Math.max(narrowed.minProperties, narrowed.required.size);
  return atLeast > narrowed.maxProperties ? null : narrowed;
}

/** The names that a document has to have for a schema. */
export function requiredOf(atom: Atom, context: { fillsDefaults(schema: Atom): boolean }): readonly string[] {
  const required = keywordOf(atom.schema, "required") as readonly string[] | undefined;
  if (required === undefined || required.length === 0) return [];
  if (!context.fillsDefaults(atom)) return required;
  const properties = keywordOf(atom.schema, "properties");
  return required.filter((name) => {
    const own = isSchemaObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
    return !(isSchemaObject(own) && Object.hasOwn(own, "default"));
  });
}

/** Keywords that evaluate names in other places of the same object than `properties`. */
const APPLICATORS = ["$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies"];

function layerOf(atom: Atom): ObjectLayer | null {
  const { schema, document } = atom;
  const additional = additionalOf(atom);
  const properties = entriesOf(schema, "properties");
  const patterns = entriesOf(schema, "patternProperties");
  if (additional === null && properties.length === 0 && patterns.length === 0) return null;
  return {
    properties: new Map(
      properties.map(([name, part]) => [name, document.child(atom, ["properties", name], part)]),
    ),
    patterns: patterns.map(([pattern, part]) => [
      pattern,
      document.child(atom, ["patternProperties", pattern], part),
    ]),
    additional,
  };
}

function additionalOf(atom: Atom): Atom | null {
  const { schema, document } = atom;
  const additional = keywordOf(schema, "additionalProperties");
  if (additional !== undefined) return document.child(atom, ["additionalProperties"], additional);
  const rest = keywordOf(schema, "unevaluatedProperties");
  const isSame =
    document.dialect === "new" && !APPLICATORS.some((keyword) => Object.hasOwn(schema as object, keyword));
  return rest !== undefined && isSame ? document.child(atom, ["unevaluatedProperties"], rest) : null;
}

export const DEPENDENTS = ["dependencies", "dependentRequired", "dependentSchemas"] as const;

/** The keywords that every validator of a dialect applies. */
const DEPENDENTS_APPLIED: Readonly<Record<Dialect, readonly string[]>> = {
  old: ["dependencies"],
  undeclared: ["dependencies"],
  new: ["dependentRequired", "dependentSchemas"],
};

/** `dependentRequired`, `dependentSchemas` and the older `dependencies`, all as schemas of the object. */
export function dependentsOf(atom: Atom, keywords: readonly string[]): [string, Atom][] {
  const { schema, document } = atom;
  const used = keywords.filter((keyword) => keywordOf(schema, keyword) !== undefined);
  return used.flatMap((keyword) =>
    entriesOf(schema, keyword).map(([name, part]): [string, Atom] => [
      name,
      Array.isArray(part)
        ? document.deriveAt({ required: part }, atom, keyword)
        : document.child(atom, [keyword, name], part),
    ]),
  );
}

/** What the value of a name satisfies. */
export function valueOfName(shape: ObjectShape, name: string): Conjunction {
  const [layer] = shape.layers;
  // Nearly always there is one layer, and there may be thousands of names.
  if (layer !== undefined && shape.layers.length === 1) return valueInLayer(layer, name);
  return shape.layers.flatMap((one) => valueInLayer(one, name));
}

function valueInLayer({ properties, patterns, additional }: ObjectLayer, name: string): Conjunction {
  const own = properties.get(name);
  const declared = own === undefined ? [] : [own];
  if (patterns.length === 0) return own === undefined && additional !== null ? [additional] : declared;
  const answers = patterns.map(([pattern]) => matches(pattern, name));
  const matched = patterns.filter((_, index) => answers[index] === true).map(([, atom]) => atom);
  // A pattern that cannot be tested may match, and then the name is not an additional one.
  if (own !== undefined || answers.some((answer) => answer !== false)) return [...declared, ...matched];
  return additional === null ? [] : [additional];
}

/** Names that some layer declares, or that must be there. */
export function namesOf(shape: ObjectShape): Set<string> {
  return new Set([...shape.required, ...shape.layers.flatMap(({ properties }) => [...properties.keys()])]);
}

/** One of several ways in which a name that is not declared may be taken. */
export interface OtherNames {
  /** Patterns that the name matches. */
  readonly matches: readonly string[];
  /** Patterns that it does not match. */
  readonly avoids: readonly string[];
  /** What its value satisfies. */
  readonly value: Conjunction;
}

/** More ways than this are not told apart: one that says nothing stands for them. */
const WAYS_MAX = 32;

/** Every way in which a name outside `namesOf` may be taken; none when the object is closed. */
export function otherNames(shape: ObjectShape): readonly OtherNames[] {
  let ways: readonly OtherNames[] = [{ matches: [], avoids: [], value: [] }];
  for (const layer of shape.layers) {
    ways = ways.flatMap((way) => waysOfLayer(layer).map((more) => joined(way, more)));
    if (ways.length > WAYS_MAX) return [{ matches: [], avoids: [], value: [] }];
  }
  return ways;
}

function waysOfLayer({ patterns, additional }: ObjectLayer): OtherNames[] {
  const matching = patterns.map(([pattern, atom]) => ({ matches: [pattern], avoids: [], value: [atom] }));
  const rest = {
    matches: [],
    avoids: patterns.map(([pattern]) => pattern),
    value: additional === null ? [] : [additional],
  };
  return [...matching, rest].filter(({ value }) => !value.some(({ schema }) => schema === false));
}

function joined(a: OtherNames, b: OtherNames): OtherNames {
  return {
    matches: [...a.matches, ...b.matches],
    avoids: [...a.avoids, ...b.avoids],
    value: [...a.value, ...b.value],
  };
}
