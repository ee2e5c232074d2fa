/**
 * Random documents near the limits of two schemas: shaped after one of them, of the values that they spell out.
 * Many are valid for the schema they are shaped after; none has to be.
 */
import type { Dice } from "./dice.ts";
import { type AnySchema, NAMES } from "./random-schemas.ts";

const PLAIN = [
  null,
  true,
  false,
  0,
  1,
  2,
  3,
  7,
  0.5,
  1.1,
  0.3,
  -3,
  "",
  "a",
  "b",
  "ab",
  "aab",
  "zz",
  "abcd",
  "😀",
  "\n",
] as const;

export class DocumentsNear {
  readonly #dice: Dice;
  readonly #values: readonly unknown[];

  constructor(dice: Dice, schemas: readonly AnySchema[]) {
    this.#dice = dice;
    this.#values = [...PLAIN, ...schemas.flatMap(valuesIn)];
  }

  any(depth: number): unknown {
    if (depth <= 0 || this.#dice.chance(0.6)) return this.#dice.pick(this.#values);
    if (this.#dice.chance(0.5)) return this.#dice.list(() => this.any(depth - 1), 0, 3);
    const names = [...NAMES, "z"].filter(() => this.#dice.chance(0.35));
    return Object.fromEntries(names.map((name) => [name, this.any(depth - 1)]));
  }

  /** Shaped after `schema`; `root` has its definitions. */
  like(schema: unknown, root: AnySchema, depth: number): unknown {
    if (depth <= 0 || !isSchema(schema) || this.#dice.chance(0.04)) return this.any(1);
    const merged = this.#merged(schema, root, depth);
    if ("const" in merged) return merged.const;
    if (Array.isArray(merged.enum) && merged.enum.length > 0) return this.#dice.pick(merged.enum);
    switch (this.#typeOf(merged)) {
      case "object":
        return this.#object(merged, root, depth);
      case "array":
        return this.#array(merged, root, depth);
      case "integer":
      case "number":
        return this.#dice.pick(this.#values.filter((value) => typeof value === "number"));
      case "string":
        return this.#dice.pick(this.#values.filter((value) => typeof value === "string"));
      case "boolean":
        return this.#dice.chance(0.5);
      case "null":
        return null;
      default:
        return this.any(1);
    }
  }

  /** With what it refers to, intersects and unites, as far as one object can say that. */
  #merged(schema: AnySchema, root: AnySchema, depth: number): AnySchema {
    const parts: unknown[] = [];
    if (typeof schema.$ref === "string") parts.push((root.$defs as AnySchema)[schema.$ref.slice(-1)]);
    for (const keyword of ["anyOf", "oneOf"]) {
      const members = schema[keyword];
      if (Array.isArray(members)) parts.push(this.#dice.pick(members));
    }
    if (Array.isArray(schema.allOf)) parts.push(...schema.allOf);
    parts.push(...(this.#dice.chance(0.5) ? [schema.if, schema.then] : [schema.else]));
    let merged = schema;
    for (const part of parts.filter(isSchema)) {
      const inner = depth > 0 ? this.#merged(part, root, depth - 1) : part;
      const properties = { ...asSchema(inner.properties), ...asSchema(merged.properties) };
      const required = [...listOf(inner.required), ...listOf(merged.required)];
      merged = { ...inner, ...merged, properties, required };
    }
    return merged;
  }

  #typeOf({ type, properties, required, items, prefixItems }: AnySchema): unknown {
    if (type !== undefined) return Array.isArray(type) ? this.#dice.pick(type) : type;
    if (items !== undefined || prefixItems !== undefined) return "array";
    return properties === undefined && required === undefined ? "any" : "object";
  }

  #object(schema: AnySchema, root: AnySchema, depth: number): unknown {
    const properties = asSchema(schema.properties);
    const names = new Set(listOf(schema.required) as string[]);
    for (const name of Object.keys(properties)) if (this.#dice.chance(0.5)) names.add(name);
    if (schema.additionalProperties !== false && this.#dice.chance(0.4)) names.add(this.#dice.pick(NAMES));
    const value = (name: string) => properties[name] ?? schema.additionalProperties;
    return Object.fromEntries([...names].map((name) => [name, this.like(value(name), root, depth - 1)]));
  }

  #array(schema: AnySchema, root: AnySchema, depth: number): unknown {
    const min = Number(schema.minItems ?? 0);
    const max = Number(schema.maxItems ?? min + 2);
    const length = Math.min(4, this.#dice.pick([min, max, min + 1]));
    const prefix = listOf(schema.prefixItems);
    return Array.from({ length }, (_, index) => this.like(prefix[index] ?? schema.items, root, depth - 1));
  }
}

function isSchema(value: unknown): value is AnySchema {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function asSchema(value: unknown): AnySchema {
  return isSchema(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The values that a schema spells out, with the numbers next to its limits and texts of its lengths. */
function valuesIn(schema: AnySchema): unknown[] {
  return Object.entries(schema).flatMap(([keyword, value]) => {
    if (keyword === "const") return [value];
    if (keyword === "enum") return value as unknown[];
    if (typeof value === "number")
      return [value, value + 1, value - 1, value + 0.5, value * 3, "b".repeat(Math.abs(value))];
    return value !== null && typeof value === "object" ? valuesIn(value as AnySchema) : [];
  });
}
