/**
 * An open enum: text of which each version knows some values, so that a new value is an additive change.
 *
 * The door holds a writer to the known values of the version it declares. A reader takes any text and keeps
 * it as it is in the data, so that passing the data on loses nothing; `known` tells a handler which of its
 * values that is, or the fallback. It is deliberately neither a transform nor `.catch()`, which would both
 * destroy the value.
 *
 * The fallback is one of the values (then it can be sent like any other), or a name of its own (then no
 * writer may send it). A value that is removed needs an upcaster, as it does from a closed enum, because
 * stored jobs still hold it; afterwards its name is never used again.
 */
import { z } from "zod";
import { OPEN_ENUM_KEYWORD, type OpenEnumRule } from "./wire-schema.ts";

export type OpenEnum<Value extends string, Fallback extends string> = z.ZodString & {
  readonly values: readonly Value[];
  readonly fallback: Fallback;
  /** The value as this version knows it: itself, or the fallback when it is of a newer version. */
  known(raw: string): Value | Fallback;
};

/**
 * @throws {TypeError} when a value is missing, empty or there twice, or the fallback is empty.
 */
export function openEnum<const Value extends string, const Fallback extends string>(
  values: readonly Value[],
  { fallback }: { readonly fallback: Fallback },
): OpenEnum<Value, Fallback> {
  const problem = openEnumProblem({ values, fallback });
  if (problem !== null) throw new TypeError(`openEnum ${problem}`);
  const known = new Set<string>(values);
  const schema = z.string().meta({ [OPEN_ENUM_KEYWORD]: { values: [...values], fallback } });
  return Object.assign(schema, {
    values,
    fallback,
    known: (raw: string) => (known.has(raw) ? (raw as Value) : fallback),
  });
}

/** What is wrong with the rule of an open enum, or `null`. */
export function openEnumProblem({ values, fallback }: OpenEnumRule): string | null {
  if (values.length === 0) return "needs at least one value";
  if ([...values, fallback].some((it) => it === "")) return "has an empty text; give each value a name";
  const twice = values.find((it, index) => values.indexOf(it) !== index);
  return twice === undefined ? null : `has the value "${twice}" twice`;
}
