/**
 * Cuts a case into smaller ones that together are the same, where other schemas suggest that it helps.
 *
 * A union may take a case only piece by piece: the integers from 1 to 8 by "1 to 4" and "5 to 10", an object
 * by one variant for each value of a field.
 */
import { cutItems } from "./array-shape.ts";
import type { Case, Shape } from "./case.ts";
import { anythingAt } from "./check-array.ts";
import { type Decimal, decimalText, toNumber } from "./decimal.ts";
import { cutNumbers, type NumberShape, numbersOf } from "./number-shape.ts";
import { namesOf, type ObjectShape, valueOfName } from "./object-shape.ts";
import type { Proof } from "./proof.ts";
import type { Atom } from "./schema-atom.ts";
import { cutLengths, type StringShape } from "./string-shape.ts";

/** Pieces of one cut at most. */
const PIECES_MAX = 256;
/** Borders or values that other schemas may suggest. */
const HINTS_MAX = 64;

/** The pieces, or only the case itself when there is no cut that could help. */
export function cut(piece: Case, hints: readonly Atom[], proof: Proof): readonly Case[] {
  const pieces = cutShape(piece, hints, proof);
  return pieces.length > PIECES_MAX || !proof.mayCut(pieces.length) ? [piece] : pieces;
}

function cutShape(piece: Case, hints: readonly Atom[], proof: Proof): readonly Case[] {
  const { shape } = piece;
  if (shape.type === "object") return cutObject({ ...piece, shape }, hints, proof);
  const hinted = hints.flatMap((hint) => proof.casesOf([hint])).map((one) => one.shape);
  return cutPlain(shape, hinted).map((part) => ({ ...piece, shape: part }));
}

function cutPlain(shape: Shape, hinted: readonly Shape[]): readonly Shape[] {
  switch (shape.type) {
    case "boolean":
      return shape.values.map((value) => ({ ...shape, values: [value] }));
    case "number":
      return cutNumber(shape, hinted.filter(isNumberShape));
    case "string":
      return cutString(shape, hinted.filter(isStringShape));
    case "array": {
      const arrays = hinted.filter((other) => other.type === "array");
      const borders = arrays.flatMap(({ minItems, maxItems, layers }) => [
        minItems,
        maxItems + 1,
        ...layers.map(({ prefix }) => prefix.length),
      ]);
      return cutItems(shape, borders.slice(0, HINTS_MAX));
    }
    default:
      return [shape];
  }
}

function isNumberShape(shape: Shape): shape is NumberShape {
  return shape.type === "number";
}

function isStringShape(shape: Shape): shape is StringShape {
  return shape.type === "string";
}

function cutNumber(shape: NumberShape, hinted: readonly NumberShape[]): readonly Shape[] {
  if (shape.values === null) {
    const borders = hinted.flatMap(({ lower, upper, values }) => [lower?.at, upper?.at, ...(values ?? [])]);
    const cuts = unique(borders.filter((border) => border !== undefined)).slice(0, HINTS_MAX);
    const pieces = cutNumbers(shape, cuts);
    if (pieces.length > 1) return pieces;
  }
  const numbers = numbersOf(shape);
  return numbers === null ? [shape] : numbers.map((value) => ({ ...shape, values: [value] }));
}

function unique(numbers: readonly Decimal[]): Decimal[] {
  return [...new Map(numbers.map((number) => [decimalText(number), number])).values()];
}

function cutString(shape: StringShape, hinted: readonly StringShape[]): readonly Shape[] {
  if (shape.values !== null) return shape.values.map((value) => ({ ...shape, values: [value] }));
  const borders = hinted.flatMap(({ minLength, maxLength }) => [minLength, maxLength + 1]);
  return cutLengths(shape, borders.slice(0, HINTS_MAX));
}

type ObjectCase = Case & { readonly shape: ObjectShape };

/** Cuts by the first field that some of the other schemas refuse and that can be cut. */
function cutObject(piece: ObjectCase, hints: readonly Atom[], proof: Proof): readonly Case[] {
  const [hint] = hints;
  if (hint === undefined) return [piece];
  const origin = anythingAt(piece.from, hint);
  const cuts = refusedNames(piece, hints, proof).map((name) => restrictionsOf(piece, name, proof));
  // A field of listed values tells variants apart; other fields rarely do.
  const best = cuts.find(({ isListed }) => isListed) ?? cuts.find(({ schemas }) => schemas.length > 1);
  if (best === undefined) return [piece];
  return best.schemas.flatMap((schema) => proof.narrow([piece], origin.document.derive(schema, origin)));
}

interface Restrictions {
  /** Together they accept every object of the case. */
  readonly schemas: readonly object[];
  /** Whether the field has one of several listed values. */
  readonly isListed: boolean;
}

/** The case by the kinds of value of a field, and without the field where it may be absent. */
function restrictionsOf(piece: ObjectCase, name: string, proof: Proof): Restrictions {
  const kinds = kindsOf(piece, name, proof);
  if (kinds === null) return { schemas: [], isListed: false };
  const type = "object";
  const present = kinds.map((kind) => ({ type, properties: { [name]: kind }, required: [name] }));
  const absent = piece.shape.required.has(name) ? [] : [{ type, properties: { [name]: false } }];
  const isListed = kinds.length > 1 && kinds.every((kind) => "enum" in kind);
  return { schemas: [...present, ...absent], isListed };
}

/** Names that one of the other schemas requires or refuses, where the case need not. */
function refusedNames(piece: ObjectCase, hints: readonly Atom[], proof: Proof): string[] {
  const others = hints.flatMap((hint) => proof.casesOf([hint])).map(({ shape }) => shape);
  const names = new Set<string>();
  for (const other of others) {
    if (other.type !== "object") continue;
    for (const name of namesOf(other)) {
      if (names.size < HINTS_MAX && !names.has(name) && isRefused(name, [piece.shape, other], proof))
        names.add(name);
    }
  }
  return [...names];
}

function isRefused(name: string, [shape, other]: [ObjectShape, ObjectShape], proof: Proof): boolean {
  if (other.required.has(name) && !shape.required.has(name)) return true;
  const value = valueOfName(shape, name);
  const targets = valueOfName(other, name);
  return targets.some((target) => proof.refusedPart(value, target, 1).length > 0);
}

type Kind = { readonly enum: readonly unknown[] } | { readonly type: string };

/** The kinds of value a field may have: single values where they are listed, else types; `null` for too many. */
function kindsOf({ shape }: ObjectCase, name: string, proof: Proof): readonly Kind[] | null {
  const kinds = new Map<string, Kind>();
  for (const { shape: value } of proof.casesOf(valueOfName(shape, name))) {
    for (const kind of kindsOfShape(value)) kinds.set(JSON.stringify(kind), kind);
  }
  return kinds.size > HINTS_MAX ? null : [...kinds.values()];
}

function kindsOfShape(shape: Shape): readonly Kind[] {
  switch (shape.type) {
    case "boolean":
      return shape.values.map((value) => ({ enum: [value] }));
    case "number":
      return shape.values?.map((value) => ({ enum: [toNumber(value)] })) ?? [{ type: "number" }];
    case "string":
      return shape.values?.map((value) => ({ enum: [value] })) ?? [{ type: "string" }];
    default:
      return [{ type: shape.type }];
  }
}
