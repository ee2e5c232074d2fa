/**
 * Variants that cannot be mistaken for each other, told apart by a field with listed values (`kind: "card"`).
 *
 * Only a shortcut: unions of many variants would otherwise compare each with each in full.
 */
import type { Case } from "./case.ts";
import { entriesOf, keywordOf } from "./keywords.ts";
import { listedValues } from "./narrow.ts";
import { resolveReference } from "./resolve-refs.ts";
import type { Atom } from "./schema-atom.ts";

type Tags = ReadonlyMap<string, ReadonlySet<unknown>>;

const tagsOfAtom = new WeakMap<Atom, Tags>();

/** Whether no document of a case can pass a schema, as a field that it must have shows. */
export function isOtherVariant({ shape }: Case, schema: Atom): boolean {
  if (shape.type !== "object") return false;
  for (const [name, values] of tagsOf(schema)) {
    if (!shape.required.has(name)) continue;
    const lists = shape.layers.map(({ properties }) => properties.get(name)).map(scalarsOf);
    if (lists.some((list) => list !== null && !list.some((value) => values.has(value)))) return true;
  }
  return false;
}

/** The fields of a schema that, where they are present, have one of a few values. */
function tagsOf(atom: Atom): Tags {
  const known = tagsOfAtom.get(atom);
  if (known !== undefined) return known;
  const tags = new Map<string, ReadonlySet<unknown>>();
  const target = referred(atom);
  for (const [name, schema] of entriesOf(target?.schema, "properties")) {
    const listed = scalarsOf(target?.document.child(target, ["properties", name], schema));
    if (listed !== null) tags.set(name, new Set(listed));
  }
  tagsOfAtom.set(atom, tags);
  return tags;
}

/** The values a schema lists when none of them is an array or object, else `null`. */
function scalarsOf(atom: Atom | undefined): readonly unknown[] | null {
  const listed = atom === undefined ? null : listedValues(referred(atom)?.schema);
  const isPlain = listed?.every((value) => value === null || typeof value !== "object");
  return isPlain === true ? listed : null;
}

/** References to references followed at most. */
const REFERENCES_MAX = 20;

/** What a schema refers to; older drafts skip what stands beside a reference, so it counts for nothing. */
function referred(atom: Atom): Atom | null {
  let at: Atom | null = atom;
  for (let count = 0; count < REFERENCES_MAX && at !== null; count += 1) {
    const reference = keywordOf(at.schema, "$ref");
    if (typeof reference !== "string") return at;
    at = resolveReference(at, reference);
  }
  return null;
}
