/**
 * The reader's rules for strings and numbers, each against what a case may hold.
 */
import type { Case } from "./case.ts";
import { decimalText } from "./decimal.ts";
import { boundWord, describeNumbers, describeString } from "./describe.ts";
import { countOf, keywordOf, MARK_KEYWORDS } from "./keywords.ts";
import {
  type Bound,
  isOnEveryStep,
  lowerBound,
  type NumberShape,
  staysWithin,
  upperBound,
} from "./number-shape.ts";
import { lengthMachine } from "./patterns/automaton.ts";
import { machineOfPattern, matches } from "./patterns/text-search.ts";
import { complain, type Scope } from "./proof.ts";
import type { Atom } from "./schema-atom.ts";
import { allAreTaken, lengthOf, type StringShape } from "./string-shape.ts";

type Shaped<Shape> = readonly [Case & { readonly shape: Shape }, Atom];

export function checkString([piece, reader]: Shaped<StringShape>, scope: Scope): void {
  checkLength([piece, reader], scope);
  checkPattern([piece, reader], scope);
  checkMarks([piece, reader], scope);
}

function checkLength([piece, reader]: Shaped<StringShape>, scope: Scope): void {
  const min = countOf(reader.schema, "minLength") ?? 0;
  const max = countOf(reader.schema, "maxLength") ?? Number.POSITIVE_INFINITY;
  const { shape } = piece;
  const [short, long] = [tooShort(shape, min), tooLong(shape, max)];
  if (short === null && long === null) return;
  // A pattern may limit the length too.
  if (shape.patterns.length > 0 && allAreTaken(shape, lengthMachine(min, max))) return;
  if (short !== null) {
    complain(scope, [piece, reader], {
      code: "LENGTH_NARROWED",
      keyword: "minLength",
      message: `The writer may send ${short}; the reader refuses strings shorter than ${count(min)}.`,
    });
  }
  if (long !== null) {
    complain(scope, [piece, reader], {
      code: "LENGTH_NARROWED",
      keyword: "maxLength",
      message: `The writer may send ${long}; the reader refuses strings longer than ${count(max)}.`,
    });
  }
}

/** In words, strings shorter than `min`; `null` when there are none. */
function tooShort({ values, minLength }: StringShape, min: number): string | null {
  if (values === null) return minLength < min ? `strings of ${count(minLength)}` : null;
  const value = values.find((one) => lengthOf(one) < min);
  return value === undefined ? null : JSON.stringify(value);
}

/** In words, strings longer than `max`; `null` when there are none. */
function tooLong({ values, maxLength }: StringShape, max: number): string | null {
  if (values !== null) {
    const value = values.find((one) => lengthOf(one) > max);
    return value === undefined ? null : JSON.stringify(value);
  }
  if (maxLength <= max) return null;
  return Number.isFinite(maxLength) ? `strings of ${count(maxLength)}` : "strings of any length";
}

function count(characters: number): string {
  return `${characters} ${characters === 1 ? "character" : "characters"}`;
}

function checkPattern([piece, reader]: Shaped<StringShape>, scope: Scope): void {
  const pattern = keywordOf(reader.schema, "pattern");
  if (typeof pattern !== "string" || piece.shape.patterns.includes(pattern)) return;
  const { shape } = piece;
  const unmatched = shape.values?.find((value) => matches(pattern, value) !== true);
  if (shape.values !== null && unmatched === undefined) return;
  const machine = shape.values === null ? machineOfPattern(pattern) : null;
  if (machine !== null && allAreTaken(shape, machine)) return;
  const sent = unmatched === undefined ? describeString(shape) : JSON.stringify(unmatched);
  complain(scope, [piece, reader], {
    code: "PATTERN_CHANGED",
    keyword: "pattern",
    message: `The writer may send ${sent}; not all of that is proved to match the reader's pattern ${pattern}.`,
  });
}

/** `format` and content keywords: only the same promise of the writer is known to keep them. */
function checkMarks([piece, reader]: Shaped<StringShape | NumberShape>, scope: Scope): void {
  for (const keyword of MARK_KEYWORDS) {
    const value = keywordOf(reader.schema, keyword);
    if (value === undefined || piece.shape.marks.includes(`${keyword}=${JSON.stringify(value)}`)) continue;
    complain(scope, [piece, reader], {
      code: "FORMAT_CHANGED",
      keyword,
      message: `The reader may insist on the ${keyword} ${JSON.stringify(value)}, which the writer does not promise.`,
    });
  }
}

export function checkNumber([piece, reader]: Shaped<NumberShape>, scope: Scope): void {
  const { schema } = reader;
  checkBound([piece, reader], { bound: lowerBound(schema), direction: 1 }, scope);
  checkBound([piece, reader], { bound: upperBound(schema), direction: -1 }, scope);
  checkMultiple([piece, reader], scope);
  checkMarks([piece, reader], scope);
}

interface Limit {
  readonly bound: Bound | null;
  /** 1 for a lower bound, -1 for an upper one. */
  readonly direction: 1 | -1;
}

function checkBound([piece, reader]: Shaped<NumberShape>, { bound, direction }: Limit, scope: Scope): void {
  if (bound === null || staysWithin(piece.shape, bound, direction)) return;
  const isLower = direction === 1;
  const limit = `${boundWord(isLower, bound.isOpen)} ${decimalText(bound.at)}`;
  complain(scope, [piece, reader], {
    code: "RANGE_NARROWED",
    keyword: limitKeyword(reader.schema, isLower, bound),
    message: `The writer may send ${describeNumbers(piece.shape)}; the reader takes only numbers ${limit}.`,
  });
}

function limitKeyword(schema: unknown, isLower: boolean, { isOpen }: Bound): string {
  const [inclusive, exclusive] = isLower ? ["minimum", "exclusiveMinimum"] : ["maximum", "exclusiveMaximum"];
  return isOpen && typeof keywordOf(schema, exclusive) === "number" ? exclusive : inclusive;
}

function checkMultiple([piece, reader]: Shaped<NumberShape>, scope: Scope): void {
  const multipleOf = keywordOf(reader.schema, "multipleOf");
  if (typeof multipleOf !== "number" || isOnEveryStep(piece.shape, multipleOf, scope.proof)) return;
  complain(scope, [piece, reader], {
    code: "MULTIPLE_CHANGED",
    keyword: "multipleOf",
    message: `The writer may send numbers that are not multiples of ${multipleOf}, which the reader requires.`,
  });
}
