/**
 * Names that a type has given up are never used again.
 *
 * A job that was stored long ago, a producer that was not updated and a person who remembers all still mean
 * the old thing by the name. Reserved are fields, values of enums and, with them, variants of unions; the
 * reservations follow from the published versions, nobody writes them down. A name that changes its type
 * without a version in between that lacks it is not given up: that is a breaking change, and judged as one.
 *
 * Pure.
 */
import type { JsonSchema } from "../wire-schema.ts";
import type { Side } from "./can-read.ts";
import {
  namesOf,
  type SchemaNames,
  type ValueNames,
  type Variant,
  variantStep,
  withoutVariants,
} from "./schema-names.ts";

export interface VersionSchema {
  readonly version: number;
  readonly schema: JsonSchema;
}

export interface ReusedName {
  /** Place of the field, or of what holds the value. */
  readonly place: string;
  /** JSON text of the value; `null` when it is the field itself. */
  readonly value: string | null;
  /** The version that had it last. */
  readonly lastVersion: number;
  readonly older: Side;
  readonly newer: Side;
}

/** Names of `candidate` that an earlier version had and the one before it has not. */
export function reusedNames(
  candidate: VersionSchema,
  history: readonly VersionSchema[],
): readonly ReusedName[] {
  const earlier = history
    .filter(({ version }) => version < candidate.version)
    .sort((a, b) => b.version - a.version)
    .map(({ version, schema }) => ({ version, names: namesOf(schema) }));
  const [before, ...older] = earlier;
  if (before === undefined) return [];
  const names = namesOf(candidate.schema);
  const values = reusedValues(names, before.names, older);
  const reused = [...reusedFields(names, before.names, older), ...values];
  // A variant that the version before told apart by something else was there all the time.
  const isRenamedVariant = ([place, variant]: [string, Variant]) =>
    !before.names.variants.has(place) &&
    !values.some((it) => it.place === variant.place && it.value === variant.value);
  const renamed = [...names.variants].filter(isRenamedVariant).map(([place]) => place);
  return outermost(reused.filter(({ place }) => !renamed.some((variant) => place.startsWith(variant))));
}

interface Earlier {
  readonly version: number;
  readonly names: SchemaNames;
}

function reusedFields(names: SchemaNames, before: SchemaNames, older: readonly Earlier[]): ReusedName[] {
  return [...names.fields].flatMap(([place, newer]) => {
    if (before.fields.has(place)) return [];
    const last = older.find((it) => it.names.fields.has(place));
    const olderPlace = last?.names.fields.get(place);
    if (last === undefined || olderPlace === undefined) return [];
    return [{ place, value: null, lastVersion: last.version, older: olderPlace, newer }];
  });
}

function reusedValues(names: SchemaNames, before: SchemaNames, older: readonly Earlier[]): ReusedName[] {
  return [...names.values].flatMap(([place, { listed, place: newer }]) =>
    [...(listed ?? [])].flatMap((value) => {
      if (allows(before.values.get(place), value)) return [];
      const last = older.find((it) => it.names.values.get(place)?.listed?.has(value) === true);
      const olderPlace = last?.names.values.get(place)?.place;
      if (last === undefined || olderPlace === undefined) return [];
      return [{ place, value, lastVersion: last.version, older: olderPlace, newer }];
    }),
  );
}

function allows(values: ValueNames | undefined, value: string): boolean {
  return values !== undefined && (values.listed === null || values.listed.has(value));
}

/** The discriminator inside the variant that it names, which is the variant itself once more. */
function namesItsVariant({ place, value }: ReusedName): boolean {
  const field = place.slice(place.lastIndexOf("/") + 1);
  return value !== null && place.endsWith(`${variantStep(field, value)}/${field}`);
}

/** Without what comes back as a part of something that comes back, and each name once. */
function outermost(reused: readonly ReusedName[]): readonly ReusedName[] {
  const parents = reused.flatMap(({ place, value }) => {
    if (value === null) return [`${place}/`, `${place}(`];
    const [, union = "", field = ""] = /^(.*)\/([^/]*)$/s.exec(place) ?? [];
    return [`${union}${variantStep(field, value)}`];
  });
  const isPart = ({ place, value }: ReusedName) =>
    parents.some((parent) => place.startsWith(parent)) ||
    (value !== null && reused.some((it) => it.value === null && it.place === place));
  const seen = new Set<string>();
  // What is so in one variant says more than what is so in any, so it goes first.
  const specificFirst = reused
    .filter((it) => !namesItsVariant(it))
    .sort((a, b) => b.place.length - a.place.length);
  const kept = specificFirst.filter((it) => {
    const name = `${withoutVariants(it.place)} ${it.value}`;
    const isNew = !seen.has(name);
    seen.add(name);
    return isNew && !isPart(it);
  });
  return reused.filter((it) => kept.includes(it));
}
