/**
 * Where a `$ref` leads: to a place in its own document, or nowhere.
 *
 * Only references inside one document are followed. A document may hold several resources (an `$id` begins
 * one), and `#` means the one a reference stands in; the places are all worked out at the first reference.
 */
import { pointerTo } from "../../../json-pointer.ts";
import { isSchemaObject, SCHEMA_MAP_KEYWORDS, type SchemaObject } from "./keywords.ts";
import type { Atom, Dialect, SchemaDocument } from "./schema-atom.ts";

interface Place {
  readonly pointer: string;
  readonly schema: unknown;
}

interface Resource extends Place {
  readonly uri: string;
}

interface Places {
  /** By URI without a fragment; `null` for one that is given twice. */
  readonly resources: Map<string, Resource | null>;
  /** By URI with a fragment. */
  readonly anchors: Map<string, Place | null>;
  /** The resource that each object stands in. */
  readonly resourceOf: WeakMap<object, Resource>;
}

/** What a document without an `$id` is called, and what relative ones are relative to. */
const BASE = "schema://document/";

/** Deeper documents are not searched, and their references not resolved. */
const DEPTH_MAX = 200;

const placesOfDocument = new WeakMap<SchemaDocument, Places | null>();

/** The subschema that a schema refers to, or `null` when it is not to be found in its document. */
export function resolveReference(from: Atom, reference: string): Atom | null {
  const { document, schema } = from;
  const places = placesOf(document);
  const resource = schema !== null && typeof schema === "object" ? places?.resourceOf.get(schema) : undefined;
  if (!places || resource === undefined) return null;
  const place = placeOf(places, absolute(reference, resource.uri));
  return place === null ? null : document.at(place.pointer, place.schema);
}

function placeOf({ resources, anchors }: Places, uri: string | null): Place | null {
  if (uri === null) return null;
  const [base = "", encoded = ""] = uri.split("#", 2);
  const fragment = decoded(encoded);
  if (fragment === null) return null;
  if (fragment !== "" && !fragment.startsWith("/")) return anchors.get(`${base}#${fragment}`) ?? null;
  const resource = resources.get(base);
  return resource ? behindPointer(resource, fragment) : null;
}

function absolute(reference: string, base: string): string | null {
  try {
    return new URL(reference, base).href;
  } catch {
    return null;
  }
}

function decoded(fragment: string): string | null {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return null;
  }
}

function behindPointer(resource: Resource, pointer: string): Place | null {
  let place: unknown = resource.schema;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (place === null || typeof place !== "object" || !Object.hasOwn(place, name)) return null;
    place = (place as Record<string, unknown>)[name];
  }
  const isSchema = typeof place === "boolean" || isSchemaObject(place);
  return isSchema ? { pointer: resource.pointer + pointer, schema: place } : null;
}

/** `null` when the document cannot be searched. */
function placesOf(document: SchemaDocument): Places | null {
  const known = placesOfDocument.get(document);
  if (known !== undefined) return known;
  const places: Places = { resources: new Map(), anchors: new Map(), resourceOf: new WeakMap() };
  const root = { pointer: "", schema: document.root.schema, uri: BASE };
  places.resources.set(BASE, root);
  const isClear = new Search(document, places).visit({ ...root, outer: root, depth: 0, isMap: false });
  placesOfDocument.set(document, isClear ? places : null);
  return isClear ? places : null;
}

interface Visit extends Place {
  readonly outer: Resource;
  readonly depth: number;
  /** Whether the names in it are the author's own, as in `properties`, rather than keywords. */
  readonly isMap: boolean;
}

class Search {
  readonly #places: Places;
  readonly #dialect: Dialect;

  constructor(document: SchemaDocument, places: Places) {
    this.#places = places;
    this.#dialect = document.dialect;
  }

  /** False when the document nests too deeply, or when what a reference means would be a guess. */
  visit({ pointer, schema, outer, depth, isMap }: Visit): boolean {
    if (schema === null || typeof schema !== "object") return true;
    if (depth > DEPTH_MAX) return false;
    const isSchema = isSchemaObject(schema) && !isMap;
    const resource = isSchema ? this.#enter({ pointer, schema }, outer) : outer;
    if (resource === null) return false;
    const other = this.#places.resourceOf.get(schema);
    // One object in two places of the document, under two names.
    if (other !== undefined) return other.uri === resource.uri;
    this.#places.resourceOf.set(schema, resource);
    return Object.entries(schema).every(([name, value]) => {
      if (isSchema && DATA.has(name)) return true;
      const place = { pointer: pointer + pointerTo([name]), schema: value };
      return this.visit({ ...place, outer: resource, depth: depth + 1, isMap: isSchema && MAPS.has(name) });
    });
  }

  /** The resource that an object stands in, which is its own when it has an `$id`. */
  #enter(place: Place & { readonly schema: SchemaObject }, outer: Resource): Resource | null {
    const id = idOf(place.schema, this.#dialect);
    if (id === null) return null;
    const isFragment = id.startsWith("#");
    const resource = id === "" || isFragment ? outer : this.#resource(id, place, outer);
    if (resource === null) return null;
    const { $anchor, $dynamicAnchor } = place.schema;
    for (const name of new Set([isFragment ? id.slice(1) : "", $anchor, $dynamicAnchor])) {
      if (typeof name === "string" && name !== "") this.#name(`${resource.uri}#${name}`, place);
    }
    return resource;
  }

  #resource(id: string, { pointer, schema }: Place, outer: Resource): Resource | null {
    const [uri, fragment = ""] = absolute(id, outer.uri)?.split("#", 2) ?? [];
    if (uri === undefined || fragment !== "") return null;
    const { resources } = this.#places;
    const resource = { uri, pointer, schema };
    resources.set(uri, resources.has(uri) ? null : resource);
    return resource;
  }

  #name(uri: string, { pointer, schema }: Place): void {
    const { anchors } = this.#places;
    anchors.set(uri, anchors.has(uri) ? null : { pointer, schema });
  }
}

/** The `$id` in force, `""` for none; `null` when drafts disagree on whether there is one. */
function idOf({ $id, $ref }: SchemaObject, dialect: Dialect): string | null {
  if (typeof $id !== "string") return "";
  if (typeof $ref !== "string" || dialect === "new") return $id;
  return dialect === "old" ? "" : null;
}

/** Values of these are documents, not schemas. */
const DATA: ReadonlySet<string> = new Set(["const", "enum", "default", "examples"]);
/** Values of these are schemas by name. */
const MAPS: ReadonlySet<string> = new Set([...SCHEMA_MAP_KEYWORDS, "$defs", "definitions"]);
