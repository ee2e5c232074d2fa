/**
 * The reader's `anyOf`, `oneOf`, `not` and `if` against a case, cut into pieces where that helps.
 */
import type { Case } from "./case.ts";
import { cut } from "./cut.ts";
import { describeCase } from "./describe.ts";
import { Findings } from "./incompatibility.ts";
import { membersOf, partOf } from "./narrow.ts";
import { complain, isTaken, type Proof, type Scope } from "./proof.ts";
import type { Atom } from "./schema-atom.ts";
import { isOtherVariant } from "./tags.ts";

/** Cuts of cuts. */
const CUTS_MAX = 3;

export interface Goal {
  readonly isMet: (piece: Case) => boolean;
  /** Schemas that suggest where to cut. */
  readonly hints: readonly Atom[];
  /** Whether one missed piece is enough to know. */
  readonly stopsEarly: boolean;
}

/** The pieces of a case that are not proved to meet a goal. */
export function missedPieces(piece: Case, goal: Goal, proof: Proof, cuts = 0): readonly Case[] {
  if (goal.isMet(piece) || proof.isEmpty(piece)) return [];
  const pieces = cuts < CUTS_MAX ? cut(piece, goal.hints, proof) : [];
  if (pieces.length < 2) return [piece];
  const missed: Case[] = [];
  for (const part of pieces) {
    missed.push(...missedPieces(part, goal, proof, cuts + 1));
    if (goal.stopsEarly && missed.length > 0) break;
  }
  // If no cut helped, the whole says it better.
  return missed.length === pieces.length && missed.every((part) => pieces.includes(part)) ? [piece] : missed;
}

/** Whether no document of a case is one that a schema accepts. */
function isDisjoint(piece: Case, schema: Atom, proof: Proof): boolean {
  if (isOtherVariant(piece, schema)) return true;
  return proof.narrow([piece], schema).every((both) => proof.isEmpty(both));
}

export function checkAnyOf(piece: Case, reader: Atom, scope: Scope): void {
  const members = membersOf(reader, "anyOf");
  if (members.length === 0) return;
  const isMet = (part: Case) => takerOf(part, members, scope) !== -1;
  const goal = { isMet, hints: [...members, ...piece.not], stopsEarly: isQuestion(scope) };
  for (const missed of missedPieces(piece, goal, scope.proof)) {
    reportVariant([missed, reader], { keyword: "anyOf", members }, scope);
  }
}

export function checkOneOf(piece: Case, reader: Atom, scope: Scope): void {
  const members = membersOf(reader, "oneOf");
  if (members.length === 0) return;
  const goal = {
    isMet: (part: Case) => isTakenByOne(part, members, scope),
    hints: [...members, ...piece.not],
    stopsEarly: isQuestion(scope),
  };
  for (const missed of missedPieces(piece, goal, scope.proof)) {
    const taker = takerOf(missed, members, scope);
    if (taker === -1) reportVariant([missed, reader], { keyword: "oneOf", members }, scope);
    else reportOverlap([missed, reader], members, scope);
  }
}

/** Nobody will read more than the first complaint. */
function isQuestion({ findings }: Scope): boolean {
  return findings.room === 1;
}

/** The place of the first member that takes a case, or -1. */
function takerOf(piece: Case, members: readonly Atom[], scope: Scope): number {
  return members.findIndex((member) => !isOtherVariant(piece, member) && isTaken(piece, member, scope));
}

/** Taken by one member, and by no other. */
function isTakenByOne(piece: Case, members: readonly Atom[], scope: Scope): boolean {
  const taker = takerOf(piece, members, scope);
  if (taker === -1) return false;
  // By place, since the same schema may be a member twice.
  return members.every((member, index) => index === taker || isDisjoint(piece, member, scope.proof));
}

interface Union {
  readonly keyword: "anyOf" | "oneOf";
  readonly members: readonly Atom[];
}

/** Complains of the only member that could be meant, or that there is none. */
function reportVariant([piece, reader]: [Case, Atom], { keyword, members }: Union, scope: Scope): void {
  const meant = isQuestion(scope) ? undefined : meantMember(piece, members, scope.proof);
  if (meant !== undefined) {
    scope.proof.check(piece, meant, scope);
    return;
  }
  complain(scope, [piece, reader], {
    code: keyword === "anyOf" ? "VARIANT_REMOVED" : "VARIANT_UNKNOWN",
    keyword,
    message: `The writer may send ${describeCase(piece)}; none of the reader's ${members.length} variants takes all of that.`,
  });
}

/** The only member that takes some of a case, or, but for objects, the only one of its type. */
function meantMember(piece: Case, members: readonly Atom[], proof: Proof): Atom | undefined {
  const close = members.filter((member) => !isDisjoint(piece, member, proof));
  const { type } = piece.shape;
  const isAlike = (member: Atom) => proof.casesOf([member]).some(({ shape }) => shape.type === type);
  const meant = close.length > 0 || type === "object" ? close : members.filter(isAlike);
  return meant.length === 1 ? meant[0] : undefined;
}

function reportOverlap([piece, reader]: [Case, Atom], members: readonly Atom[], scope: Scope): void {
  const matching = members.flatMap((member, index) =>
    isDisjoint(piece, member, scope.proof) ? [] : [index],
  );
  complain(scope, [piece, reader], {
    code: "ONEOF_OVERLAP",
    keyword: "oneOf",
    message: `The writer may send ${describeCase(piece)}, which may match the reader's variants ${matching.join(" and ")} at once; exactly one has to.`,
  });
}

export function checkNot(piece: Case, reader: Atom, scope: Scope): void {
  const excluded = partOf(reader, "not");
  if (excluded === null) return;
  const isMet = (part: Case) => isDisjoint(part, excluded, scope.proof);
  const goal = { isMet, hints: [excluded, ...piece.not], stopsEarly: true };
  const [missed] = missedPieces(piece, goal, scope.proof);
  if (missed === undefined) return;
  complain(scope, [missed, reader], {
    code: "EXCLUSION_ADDED",
    keyword: "not",
    message: `The writer may send ${describeCase(missed)}; the reader's "not" may refuse some of that.`,
  });
}

/** What meets the condition has to pass `then`, and what may miss it has to pass `else`. */
export function checkCondition(piece: Case, reader: Atom, scope: Scope): void {
  const condition = partOf(reader, "if");
  if (condition === null) return;
  const [then, otherwise] = [partOf(reader, "then"), partOf(reader, "else")];
  if (then !== null) {
    for (const met of scope.proof.narrow([piece], condition)) checkUnlessEmpty(met, then, scope);
  }
  if (otherwise === null) return;
  checkUnlessEmpty({ ...piece, not: [...piece.not, condition] }, otherwise, scope);
}

/** @param piece may have no documents, or have them only outside of its `not` */
export function checkUnlessEmpty(piece: Case, reader: Atom, scope: Scope): void {
  const { proof } = scope;
  const findings = new Findings(scope.findings.room);
  proof.check(piece, reader, { ...scope, findings });
  if (findings.list.length === 0 || proof.isEmpty(piece)) return;
  if (piece.not.length === 0) {
    scope.findings.add(findings.list);
    return;
  }
  const isMet = (part: Case) => isTaken(part, reader, scope);
  const goal = { isMet, hints: piece.not, stopsEarly: isQuestion(scope) };
  for (const missed of missedPieces(piece, goal, proof)) proof.check(missed, reader, scope);
}
