/**
 * The reader's rules for objects against what a case may hold.
 *
 * Three kinds of names have to be looked at: those the reader declares, those only the writer declares (they
 * fall under what the reader says of additional names), and all others that an open writer may use.
 */

import { pointerTo } from "../../../json-pointer.ts";
import type { Case } from "./case.ts";
import { anythingAt } from "./check-array.ts";
import { listedNames, mayHaveName, namesMax } from "./emptiness.ts";
import { countOf, entriesOf, saysNothing } from "./keywords.ts";
import { partOf } from "./narrow.ts";
import {
  DEPENDENTS,
  dependentsOf,
  namesOf,
  type ObjectShape,
  type OtherNames,
  otherNames,
  requiredOf,
  valueOfName,
} from "./object-shape.ts";
import { matches } from "./patterns/text-search.ts";
import { complain, type Scope } from "./proof.ts";
import type { Atom, Conjunction } from "./schema-atom.ts";

export type ObjectPair = readonly [Case & { readonly shape: ObjectShape }, Atom];

export function checkObject(pair: ObjectPair, scope: Scope): void {
  checkRequired(pair, scope);
  checkNameCounts(pair, scope);
  if (pair[0].shape.maxProperties === 0) return;
  checkDeclared(pair, scope);
  checkPatternsAndAdditional(pair, scope);
  checkNames(pair, scope);
  checkDependents(pair, scope);
}

function checkRequired([piece, reader]: ObjectPair, scope: Scope): void {
  for (const name of new Set(requiredOf(reader, scope.proof))) {
    if (piece.shape.required.has(name)) continue;
    complain(scope, [piece, reader], {
      code: "REQUIRED_ADDED",
      keyword: "required",
      message: `The reader requires "${name}", which the writer may leave out.`,
      path: pointerTo([name]),
    });
  }
}

function checkNameCounts([piece, reader]: ObjectPair, scope: Scope): void {
  const min = countOf(reader.schema, "minProperties") ?? 0;
  const max = countOf(reader.schema, "maxProperties");
  const { minProperties, required } = piece.shape;
  const least = Math.max(minProperties, required.size);
  if (least < min) {
    complain(scope, [piece, reader], {
      code: "RECORD_NARROWED",
      keyword: "minProperties",
      message: `The writer may send ${least} names; the reader refuses fewer than ${min}.`,
    });
  }
  if (max !== null && namesMax(piece.shape, scope.proof) > max) {
    complain(scope, [piece, reader], {
      code: "RECORD_NARROWED",
      keyword: "maxProperties",
      message: `The writer may send more than the ${max} names that the reader takes.`,
    });
  }
}

/** Names that the reader declares, whatever the writer calls them. */
function checkDeclared([piece, reader]: ObjectPair, scope: Scope): void {
  for (const [name, schema] of entriesOf(reader.schema, "properties")) {
    if (scope.findings.isFull) return;
    const target = reader.document.child(reader, ["properties", name], schema);
    checkValue([piece, target], { name, value: valueOfName(piece.shape, name) }, scope);
  }
}

interface Member {
  readonly name: string;
  readonly value: Conjunction;
}

function checkValue([piece, target]: ObjectPair, { name, value }: Member, scope: Scope): void {
  const refused = refusedValue([piece, target], value, scope);
  if (refused.length === 0 || !mayHaveName(piece.shape, name, scope.proof)) return;
  const path = pointerTo([name]);
  if (target.schema !== false) {
    scope.findings.add(refused, path);
    return;
  }
  complain(scope, [piece, target], {
    code: "UNKNOWN_REJECTED",
    message: `The writer may send "${name}", which the reader refuses.`,
    path,
  });
}

function refusedValue([piece, target]: ObjectPair, value: Conjunction, scope: Scope) {
  const writer = value.length > 0 ? value : [anythingAt(piece.from, target)];
  return scope.proof.refusedPart(writer, target, scope.findings.room);
}

function checkPatternsAndAdditional(pair: ObjectPair, scope: Scope): void {
  const [piece, reader] = pair;
  const patterns = entriesOf(reader.schema, "patternProperties").map(([pattern, schema]): [string, Atom] => [
    pattern,
    reader.document.child(reader, ["patternProperties", pattern], schema),
  ]);
  const additional = partOf(reader, "additionalProperties") ?? partOf(reader, "unevaluatedProperties");
  const declared = new Set(entriesOf(reader.schema, "properties").map(([name]) => name));
  const target = { declared, patterns, additional: saysNothing(additional?.schema) ? null : additional };
  if (patterns.length === 0 && target.additional === null) return;
  const listed = listedNames(piece.shape, scope.proof);
  for (const name of listed ?? namesOf(piece.shape)) {
    if (!scope.findings.isFull) checkName(pair, { name, target }, scope);
  }
  if (listed !== null) return;
  for (const way of otherNames(piece.shape)) {
    if (!scope.findings.isFull) checkOtherNames(pair, { way, target }, scope);
  }
}

interface Target {
  /** Names that the reader spells out. */
  readonly declared: ReadonlySet<string>;
  readonly patterns: readonly (readonly [string, Atom])[];
  /** `null` is anything. */
  readonly additional: Atom | null;
}

/** A name that is known, against what the reader says of names that it does not spell out. */
function checkName(
  [piece]: ObjectPair,
  { name, target }: { readonly name: string; readonly target: Target },
  scope: Scope,
): void {
  const value = valueOfName(piece.shape, name);
  const answers = target.patterns.map(([pattern]) => matches(pattern, name));
  target.patterns.forEach(([, atom], index) => {
    // A pattern that cannot be tested may match.
    if (answers[index] !== false) checkValue([piece, atom], { name, value }, scope);
  });
  if (target.declared.has(name) || answers.includes(true) || target.additional === null) return;
  checkAdditional([piece, target.additional], { name, value }, scope);
}

function checkAdditional([piece, additional]: ObjectPair, { name, value }: Member, scope: Scope): void {
  const [first] = refusedValue([piece, additional], value, scope);
  if (first === undefined || !mayHaveName(piece.shape, name, scope.proof)) return;
  const isClosed = additional.schema === false;
  complain(scope, [piece, additional], {
    code: isClosed ? "UNKNOWN_REJECTED" : "RECORD_NARROWED",
    message: isClosed
      ? `The writer may send "${name}", which the reader does not declare and therefore refuses.`
      : `The reader takes "${name}" for one of its additional values. ${first.message}`,
    path: pointerTo([name]),
  });
}

/** Names that neither the writer's layers declare nor `propertyNames` lists. */
function checkOtherNames(
  [piece, reader]: ObjectPair,
  { way, target }: { readonly way: OtherNames; readonly target: Target },
  scope: Scope,
): void {
  const { proof } = scope;
  const names = namesOfWay(piece.shape, way, reader);
  const named = target.patterns.map(([pattern]) =>
    reader.document.derive({ type: "string", pattern }, reader),
  );
  const avoided = way.avoids.map((pattern) => reader.document.derive({ pattern }, reader));
  target.patterns.forEach(([, atom], index) => {
    const matching = [...names, named[index] ?? reader];
    const isAvoided = avoided.some((other) => proof.refusedPart(matching, other, 1).length === 0);
    if (isAvoided || proof.isNever(matching)) return;
    scope.findings.add(refusedValue([piece, atom], way.value, scope), "/*");
  });
  const { additional } = target;
  if (additional === null || named.some((name) => proof.refusedPart(names, name, 1).length === 0)) return;
  const refused = refusedValue([piece, additional], way.value, scope);
  if (refused.length === 0) return;
  if (additional.schema !== false) {
    scope.findings.add(refused, "/*");
    return;
  }
  complain(scope, [piece, additional], {
    code: "UNKNOWN_REJECTED",
    message: "The writer may send names that the reader does not declare and therefore refuses.",
    path: "/*",
  });
}

/** What names taken in one way satisfy, as strings. */
function namesOfWay(shape: ObjectShape, { matches }: OtherNames, reader: Atom): Conjunction {
  const patterns = matches.map((pattern) => reader.document.derive({ pattern }, reader));
  return [...shape.names, reader.document.derive({ type: "string" }, reader), ...patterns];
}

function checkNames([piece, reader]: ObjectPair, scope: Scope): void {
  const target = partOf(reader, "propertyNames");
  if (target === null) return;
  const { shape } = piece;
  const { proof } = scope;
  const refused = (writer: Conjunction) => proof.refusedPart(writer, target, 1)[0]?.message;
  const listed = listedNames(shape, proof);
  for (const name of listed ?? namesOf(shape)) {
    const why = refused([...shape.names, target.document.derive({ enum: [name] }, target)]);
    if (why === undefined || proof.isNever(valueOfName(shape, name))) continue;
    complainOfName([piece, reader], { name, why }, scope);
  }
  for (const way of listed === null ? otherNames(shape) : []) {
    const why = refused(namesOfWay(shape, way, target));
    if (why !== undefined && !proof.isNever(way.value)) complainOfName([piece, reader], { why }, scope);
  }
}

function complainOfName(
  pair: ObjectPair,
  { name, why }: { readonly name?: string; readonly why: string },
  scope: Scope,
): void {
  complain(scope, [...pair], {
    code: "RECORD_NARROWED",
    keyword: "propertyNames",
    message:
      name === undefined
        ? `The reader limits names, and the writer may use others. ${why}`
        : `The writer may send the name "${name}", which the reader refuses. ${why}`,
    path: name === undefined ? "" : pointerTo([name]),
  });
}

function checkDependents([piece, reader]: ObjectPair, scope: Scope): void {
  const { proof } = scope;
  for (const [name, atom] of dependentsOf(reader, DEPENDENTS)) {
    const present = reader.document.derive({ type: "object", required: [name] }, reader);
    for (const withName of proof.narrow([piece], present)) {
      if (!proof.isEmpty(withName)) proof.check(withName, atom, scope);
    }
  }
}
