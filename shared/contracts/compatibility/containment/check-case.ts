/**
 * All of a reader's rules against one case: what the reader refuses of it is added to the findings.
 *
 * Where something is not understood the reader is taken to refuse it.
 */
import type { Case } from "./case.ts";
import { checkArray } from "./check-array.ts";
import { checkObject } from "./check-object.ts";
import { checkNumber, checkString } from "./check-scalars.ts";
import { checkAnyOf, checkCondition, checkNot, checkOneOf, missedPieces } from "./check-unions.ts";
import { decimalOf, decimalText } from "./decimal.ts";
import { describeCase, describeTypes } from "./describe.ts";
import { Findings, type Incompatibility } from "./incompatibility.ts";
import {
  isSchemaObject,
  keywordOf,
  type SchemaObject,
  saysNothing,
  unsupportedKeywords,
} from "./keywords.ts";
import { listedValues, membersOf, typeOfJson, typesOf, valueAtom } from "./narrow.ts";
import { isWhole, numbersOf } from "./number-shape.ts";
import { complain, isImplied, isTaken, type Scope } from "./proof.ts";
import { resolveReference } from "./resolve-refs.ts";
import type { Atom } from "./schema-atom.ts";

export function checkCase(piece: Case, reader: Atom, scope: Scope): void {
  const { schema } = reader;
  if (saysNothing(schema) || piece.from.some((atom) => isImplied(atom, reader, scope.proof))) return;
  if (!isSchemaObject(schema)) refuseAll([piece, reader], scope);
  else if (scope.chain.includes(reader)) refuseLoop([piece, reader], scope);
  else if (hasType(piece, schema)) checkAll(piece, reader, { ...scope, chain: [...scope.chain, reader] });
  else complainOfType([[piece], reader], scope);
}

function checkAll(piece: Case, reader: Atom, scope: Scope): void {
  for (const check of CHECKS) {
    if (scope.findings.isFull) return;
    check(piece, reader, scope);
  }
}

const CHECKS = [
  checkKeywords,
  checkReference,
  checkListed,
  checkShape,
  checkAllOf,
  checkAnyOf,
  checkOneOf,
  checkNot,
  checkCondition,
];

function refuseAll([piece, reader]: [Case, Atom], scope: Scope): void {
  const isClosed = reader.schema === false;
  complain(scope, [piece, reader], {
    code: isClosed ? "TYPE_NARROWED" : "UNSUPPORTED_KEYWORD",
    message: isClosed
      ? `The writer may send ${describeCase(piece)}; the reader takes nothing here.`
      : "The reader has something here that is not a schema.",
  });
}

function refuseLoop([piece, reader]: [Case, Atom], scope: Scope): void {
  complain(scope, [piece, reader], {
    code: "UNRESOLVED_REFERENCE",
    message: "The reader's reference leads back to itself.",
  });
}

function checkKeywords(piece: Case, reader: Atom, scope: Scope): void {
  for (const keyword of unsupportedKeywords(reader.schema as SchemaObject, reader.document.hasPrefixItems)) {
    complain(scope, [piece, reader], {
      code: "UNSUPPORTED_KEYWORD",
      keyword,
      message: `The reader's keyword "${keyword}" is not understood as it stands, so nothing is known to pass it.`,
    });
  }
}

function checkReference(piece: Case, reader: Atom, scope: Scope): void {
  const reference = keywordOf(reader.schema, "$ref");
  if (typeof reference !== "string") return;
  const target = resolveReference(reader, reference);
  if (target !== null) {
    scope.proof.check(piece, target, scope);
    return;
  }
  complain(scope, [piece, reader], {
    code: "UNRESOLVED_REFERENCE",
    keyword: "$ref",
    message: `The reader's reference ${reference} is not to be found in its own document.`,
  });
}

/** Whether a schema's own `type` admits a case. */
export function hasType({ shape }: Case, schema: unknown): boolean {
  const types = typesOf(schema);
  if (types === null || types.has(shape.type)) return true;
  return shape.type === "number" && types.has("integer") && isWhole(shape);
}

/** Complains of several cases at once that the reader does not take their types. */
export function complainOfType([pieces, reader]: [readonly Case[], Atom], scope: Scope): void {
  const [first] = pieces;
  if (first === undefined) return;
  const sent = new Set(pieces.map(({ shape }) => shape.type));
  complain(scope, [first, reader], {
    code: "TYPE_NARROWED",
    keyword: "type",
    message: `The writer may send ${describeTypes(sent)}; the reader takes only ${describeTypes(typesOf(reader.schema) ?? [])}.`,
  });
}

function checkListed(piece: Case, reader: Atom, scope: Scope): void {
  const listed = listedValues(reader.schema);
  if (listed === null) return;
  const unlisted = unlistedOf(piece, { reader, listed }, scope);
  if (unlisted === null) return;
  complain(scope, [piece, reader], {
    code: "ENUM_NARROWED",
    keyword: keywordOf(reader.schema, "enum") === undefined ? "const" : "enum",
    writerKeyword: piece.from.some(({ schema }) => keywordOf(schema, "enum") !== undefined)
      ? "enum"
      : "const",
    message: `The writer may send ${unlisted}, which is not among the values that the reader takes.`,
  });
}

/** In words, what a case may hold beside the values of a list; `null` when that is nothing. */
function unlistedOf(
  piece: Case,
  { reader, listed }: { readonly reader: Atom; readonly listed: readonly unknown[] },
  scope: Scope,
): string | null {
  const { shape } = piece;
  switch (shape.type) {
    case "null":
      return listed.includes(null) ? null : "null";
    case "boolean":
      return inWords(shape.values.filter((value) => !listed.includes(value)).map(String));
    case "string": {
      if (shape.values === null) return describeCase(piece);
      const allowed = new Set(listed);
      return inWords(
        shape.values.filter((value) => !allowed.has(value)).map((value) => JSON.stringify(value)),
      );
    }
    case "number": {
      const allowed = new Set(listed.filter((value) => typeof value === "number").map(listedText));
      const numbers = numbersOf(shape)?.map(decimalText);
      return numbers === undefined
        ? describeCase(piece)
        : inWords(numbers.filter((value) => !allowed.has(value)));
    }
    default: {
      const alike = listed.filter((value) => typeOfJson(value) === shape.type);
      const members = alike.map((value) => valueAtom(value, reader));
      const isMet = (part: Case) => members.some((member) => isTaken(part, member, scope));
      const [missed] = missedPieces(piece, { isMet, hints: members, stopsEarly: true }, scope.proof);
      return missed === undefined ? null : describeCase(missed);
    }
  }
}

function listedText(value: number): string {
  return Number.isFinite(value) ? decimalText(decimalOf(value)) : "";
}

/** Values named in a message. */
const WORDS_MAX = 5;

function inWords(words: readonly string[]): string | null {
  if (words.length === 0) return null;
  const more = words.length - WORDS_MAX;
  return words.slice(0, WORDS_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function checkShape(piece: Case, reader: Atom, scope: Scope): void {
  const { shape } = piece;
  if (shape.type === "number") checkNumber([{ ...piece, shape }, reader], scope);
  if (shape.type === "string") checkString([{ ...piece, shape }, reader], scope);
  if (shape.type === "array") checkArray([{ ...piece, shape }, reader], scope);
  if (shape.type === "object") checkObject([{ ...piece, shape }, reader], scope);
}

/** What a member refuses of this very place is the intersection's doing; parts keep their own complaint. */
function checkAllOf(piece: Case, reader: Atom, scope: Scope): void {
  for (const member of membersOf(reader, "allOf")) {
    const findings = new Findings(scope.findings.room);
    scope.proof.check(piece, member, { ...scope, findings });
    scope.findings.add(findings.list.map(asIntersection));
  }
}

function asIntersection(entry: Incompatibility): Incompatibility {
  const isUnknown = entry.code === "UNSUPPORTED_KEYWORD" || entry.code === "UNRESOLVED_REFERENCE";
  if (entry.path !== "" || isUnknown) return entry;
  return { ...entry, code: "INTERSECTION_NARROWED", message: `In the reader's "allOf": ${entry.message}` };
}
