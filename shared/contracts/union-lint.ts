/**
 * Whether something tells the objects of a union apart.
 *
 * Without a required literal field of its own in each, a document can be valid as several of them, and an
 * added field can move it from one to the other: no two versions of such a union can be compared. Unions
 * with one object at most are told apart by the types of their values.
 */
import { z } from "zod";

/** Wrappers nested deeper than this are taken for something that is no object. */
const WRAPPERS_MAX = 32;

/** @param union a schema of the type "union". */
export function ambiguousUnion(union: z.ZodType): boolean {
  const members = optionsOf(union)
    .map(unwrapped)
    .filter((it) => isObjectLike(it));
  if (members.length < 2) return false;
  return !fieldsOf(members[0]).some((name) => tellsApart(members, name));
}

function optionsOf(union: z.ZodType): readonly z.ZodType[] {
  const { options } = union._zod.def as { readonly options?: readonly z.ZodType[] };
  return options ?? [];
}

/** What is behind the wrappers that only add "or nothing", a default or a name. */
function unwrapped(schema: z.ZodType): z.ZodType {
  let current = schema;
  for (let wrappers = 0; wrappers < WRAPPERS_MAX; wrappers += 1) {
    const { innerType } = current._zod.def as { readonly innerType?: unknown };
    const inner = current instanceof z.ZodLazy ? current.unwrap() : innerType;
    if (!(inner instanceof z.ZodType)) return current;
    current = inner;
  }
  return current;
}

/** A union that holds itself is what its other members are. */
function isObjectLike(schema: z.ZodType, seen: ReadonlySet<z.ZodType> = new Set()): boolean {
  const { type } = schema._zod.def;
  if (type !== "union" || seen.has(schema)) return OBJECT_TYPES.has(type);
  const deeper = new Set([...seen, schema]);
  return optionsOf(schema).some((it) => isObjectLike(unwrapped(it), deeper));
}

const OBJECT_TYPES: ReadonlySet<string> = new Set(["object", "record", "intersection"]);

/** Every member requires `name` to be one of some literals, and no two share one. */
function tellsApart(members: readonly z.ZodType[], name: string): boolean {
  const literals = members.map((member) => literalsAt(member, name));
  if (literals.some((it) => it === null)) return false;
  const all = literals.flatMap((it) => it ?? []);
  return new Set(all).size === all.length;
}

/** The literals that `name` may be in an object or a union of objects; `null` when it may be anything else. */
function literalsAt(
  schema: z.ZodType,
  name: string,
  seen: ReadonlySet<z.ZodType> = new Set(),
): readonly unknown[] | null {
  if (seen.has(schema)) return [];
  const deeper = new Set([...seen, schema]);
  const { type } = schema._zod.def;
  if (type === "intersection") {
    const [left, right] = sidesOf(schema);
    return literalsAt(left, name, deeper) ?? literalsAt(right, name, deeper);
  }
  if (type === "union") {
    const all = optionsOf(schema).map((it) => literalsAt(unwrapped(it), name, deeper));
    return all.some((it) => it === null) ? null : [...new Set(all.flatMap((it) => it ?? []))];
  }
  const field = shapeOf(schema)[name];
  const values = field?._zod.values;
  if (field === undefined || values === undefined || field._zod.optin !== undefined) return null;
  return values.size === 0 ? null : [...values];
}

/** Names of fields that a member, or some member of a union, has. */
function fieldsOf(
  schema: z.ZodType | undefined,
  seen: ReadonlySet<z.ZodType> = new Set(),
): readonly string[] {
  if (schema === undefined || seen.has(schema)) return [];
  const deeper = new Set([...seen, schema]);
  switch (schema._zod.def.type) {
    case "union":
      return optionsOf(schema).flatMap((it) => fieldsOf(unwrapped(it), deeper));
    case "intersection":
      return sidesOf(schema).flatMap((it) => fieldsOf(it, deeper));
    default:
      return Object.keys(shapeOf(schema));
  }
}

function sidesOf(intersection: z.ZodType): readonly [z.ZodType, z.ZodType] {
  const { left, right } = intersection._zod.def as unknown as Record<"left" | "right", z.ZodType>;
  return [unwrapped(left), unwrapped(right)];
}

function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  const { shape } = schema._zod.def as { readonly shape?: Readonly<Record<string, z.ZodType>> };
  return shape ?? {};
}
