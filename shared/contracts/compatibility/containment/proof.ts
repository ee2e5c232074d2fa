/**
 * What the checks of single rules need of the whole comparison, and what they share.
 */
import type { Case } from "./case.ts";
import { Findings, type Incompatibility, type IncompatibilityCode } from "./incompatibility.ts";
import type { NarrowContext } from "./narrow.ts";
import { impliesByWords } from "./same-schema.ts";
import { type Atom, type Conjunction, sideAt } from "./schema-atom.ts";

export interface Proof extends NarrowContext {
  /** The part of each case that a schema accepts too. */
  narrow(cases: readonly Case[], by: Atom): readonly Case[];
  /** The documents that satisfy all of a conjunction. */
  casesOf(writer: Conjunction): readonly Case[];
  /** Whether so many pieces may still be made of cases; counts them if so. */
  mayCut(pieces: number): boolean;
  /** Whether a case is proved to have no documents. */
  isEmpty(piece: Case): boolean;
  /** Whether a conjunction is proved to accept nothing. */
  isNever(writer: Conjunction): boolean;
  /**
   * What a reader refuses of a part of the document (an item, a value, a name). Parts only: that they are
   * smaller than the document is what makes assuming a pair, while it is being proved, sound.
   *
   * @returns paths start at the part; at most `limit` entries
   */
  refusedPart(writer: Conjunction, reader: Atom, limit: number): readonly Incompatibility[];
  /** Adds what a reader refuses of a case of the same document. */
  check(piece: Case, reader: Atom, scope: Scope): void;
}

/** One comparison of a case with reader schemas for the same document. */
export interface Scope {
  readonly proof: Proof;
  readonly findings: Findings;
  /** The reader's atoms being checked for the same document, innermost last. */
  readonly chain: readonly Atom[];
}

/** Whether a reader takes every document of a case. */
export function isTaken(piece: Case, reader: Atom, { proof, chain }: Scope): boolean {
  const findings = new Findings(1);
  proof.check(piece, reader, { proof, findings, chain });
  return findings.list.length === 0;
}

/** Whether what one schema accepts is for sure accepted by another, as their words show. */
export function isImplied(writer: Atom, reader: Atom, proof: NarrowContext): boolean {
  // A schema that fills in defaults accepts more than its words.
  return (!proof.fillsDefaults(writer) || proof.fillsDefaults(reader)) && impliesByWords(writer, reader);
}

/** What a complaint says and where its two sides are. */
export interface Complaint {
  readonly code: IncompatibilityCode;
  readonly message: string;
  /** The reader's keyword that refuses; the place named is its value. */
  readonly keyword?: string;
  /** The writer's keyword that could have made it impossible; where it stands, the place named is its value. */
  readonly writerKeyword?: string;
  /** Below the document that is compared. */
  readonly path?: string;
}

/** Adds a complaint about a case. */
export function complain(scope: Scope, [piece, reader]: [Case, Atom], complaint: Complaint): void {
  const { code, message, keyword, writerKeyword = keyword, path = "" } = complaint;
  scope.findings.add([
    {
      path,
      code,
      message,
      writer: writerSide(piece.from, writerKeyword),
      reader: sideAt(reader, keyword),
    },
  ]);
}

/** The place of a keyword among schemas that all apply; without one, the innermost that says something. */
function writerSide(from: readonly Atom[], keyword: string | undefined): Incompatibility["writer"] {
  const own = from.filter(({ schema, shown }) => schema === shown);
  const holder = own.find((atom) => sideAt(atom, keyword).pointer !== atom.pointer);
  const atom = holder ?? own.at(-1) ?? from.at(-1);
  return atom === undefined ? { pointer: "", fragment: true } : sideAt(atom, keyword);
}
