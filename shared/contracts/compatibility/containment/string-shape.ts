/**
 * Which strings a schema accepts: lengths in code points, patterns that all match, or a list of values.
 */
import { countOf, keywordOf } from "./keywords.ts";
import { marksOf } from "./number-shape.ts";
import { lengthMachine, type Machine } from "./patterns/automaton.ts";
import { machineOfPattern, matches, textExists } from "./patterns/text-search.ts";

export interface StringShape {
  readonly type: "string";
  readonly minLength: number;
  /** `Infinity` when there is none. */
  readonly maxLength: number;
  readonly patterns: readonly string[];
  /** `format` and content keywords, as texts that are equal for equal meanings. */
  readonly marks: readonly string[];
  /** The only strings, or `null`. */
  readonly values: readonly string[] | null;
}

export const ANY_STRING: StringShape = {
  type: "string",
  minLength: 0,
  maxLength: Number.POSITIVE_INFINITY,
  patterns: [],
  marks: [],
  values: null,
};

/** The shape with a schema's keywords applied; `null` when no string is left. */
export function narrowString(shape: StringShape, schema: unknown): StringShape | null {
  const pattern = keywordOf(schema, "pattern");
  const isNew = typeof pattern === "string" && !shape.patterns.includes(pattern);
  return settleString({
    ...shape,
    minLength: Math.max(shape.minLength, countOf(schema, "minLength") ?? 0),
    maxLength: Math.min(shape.maxLength, countOf(schema, "maxLength") ?? Number.POSITIVE_INFINITY),
    patterns: isNew ? [...shape.patterns, pattern] : shape.patterns,
    marks: [...shape.marks, ...marksOf(schema)],
  });
}

export function onlyStrings(shape: StringShape, listed: readonly string[]): StringShape | null {
  const allowed = new Set(listed);
  const values = shape.values?.filter((value) => allowed.has(value)) ?? [...allowed];
  return settleString({ ...shape, values });
}

/** Leaves out values that the other keywords refuse; `null` when nothing is left. */
export function settleString(shape: StringShape): StringShape | null {
  const { values, minLength, maxLength, patterns } = shape;
  if (minLength > maxLength) return null;
  if (values === null) return shape;
  const kept = values.filter(
    (value) =>
      lengthOf(value) >= minLength &&
      lengthOf(value) <= maxLength &&
      // An invalid pattern says nothing, so the value stays.
      patterns.every((pattern) => matches(pattern, value) !== false),
  );
  return kept.length === 0 ? null : { ...shape, values: kept };
}

/** In code points, as validators count. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** Machines that together take every string of the shape; patterns that cannot be followed are left out. */
export function machinesOf(shape: StringShape): Machine[] {
  const patterns = shape.patterns
    .map((pattern) => machineOfPattern(pattern))
    .filter((machine) => machine !== null);
  return [lengthMachine(shape.minLength, shape.maxLength), ...patterns] as Machine[];
}

/** Whether every string of the shape is one that `target` takes. `false` may mean "not proved". */
export function allAreTaken(shape: StringShape, target: Machine): boolean {
  const machines = [...machinesOf(shape), target];
  const last = machines.length - 1;
  const isEscape = (taken: readonly boolean[]) =>
    taken.every((isTaken, index) => isTaken === (index !== last));
  return textExists(machines, isEscape) === false;
}

/** Whether the shape is proved to take no string at all. */
export function takesNoString(shape: StringShape): boolean {
  if (shape.values !== null || shape.patterns.length === 0) return false;
  return textExists(machinesOf(shape), (taken) => taken.every(Boolean)) === false;
}

/** The shape cut before each of some lengths. */
export function cutLengths(shape: StringShape, cuts: readonly number[]): StringShape[] {
  const borders = [...new Set(cuts)].filter(
    (cut) => Number.isFinite(cut) && cut > shape.minLength && cut <= shape.maxLength,
  );
  borders.sort((a, b) => a - b);
  const starts = [shape.minLength, ...borders];
  return starts.map((minLength, index) => ({
    ...shape,
    minLength,
    maxLength: (starts[index + 1] ?? shape.maxLength + 1) - 1,
  }));
}
