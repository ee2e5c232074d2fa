/**
 * Defaults that changed or went away between a writer's and a reader's schema.
 *
 * A matter of behaviour, not of acceptance: a document without the field is read either way, and means
 * something else. Only places that both schemas spell out are compared: fields, items, record values, and the
 * members of unions of equal length, in their order.
 */
import { pointerTo } from "../../../json-pointer.ts";
import type { Incompatibility } from "./incompatibility.ts";
import { isSchemaObject, keywordOf } from "./keywords.ts";
import { resolveReference } from "./resolve-refs.ts";
import { sameJson } from "./same-schema.ts";
import { type Atom, sideAt } from "./schema-atom.ts";

interface Pair {
  readonly writer: Atom;
  readonly reader: Atom;
  readonly path: string;
}

export function compareDefaults(writer: Atom, reader: Atom): readonly Incompatibility[] {
  const found: Incompatibility[] = [];
  const seen = new Set<string>();
  const open: Pair[] = [{ writer, reader, path: "" }];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const key = `${pair.writer.id} ${pair.reader.id}`;
    if (seen.has(key) || !mayHoldDefault(pair.writer.schema)) continue;
    seen.add(key);
    found.push(...changedDefault(pair));
    open.push(...partsOf(pair).reverse());
  }
  return found;
}

/**
 * Whether a default may be found in or behind the schema. Only a writer's can be missed, and most parts of
 * most schemas have none.
 */
function mayHoldDefault(schema: unknown): boolean {
  if (schema === null || typeof schema !== "object") return false;
  const known = holdsDefault.get(schema);
  if (known !== undefined) return known;
  const own = "default" in schema || "$ref" in schema;
  const holds = own || Object.values(schema).some(mayHoldDefault);
  holdsDefault.set(schema, holds);
  return holds;
}

const holdsDefault = new WeakMap<object, boolean>();

function changedDefault({ writer, reader, path }: Pair): Incompatibility[] {
  const before = defaultOf(writer);
  const after = defaultOf(reader);
  if (before === undefined || (after !== undefined && sameJson(before.value, after.value))) return [];
  const now = after === undefined ? "has none" : `takes ${JSON.stringify(after.value)}`;
  return [
    {
      path,
      code: "DEFAULT_CHANGED",
      message: `Where the field is left out, the writer means ${JSON.stringify(before.value)} and the reader ${now}.`,
      writer: sideAt(before.at, "default"),
      reader: sideAt(after?.at ?? reader, "default"),
    },
  ];
}

/** The default of a schema, or of what it refers to. */
function defaultOf(atom: Atom): { readonly value: unknown; readonly at: Atom } | undefined {
  for (const at of [atom, referred(atom)]) {
    if (isSchemaObject(at.schema) && Object.hasOwn(at.schema, "default"))
      return { value: at.schema.default, at };
  }
  return undefined;
}

/** References to references followed at most. */
const REFERENCES_MAX = 20;

function referred(atom: Atom): Atom {
  let at = atom;
  for (let count = 0; count < REFERENCES_MAX; count += 1) {
    const reference = keywordOf(at.schema, "$ref");
    const target = typeof reference === "string" ? resolveReference(at, reference) : null;
    if (target === null) return at;
    at = target;
  }
  return at;
}

const PART_OF_ITEM = new Set(["items", "prefixItems"]);

function partsOf({ writer, reader, path }: Pair): Pair[] {
  const before = new Map(placesOf(referred(writer)));
  const after = placesOf(referred(reader));
  return after.flatMap(([key, place]) => {
    const counterpart = before.get(key);
    if (counterpart === undefined || counterpart.alike !== place.alike) return [];
    return [{ writer: counterpart.atom, reader: place.atom, path: path + place.path }];
  });
}

interface Place {
  readonly atom: Atom;
  /** Below the document of the schema. */
  readonly path: string;
  /** Places of lists that differ in it are not counterparts. */
  readonly alike: number;
}

function placesOf(atom: Atom): [string, Place][] {
  const { schema, document } = atom;
  const place = (keys: readonly PropertyKey[], part: unknown, more: Omit<Place, "atom">): [string, Place] => [
    keys.join(" "),
    { atom: document.child(atom, keys, part), ...more },
  ];
  const places: [string, Place][] = [];
  const properties = keywordOf(schema, "properties");
  for (const [name, part] of Object.entries(isSchemaObject(properties) ? properties : {})) {
    places.push(place(["properties", name], part, { path: pointerTo([name]), alike: 0 }));
  }
  for (const keyword of ["additionalProperties", "items", "prefixItems", "allOf", "anyOf", "oneOf"]) {
    const value = keywordOf(schema, keyword);
    if (value === undefined) continue;
    if (!Array.isArray(value)) {
      places.push(place([keyword], value, { path: "/*", alike: 0 }));
      continue;
    }
    const isTuple = PART_OF_ITEM.has(keyword);
    value.forEach((part, index) => {
      const alike = isTuple ? 0 : value.length;
      places.push(place([keyword, index], part, { path: isTuple ? `/${index}` : "", alike }));
    });
  }
  return places;
}
