/**
 * Cases in words, for people: short, and true of every document of the case.
 */
import type { Case } from "./case.ts";
import { decimalText } from "./decimal.ts";
import { listedValues } from "./narrow.ts";
import { type NumberShape, numbersOf } from "./number-shape.ts";
import type { ObjectShape } from "./object-shape.ts";
import type { StringShape } from "./string-shape.ts";

const TYPE_WORDS: Readonly<Record<string, string>> = {
  null: "null",
  boolean: "a boolean",
  integer: "an integer",
  number: "a number",
  string: "a string",
  array: "an array",
  object: "an object",
};

/** Fields named in the description of an object. */
const FIELDS_MAX = 3;
const TEXT_MAX = 60;

/** "a string or null" */
export function describeTypes(types: Iterable<string>): string {
  const words = [...types].map((type) => TYPE_WORDS[type] ?? type);
  const last = words.pop() ?? "nothing";
  return words.length === 0 ? last : `${words.join(", ")} or ${last}`;
}

export function describeCase({ shape }: Case): string {
  switch (shape.type) {
    case "boolean":
      return shape.values.length === 1 ? String(shape.values[0]) : "a boolean";
    case "number":
      return describeNumbers(shape);
    case "string":
      return describeString(shape);
    case "object":
      return describeObject(shape);
    default:
      return describeTypes([shape.type]);
  }
}

export function describeString(shape: StringShape): string {
  const { values, minLength, maxLength, marks, patterns } = shape;
  if (values !== null)
    return shortened(
      values
        .slice(0, FIELDS_MAX)
        .map((value) => JSON.stringify(value))
        .join(", "),
    );
  const rules = [...marks, ...patterns.map((pattern) => `pattern=${pattern}`)];
  const more = rules.length === 0 ? "" : ` with ${shortened(rules.join(", "))}`;
  if (minLength === 0 && maxLength === Number.POSITIVE_INFINITY) {
    return more === "" ? "any string" : `strings${more}`;
  }
  const most = Number.isFinite(maxLength) ? ` to ${maxLength}` : " or more";
  return `strings of ${minLength}${most} characters${more}`;
}

export function describeNumbers(shape: NumberShape): string {
  const listed = numbersOf(shape);
  if (listed !== null && listed.length <= 3) return listed.map(decimalText).join(", ");
  const { lower, upper, step } = shape;
  const kind = step !== null && decimalText(step) === "1" ? "integers" : "numbers";
  const from = lower === null ? "" : ` ${boundWord(true, lower.isOpen)} ${decimalText(lower.at)}`;
  const to = upper === null ? "" : ` ${boundWord(false, upper.isOpen)} ${decimalText(upper.at)}`;
  return from === "" && to === "" ? `any ${kind}` : `${kind}${from}${to}`;
}

export function boundWord(isLower: boolean, isOpen: boolean): string {
  if (isOpen) return isLower ? "above" : "below";
  return isLower ? "from" : "up to";
}

/** An object by its fields of one value, which is how variants are told apart. */
function describeObject({ layers, required }: ObjectShape): string {
  const fields = new Map<string, string>();
  for (const [name, { schema }] of layers.flatMap(({ properties }) => [...properties])) {
    const listed = listedValues(schema);
    if (listed?.length === 1 && required.has(name)) fields.set(name, JSON.stringify(listed[0]));
  }
  const shown = [...fields].slice(0, FIELDS_MAX).map(([name, value]) => `${JSON.stringify(name)}: ${value}`);
  return shown.length === 0 ? "an object" : `an object with ${shortened(shown.join(", "))}`;
}

function shortened(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`;
}
