/**
 * Takes a schema apart into cases: a union of documents of one type each, `allOf` merged, `$ref` followed.
 *
 * Where a rule cannot be expressed it is left out, so the cases cover at least what the schema accepts. That
 * is the safe side for a writer, and for asking whether two schemas have nothing in common.
 */
import { ANY_ARRAY, narrowArray } from "./array-shape.ts";
import type { Case, Shape } from "./case.ts";
import { isSchemaObject, keywordOf, type SchemaObject } from "./keywords.ts";
import { ANY_NUMBER, narrowNumber, onlyIntegers, onlyNumbers } from "./number-shape.ts";
import { ANY_OBJECT, narrowObject, type ObjectShape } from "./object-shape.ts";
import { resolveReference } from "./resolve-refs.ts";
import { sameJson } from "./same-schema.ts";
import type { Atom } from "./schema-atom.ts";
import { ANY_STRING, narrowString, onlyStrings } from "./string-shape.ts";

export interface NarrowContext {
  /** Both sides compute `multipleOf` in decimals. */
  readonly isDecimal: boolean;
  /** Whether fields of a schema that have a default need not be there: only in a reader's, and if so asked. */
  fillsDefaults(schema: Atom): boolean;
  /** Counts a step of work. @throws BudgetSpent */
  step(): void;
}

/** More cases than this are not told apart: the rule that would make them is left out. */
const CASES_MAX = 256;

export const ANYTHING: readonly Case[] = (
  [
    { type: "null" },
    { type: "boolean", values: [false, true] },
    ANY_NUMBER,
    ANY_STRING,
    ANY_ARRAY,
    ANY_OBJECT,
  ] satisfies readonly Shape[]
).map((shape) => ({ shape, from: [], not: [] }));

/** The atoms whose rules are being applied to the same document, innermost first. */
interface Chain {
  readonly atom: Atom;
  readonly outer: Chain | null;
}

/** The part of each case that a schema accepts too. */
export function narrow(cases: readonly Case[], by: Atom, context: NarrowContext): readonly Case[] {
  return new Narrowing(context).apply(cases, by, null);
}

class Narrowing {
  readonly #context: NarrowContext;

  constructor(context: NarrowContext) {
    this.#context = context;
  }

  apply(cases: readonly Case[], by: Atom, outer: Chain | null): readonly Case[] {
    this.#context.step();
    const { schema } = by;
    if (schema === false) return [];
    if (schema === true)
      return cases.map((piece) => (piece.from.length > 0 ? piece : { ...piece, from: [by] }));
    if (!isSchemaObject(schema) || cases.length === 0 || isIn(by, outer)) return cases;
    const chain = { atom: by, outer };
    const reference = keywordOf(schema, "$ref");
    if (typeof reference !== "string") return this.#applyKeywords(cases, by, chain);
    const target = resolveReference(by, reference);
    const referred = target === null ? cases : this.apply(cases, target, chain);
    // Older drafts skip what stands beside a reference.
    return by.document.dialect === "new" ? this.#applyKeywords(referred, by, chain) : referred;
  }

  #applyKeywords(cases: readonly Case[], by: Atom, chain: Chain): readonly Case[] {
    const schema = by.schema as SchemaObject;
    const own: readonly Case[] = this.#applyOwn(cases, by, chain);
    if (!COMBINING.some((keyword) => Object.hasOwn(schema, keyword))) return own;
    const members = (keyword: string) => membersOf(by, keyword);
    const merged = members("allOf").reduce<readonly Case[]>(
      (rest, member) => this.apply(rest, member, chain),
      own,
    );
    const chosen = this.#applyUnion(merged, members("anyOf"), chain);
    const single = this.#applyExclusiveUnion(chosen, members("oneOf"), chain);
    const excluded = partOf(by, "not");
    return this.#applyCondition(excluded === null ? single : without(single, excluded), by, chain);
  }

  /** The keywords of the schema itself. */
  #applyOwn(cases: readonly Case[], by: Atom, chain: Chain): readonly Case[] {
    const types = typesOf(by.schema);
    const listed = listedValues(by.schema);
    const pieces: Case[] = [];
    for (const piece of cases) {
      const typed = types === null ? piece.shape : ofType(piece.shape, types, by.schema);
      const shape = typed === null ? null : this.#shaped(typed, by);
      if (shape === null) continue;
      const narrowed = { ...piece, shape, from: [...piece.from, by] };
      for (const one of listed === null ? [narrowed] : this.#listed(narrowed, listed, by)) {
        pieces.push(...this.#implied(one, chain));
      }
    }
    return pieces;
  }

  #shaped(shape: Shape, by: Atom): Shape | null {
    switch (shape.type) {
      case "number":
        return narrowNumber(shape, by.schema, this.#context);
      case "string":
        return narrowString(shape, by.schema);
      case "array":
        return narrowArray(shape, by);
      case "object":
        return narrowObject(shape, by, this.#context);
      default:
        return shape;
    }
  }

  /** The case with only the values of an `enum` or `const`. */
  #listed(piece: Case, listed: readonly unknown[], by: Atom): readonly Case[] {
    const { shape } = piece;
    if (shape.type === "array" || shape.type === "object") {
      const alike = listed.filter((value) => typeOfJson(value) === shape.type);
      if (alike.length > CASES_MAX) return [piece];
      return alike.flatMap((value) => this.apply([piece], valueAtom(value, by), null));
    }
    const kept = this.#listedScalars(shape, listed);
    return kept === null ? [] : [{ ...piece, shape: kept }];
  }

  #listedScalars(shape: Shape, listed: readonly unknown[]): Shape | null {
    switch (shape.type) {
      case "number":
        return onlyNumbers(shape, listed.filter(isFiniteNumber));
      case "string":
        return onlyStrings(shape, listed.filter(isString));
      case "boolean": {
        const values = shape.values.filter((value) => listed.includes(value));
        return values.length === 0 ? null : { ...shape, values };
      }
      default:
        return listed.includes(null) ? shape : null;
    }
  }

  /** What follows from names that must be there. */
  #implied(piece: Case, chain: Chain): readonly Case[] {
    const { shape } = piece;
    if (shape.type !== "object") return [piece];
    const dependent = shape.dependents.find(([name]) => shape.required.has(name));
    if (dependent === undefined) return [piece];
    const dependents = shape.dependents.filter((other) => other !== dependent);
    const rest: ObjectShape = { ...shape, dependents };
    return this.apply([{ ...piece, shape: rest }], dependent[1], chain);
  }

  #applyUnion(cases: readonly Case[], members: readonly Atom[], chain: Chain): readonly Case[] {
    if (members.length === 0) return cases;
    const pieces = members.flatMap((member) => this.apply(cases, member, chain));
    return pieces.length > CASES_MAX ? cases : pieces;
  }

  /** One member and none of the others. */
  #applyExclusiveUnion(cases: readonly Case[], members: readonly Atom[], chain: Chain): readonly Case[] {
    if (members.length < 2) return this.#applyUnion(cases, members, chain);
    const pieces = members.flatMap((member, index) => {
      const others = members.filter((_, place) => place !== index);
      return this.apply(cases, member, chain).map((piece) => ({ ...piece, not: [...piece.not, ...others] }));
    });
    return pieces.length > CASES_MAX ? cases : pieces;
  }

  #applyCondition(cases: readonly Case[], by: Atom, chain: Chain): readonly Case[] {
    const condition = partOf(by, "if");
    if (condition === null) return cases;
    const [then, otherwise] = [partOf(by, "then"), partOf(by, "else")];
    if (then === null && otherwise === null) return cases;
    const met = this.apply(cases, condition, chain);
    const unmet = without(cases, condition);
    const pieces = [
      ...(then === null ? met : this.apply(met, then, chain)),
      ...(otherwise === null ? unmet : this.apply(unmet, otherwise, chain)),
    ];
    return pieces.length > CASES_MAX ? cases : pieces;
  }
}

/** Keywords that apply other schemas to the same document. */
const COMBINING = ["allOf", "anyOf", "oneOf", "not", "if"];

function ofType(shape: Shape, types: ReadonlySet<string>, schema: unknown): Shape | null {
  if (types.has(shape.type)) return shape;
  // Some validators know this one of OpenAPI's, others do not: the case covers both.
  if (shape.type === "null" && keywordOf(schema, "nullable") === true) return shape;
  return shape.type === "number" && types.has("integer") ? onlyIntegers(shape) : null;
}

function isIn(atom: Atom, chain: Chain | null): boolean {
  for (let link = chain; link !== null; link = link.outer) if (link.atom === atom) return true;
  return false;
}

function without(cases: readonly Case[], excluded: Atom): readonly Case[] {
  return cases.map((piece) => ({ ...piece, not: [...piece.not, excluded] }));
}

/** The schemas in a list such as `anyOf`. */
export function membersOf(atom: Atom, keyword: string): Atom[] {
  const members = keywordOf(atom.schema, keyword);
  if (!Array.isArray(members)) return [];
  return members.map((member, index) => atom.document.child(atom, [keyword, index], member));
}

/** The schema under a keyword such as `not`, or `null`. */
export function partOf(atom: Atom, keyword: string): Atom | null {
  const part = keywordOf(atom.schema, keyword);
  return part === undefined ? null : atom.document.child(atom, [keyword], part);
}

/** The types a schema names, or `null` for all. */
export function typesOf(schema: unknown): ReadonlySet<string> | null {
  const type = keywordOf(schema, "type");
  if (type === undefined) return null;
  return new Set(Array.isArray(type) ? (type as string[]) : [type as string]);
}

/** The values that `enum` and `const` leave, or `null` for all. */
export function listedValues(schema: unknown): readonly unknown[] | null {
  const listed = keywordOf(schema, "enum") as readonly unknown[] | undefined;
  if (!isSchemaObject(schema) || !Object.hasOwn(schema, "const")) return listed ?? null;
  return listed === undefined ? [schema.const] : listed.filter((value) => sameJson(value, schema.const));
}

export function typeOfJson(value: unknown): Shape["type"] | null {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "boolean" || type === "number" || type === "string" || type === "object" ? type : null;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** A schema that accepts one value and nothing else, without `const` for arrays and objects. */
export function valueAtom(value: unknown, origin: Atom): Atom {
  const keyword = keywordOf(origin.schema, "enum") === undefined ? "const" : "enum";
  return origin.document.deriveAt(schemaOfValue(value), origin, keyword);
}

function schemaOfValue(value: unknown): unknown {
  if (Array.isArray(value)) {
    const length = value.length;
    const prefixItems = length === 0 ? {} : { items: value.map(schemaOfValue), additionalItems: false };
    return { type: "array", ...prefixItems, minItems: length, maxItems: length };
  }
  if (!isSchemaObject(value)) return { enum: [value] };
  const properties = Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, schemaOfValue(part)]),
  );
  return { type: "object", properties, required: Object.keys(value), additionalProperties: false };
}
