/**
 * One comparison of a writer with a reader: keeps what is proved already, what is being proved, and the
 * budget of steps.
 *
 * A pair that comes up again below itself is assumed to hold. That is induction over the size of documents,
 * and sound because pairs are only noted where the document gets smaller (`refusedPart`). What was proved with
 * the help of an assumption is forgotten if the assumed pair fails.
 */
import type { Case } from "./case.ts";
import { checkCase, complainOfType, hasType } from "./check-case.ts";
import { checkUnlessEmpty } from "./check-unions.ts";
import { isEmptyCase } from "./emptiness.ts";
import { Findings, type Incompatibility } from "./incompatibility.ts";
import { saysNothing } from "./keywords.ts";
import { ANYTHING, narrow } from "./narrow.ts";
import { isImplied, type Proof, type Scope } from "./proof.ts";
import { sameJson } from "./same-schema.ts";
import { type Atom, type Conjunction, SchemaDocument } from "./schema-atom.ts";

export interface ComparisonOptions {
  readonly readerAppliesDefaults: boolean;
  readonly isDecimal: boolean;
  readonly stepsMax: number;
}

/** The comparison was given up. */
export class BudgetSpent extends Error {}

/** Checks inside one another; a deeper one would endanger the stack. */
const DEPTH_MAX = 400;

/** Pieces that cases are cut into, all in all: enough for what people write, little for what machines could. */
const PIECES_MAX = 500;

interface Answer {
  readonly refused: readonly Incompatibility[];
  /** Whether `refused` is all there is. */
  readonly isComplete: boolean;
  /** The outermost open pair that the answer assumes; `Infinity` for none. */
  assumes: number;
}

const PROVED: readonly Incompatibility[] = [];

export class Comparison implements Proof {
  readonly writer: Atom;
  readonly reader: Atom;
  readonly isDecimal: boolean;
  readonly #readerAppliesDefaults: boolean;
  readonly #stepsMax: number;
  #steps = 0;
  #depth = 0;
  #pieces = 0;
  #ids = 0;

  readonly #cases = new Map<string, readonly Case[]>();
  readonly #never = new Map<string, boolean>();
  readonly #empty = new WeakMap<Case, boolean>();

  readonly #answers = new Map<string, Answer>();
  /** Keys of pairs being proved, outermost first, each with the outermost pair it came to assume. */
  readonly #open = new Map<string, { readonly index: number; assumes: number }>();
  /** How often an open pair was assumed; what was found meanwhile may not be kept for good. */
  #assumptions = 0;
  /** Keys of answers that assume an open pair, oldest first. */
  readonly #tentative: string[] = [];

  constructor([writer, reader]: readonly [unknown, unknown], options: ComparisonOptions) {
    const nextId = () => {
      this.#ids += 1;
      return this.#ids;
    };
    this.writer = new SchemaDocument(writer, nextId).root;
    this.reader = new SchemaDocument(reader, nextId).root;
    this.isDecimal = options.isDecimal;
    this.#readerAppliesDefaults = options.readerAppliesDefaults;
    this.#stepsMax = options.stepsMax;
  }

  /** What the reader refuses of whole documents. */
  refused(limit: number): readonly Incompatibility[] {
    // The same document is the same question, also where it is not understood.
    if (sameJson(this.writer.schema, this.reader.schema)) return PROVED;
    return this.#compare([this.writer], this.reader, limit);
  }

  fillsDefaults({ document }: Atom): boolean {
    return this.#readerAppliesDefaults && document === this.reader.document;
  }

  step(): void {
    this.#steps += 1;
    if (this.#steps > this.#stepsMax) throw new BudgetSpent();
  }

  mayCut(pieces: number): boolean {
    if (this.#pieces + pieces > PIECES_MAX) return false;
    this.#pieces += pieces;
    return true;
  }

  narrow(cases: readonly Case[], by: Atom): readonly Case[] {
    return narrow(cases, by, this);
  }

  casesOf(writer: Conjunction): readonly Case[] {
    const key = keyOf(writer);
    const known = this.#cases.get(key);
    if (known !== undefined) return known;
    const cases = writer.reduce((rest, atom) => this.narrow(rest, atom), ANYTHING);
    this.#cases.set(key, cases);
    return cases;
  }

  isNever(writer: Conjunction): boolean {
    if (writer.length === 0) return false;
    const key = keyOf(writer);
    const known = this.#never.get(key);
    if (known !== undefined) return known;
    // A schema inside itself is taken to accept something.
    this.#never.set(key, false);
    const before = this.#assumptions;
    const isNever = this.#deeper(() => this.casesOf(writer).every((piece) => this.isEmpty(piece)));
    if (isNever && before === this.#assumptions) this.#never.set(key, true);
    else if (isNever) this.#never.delete(key);
    return isNever;
  }

  isEmpty(piece: Case): boolean {
    const known = this.#empty.get(piece);
    if (known !== undefined) return known;
    this.step();
    const before = this.#assumptions;
    const isEmpty = isEmptyCase(piece, this);
    if (!isEmpty || before === this.#assumptions) this.#empty.set(piece, isEmpty);
    return isEmpty;
  }

  check(piece: Case, reader: Atom, scope: Scope): void {
    this.step();
    this.#deeper(() => checkCase(piece, reader, scope));
  }

  refusedPart(writer: Conjunction, reader: Atom, limit: number): readonly Incompatibility[] {
    this.step();
    if (saysNothing(reader.schema) || writer.some((atom) => isImplied(atom, reader, this))) return PROVED;
    const key = `${keyOf(writer)}<${reader.id}`;
    const open = this.#open.get(key);
    if (open !== undefined) return this.#assume(open.index);
    const known = this.#answers.get(key);
    if (known !== undefined && (known.isComplete || limit === 1)) {
      if (known.assumes !== Number.POSITIVE_INFINITY) this.#assume(known.assumes);
      return known.refused;
    }
    return this.#deeper(() => this.#prove(key, [writer, reader], limit));
  }

  #deeper<Result>(work: () => Result): Result {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new BudgetSpent();
    try {
      return work();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Notes that the pair being proved leans on an outer one. */
  #assume(index: number): readonly Incompatibility[] {
    for (const open of this.#open.values()) {
      if (open.index > index) open.assumes = Math.min(open.assumes, index);
    }
    this.#assumptions += 1;
    return PROVED;
  }

  #prove(key: string, [writer, reader]: [Conjunction, Atom], limit: number): readonly Incompatibility[] {
    const frame = { index: this.#open.size, assumes: Number.POSITIVE_INFINITY };
    const tentativeBefore = this.#tentative.length;
    this.#open.set(key, frame);
    let refused: readonly Incompatibility[];
    try {
      refused = this.#compare(writer, reader, limit);
    } finally {
      this.#open.delete(key);
    }
    const isProved = refused.length === 0;
    this.#settleTentative(tentativeBefore, isProved ? frame : null);
    const assumes = isProved && frame.assumes < frame.index ? frame.assumes : Number.POSITIVE_INFINITY;
    if (assumes !== Number.POSITIVE_INFINITY) this.#tentative.push(key);
    this.#answers.set(key, { refused, isComplete: isProved || refused.length < limit, assumes });
    return refused;
  }

  /** Answers found below a pair that failed are forgotten; those below one that held now lean on what it leans on. */
  #settleTentative(from: number, held: { readonly index: number; readonly assumes: number } | null): void {
    const keys = this.#tentative.splice(from);
    for (const key of keys) {
      const answer = this.#answers.get(key);
      if (answer === undefined) continue;
      if (held === null) {
        this.#answers.delete(key);
        continue;
      }
      if (answer.assumes >= held.index)
        answer.assumes = held.assumes < held.index ? held.assumes : Number.POSITIVE_INFINITY;
      if (answer.assumes !== Number.POSITIVE_INFINITY) this.#tentative.push(key);
    }
  }

  #compare(writer: Conjunction, reader: Atom, limit: number): readonly Incompatibility[] {
    const findings = new Findings(limit);
    const scope = { proof: this, findings, chain: [] };
    const cases = this.casesOf(writer);
    const mistyped = cases.filter((piece) => !hasType(piece, reader.schema));
    complainOfType([mistyped.filter((piece) => !this.isEmpty(piece)), reader], scope);
    for (const piece of cases) {
      if (findings.isFull) break;
      if (!mistyped.includes(piece)) checkUnlessEmpty(piece, reader, scope);
    }
    return findings.list;
  }
}

function keyOf(writer: Conjunction): string {
  const ids = writer.filter(({ schema }) => schema !== true).map(({ id }) => id);
  // Whatever says nothing is the same, but complaints about it name its place.
  if (ids.length === 0) return `any ${writer[0]?.id}`;
  return [...new Set(ids)].sort((a, b) => a - b).join(",");
}
