/**
 * Proofs that a case has no documents at all. `false` only says that none was found.
 */

import type { ArrayShape } from "./array-shape.ts";
import { itemAt, tupleLength } from "./array-shape.ts";
import type { Case } from "./case.ts";
import { Findings } from "./incompatibility.ts";
import { namesOf, type ObjectShape, otherNames, valueOfName } from "./object-shape.ts";
import { isTaken, type Proof } from "./proof.ts";
import type { Conjunction } from "./schema-atom.ts";
import { takesNoString } from "./string-shape.ts";

export function isEmptyCase(piece: Case, proof: Proof): boolean {
  const { shape, not } = piece;
  if (shape.type === "object" && isEmptyObject(shape, proof)) return true;
  if (shape.type === "array" && isEmptyArray(shape, proof)) return true;
  if (shape.type === "string" && takesNoString(shape)) return true;
  // What is wholly inside a schema that must refuse it does not exist.
  const bare = { ...piece, not: [] };
  return not.some((excluded) => isTaken(bare, excluded, { proof, findings: new Findings(1), chain: [] }));
}

function isEmptyObject(shape: ObjectShape, proof: Proof): boolean {
  for (const name of shape.required) {
    if (!mayHaveName(shape, name, proof) || proof.isNever(valueOfName(shape, name))) return true;
  }
  return shape.minProperties > 0 && shape.minProperties > namesMax(shape, proof);
}

/** The most names an object can have; `Infinity` when there is no limit. */
export function namesMax(shape: ObjectShape, proof: Proof): number {
  const listed = listedNames(shape, proof);
  const isOpen = listed === null && otherNames(shape).some(({ value }) => !proof.isNever(value));
  if (isOpen) return shape.maxProperties;
  const names = [...(listed ?? namesOf(shape))];
  const possible = names.filter((name) => !proof.isNever(valueOfName(shape, name)));
  return Math.min(possible.length, shape.maxProperties);
}

/** The only names an object may have, when its `propertyNames` lists them, else `null`. */
export function listedNames(shape: ObjectShape, proof: Proof): readonly string[] | null {
  if (shape.names.length === 0) return null;
  const strings = proof.casesOf(shape.names).filter((piece) => piece.shape.type === "string");
  const lists = strings.map((piece) => (piece.shape.type === "string" ? piece.shape.values : null));
  return lists.every((list) => list !== null) ? [...new Set(lists.flat())] : null;
}

/** Whether `propertyNames` is not proved to refuse a name. */
export function mayHaveName(shape: ObjectShape, name: string, proof: Proof): boolean {
  if (shape.names.length === 0) return true;
  return !proof.isNever([...shape.names, nameAtom(shape, { enum: [name] })]);
}

/** A schema about names, made up from the schema that says what names there are. */
export function nameAtom({ names }: ObjectShape, schema: object): Conjunction[number] {
  const [origin] = names;
  if (origin === undefined) throw new Error("there is no schema of names to start from");
  return origin.document.derive(schema, origin);
}

function isEmptyArray(shape: ArrayShape, proof: Proof): boolean {
  const distinct = Math.min(shape.minItems, tupleLength(shape) + 1);
  for (let index = 0; index < distinct; index += 1) {
    if (proof.isNever(itemAt(shape, index))) return true;
  }
  return false;
}
