/**
 * Small random schemas over all keywords of JSON Schema, also those no contract has, and edits of them.
 *
 * Names and values are few and meet often: wanted are pairs that just do or just do not contain each other.
 */
import type { Dice } from "./dice.ts";

export type AnySchema = Record<string, unknown>;

export const NAMES = ["a", "b", "c", "ab"] as const;
const NUMBERS = [-1, 0, 0.5, 1, 1.5, 2, 3, 4, 5, 10] as const;
const STEPS = [1, 2, 3, 0.5, 1.5, 6, 0.1, 0.3] as const;
const TEXTS = ["", "a", "b", "ab", "aab", "bb", "😀", "abc"] as const;
const PATTERNS = [
  "^a",
  "b$",
  "^a*$",
  "a",
  "^[ab]{1,2}$",
  "^(ab)*$",
  ".",
  "[^a]",
  "^.{2,3}$",
  "b|^a$",
  "(?=a)",
] as const;
const TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;
const DEFINITIONS = ["#/$defs/x", "#/$defs/y"] as const;

/** Spelled so that no object here looks like a promise. */
const THEN = "then";

/** A schema with definitions that its references lead to, nested `depth` deep. */
export function randomSchema(dice: Dice, depth: number): AnySchema {
  const schemas = new RandomSchemas(dice);
  return { ...schemas.schema(depth), $defs: { x: schemas.schema(depth - 1), y: schemas.schema(depth - 2) } };
}

/** The schema with one to three of its parts changed. */
export function editedSchema(dice: Dice, schema: AnySchema): AnySchema {
  const copy = structuredClone(schema);
  for (let edits = 1 + dice.below(3); edits > 0; edits -= 1) {
    const { holder, key } = dice.pick(placesOf(copy));
    holder[key] = new Edits(dice).edited(holder[key] as AnySchema);
  }
  return copy;
}

class RandomSchemas {
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  schema(depth: number): AnySchema {
    if (depth <= 0 || this.#dice.chance(0.1)) return this.leaf();
    const inner = () => this.schema(depth - 1);
    return this.#dice.pick([
      () => this.#object(inner),
      () => this.#object(inner),
      () => this.#object(inner),
      () => this.#array(inner),
      () => this.#array(inner),
      () => ({ anyOf: this.#dice.list(inner, 2, 3) }),
      () => ({ oneOf: this.#dice.list(inner, 1, 3) }),
      () => ({ allOf: this.#dice.list(inner, 1, 2) }),
      () => this.#variants(inner),
      () => ({ ...inner(), ...this.leaf() }),
      () => ({ ...this.leaf(), not: inner() }),
      () => ({ if: inner(), [THEN]: inner(), else: inner() }),
    ])();
  }

  leaf(): AnySchema {
    return this.#dice.pick([
      () => this.#string(),
      () => this.#string(),
      () => this.#number(),
      () => this.#number(),
      () => ({ type: this.#dice.pick(TYPES) }),
      () => ({ type: [...new Set(this.#dice.list(() => this.#dice.pick(TYPES), 1, 3))] }),
      () => ({ enum: this.#dice.list(() => this.#value(1), 1, 4) }),
      () => ({ const: this.#value(1) }),
      () => ({ $ref: this.#dice.pick(DEFINITIONS) }),
      () => ({ $ref: this.#dice.pick(DEFINITIONS), ...this.#string() }),
      () => ({}),
      () => ({ not: {} }),
    ])();
  }

  #value(depth: number): unknown {
    if (depth === 0 || this.#dice.chance(0.7)) {
      return this.#dice.pick<unknown>([null, true, this.#dice.pick(NUMBERS), this.#dice.pick(TEXTS)]);
    }
    if (this.#dice.chance(0.5)) return this.#dice.list(() => this.#value(depth - 1), 0, 2);
    return Object.fromEntries(this.#names(0.4).map((name) => [name, this.#value(depth - 1)]));
  }

  #names(chance: number): string[] {
    return NAMES.filter(() => this.#dice.chance(chance));
  }

  #string(): AnySchema {
    const count = () => this.#dice.below(4);
    return this.#dice.someOf({
      type: [0.9, () => "string"],
      minLength: [0.3, count],
      maxLength: [0.3, count],
      pattern: [0.3, () => this.#dice.pick(PATTERNS)],
      enum: [0.15, () => this.#dice.list(() => this.#dice.pick(TEXTS), 1, 4)],
    });
  }

  #number(): AnySchema {
    const number = () => this.#dice.pick(NUMBERS);
    return this.#dice.someOf({
      type: [0.9, () => this.#dice.pick(["number", "integer"])],
      minimum: [0.35, number],
      maximum: [0.35, number],
      exclusiveMinimum: [0.15, number],
      exclusiveMaximum: [0.15, number],
      multipleOf: [0.25, () => this.#dice.pick(STEPS)],
    });
  }

  #object(inner: () => unknown): AnySchema {
    const count = () => this.#dice.below(3);
    const byName = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, inner()]));
    return this.#dice.someOf({
      type: [0.85, () => "object"],
      properties: [0.8, () => byName(this.#names(0.5))],
      required: [0.6, () => this.#names(0.35)],
      additionalProperties: [0.5, () => (this.#dice.chance(0.6) ? false : inner())],
      propertyNames: [
        0.15,
        () => (this.#dice.chance(0.5) ? this.#string() : { enum: ["a", ...this.#names(0.5)] }),
      ],
      patternProperties: [0.15, () => byName([this.#dice.pick(PATTERNS)])],
      minProperties: [0.1, count],
      maxProperties: [0.1, count],
      dependentRequired: [0.07, () => ({ [this.#dice.pick(NAMES)]: this.#names(0.4) })],
      dependentSchemas: [0.07, () => byName([this.#dice.pick(NAMES)])],
      unevaluatedProperties: [0.05, () => (this.#dice.chance(0.5) ? false : inner())],
    });
  }

  #array(inner: () => unknown): AnySchema {
    const count = () => this.#dice.below(4);
    return this.#dice.someOf({
      type: [0.85, () => "array"],
      items: [0.6, () => (this.#dice.chance(0.1) ? false : inner())],
      prefixItems: [0.3, () => this.#dice.list(inner, 1, 2)],
      minItems: [0.3, count],
      maxItems: [0.3, count],
      uniqueItems: [0.1, () => true],
      contains: [0.1, inner],
      minContains: [0.1, count],
      maxContains: [0.1, count],
    });
  }

  /** Objects told apart by a field, mostly. */
  #variants(inner: () => unknown): AnySchema {
    const kinds = ["x", "y", "z"].filter(() => this.#dice.chance(0.8));
    const variants = ["w", ...kinds].map((kind) => ({
      ...this.#object(inner),
      type: "object",
      properties: { a: this.#dice.chance(0.9) ? { const: kind } : { enum: [kind, "w"] }, b: inner() },
      required: this.#dice.chance(0.95) ? ["a"] : [],
    }));
    return { [this.#dice.pick(["oneOf", "anyOf"])]: variants };
  }
}

class Edits {
  readonly #dice: Dice;
  readonly #schemas: RandomSchemas;

  constructor(dice: Dice) {
    this.#dice = dice;
    this.#schemas = new RandomSchemas(dice);
  }

  edited(schema: AnySchema): AnySchema {
    return this.#dice.pick([
      () => this.#without(schema),
      () => this.#without(schema),
      () => this.#shifted(schema),
      () => this.#turned(schema),
      () => ({ ...schema, ...this.#schemas.leaf() }),
      () => this.#schemas.schema(1),
      () => ({ anyOf: [schema, this.#schemas.leaf()] }),
      () => ({ oneOf: [this.#schemas.leaf(), schema] }),
      () => ({ allOf: [schema] }),
    ])();
  }

  #without(schema: AnySchema): AnySchema {
    const [gone] = this.#dice.list(() => this.#dice.pick(["", ...Object.keys(schema)]), 1, 1);
    return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== gone));
  }

  /** Numbers a little smaller or greater; counts stay counts, and steps stay steps. */
  #shifted(schema: AnySchema): AnySchema {
    const shift = (keyword: string, value: unknown) => {
      if (typeof value !== "number") return value;
      if (keyword === "multipleOf") return this.#dice.pick(STEPS);
      const by = this.#dice.pick([-1, 1]);
      return /imum$/.test(keyword) ? value + by / 2 : Math.max(0, value + by);
    };
    return Object.fromEntries(
      Object.entries(schema).map(([keyword, value]) => [keyword, shift(keyword, value)]),
    );
  }

  /** Unions and lists in another order or of another kind, types next to theirs. */
  #turned(schema: AnySchema): AnySchema {
    const { anyOf, oneOf, type, enum: values } = schema;
    if (Array.isArray(anyOf)) return { ...this.#omit(schema, "anyOf"), oneOf: anyOf.toReversed() };
    if (Array.isArray(oneOf))
      return { ...this.#omit(schema, "oneOf"), anyOf: oneOf.slice(1).concat({ type: "null" }) };
    if (Array.isArray(values)) return { ...schema, enum: values.concat(this.#dice.pick(NUMBERS)) };
    if (type === "integer") return { ...schema, type: "number" };
    return typeof type === "string" ? { ...schema, type: [...new Set([type, "null"])] } : schema;
  }

  #omit(schema: AnySchema, keyword: string): AnySchema {
    const { [keyword]: _gone, ...rest } = schema;
    return rest;
  }
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

const DATA = new Set(["const", "enum", "required", "type", "dependentRequired"]);
const MAPS = new Set(["properties", "patternProperties", "dependentSchemas", "$defs"]);

/** Where the schemas in a schema stand; the schema itself is left out. */
function placesOf(schema: AnySchema): Place[] {
  return Object.entries(schema).flatMap(([keyword, value]) => {
    if (DATA.has(keyword) || value === null || typeof value !== "object") return [];
    const isHolder = Array.isArray(value) || MAPS.has(keyword);
    const holder = (isHolder ? value : schema) as Record<string, unknown>;
    return (isHolder ? Object.keys(value) : [keyword])
      .filter((key) => holder[key] !== null && typeof holder[key] === "object")
      .flatMap((key) => [{ holder, key }, ...placesOf(holder[key] as AnySchema)]);
  });
}
