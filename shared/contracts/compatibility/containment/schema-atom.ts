/**
 * Subschemas with their place: an atom is one subschema of one side, and always the same object for it.
 *
 * What is compared are lists of atoms that must all hold ("conjunctions"), so that merging `allOf` never
 * copies a schema and every complaint can point at what stands in the document.
 */
import { pointerTo } from "../../../json-pointer.ts";
import { isSchemaObject } from "./keywords.ts";

/**
 * Which rules a document asks for. They differ in `$ref` beside other keywords, `prefixItems`, `minContains`
 * and a few more. Without a `$schema` the reading is the one that proves less.
 */
export type Dialect = "old" | "new" | "undeclared";

export interface Atom {
  readonly id: number;
  readonly schema: unknown;
  /** JSON pointer in the side's document. */
  readonly pointer: string;
  /** What stands at `pointer`: the schema itself, unless it was made up from that (as from a `const`). */
  readonly shown: unknown;
  readonly document: SchemaDocument;
}

/** Atoms that a document must satisfy all. */
export type Conjunction = readonly Atom[];

export class SchemaDocument {
  readonly root: Atom;
  readonly dialect: Dialect;
  /** False in drafts before 2020-12, which know only `items`. */
  readonly hasPrefixItems: boolean;
  readonly #atoms = new WeakMap<object, Atom>();
  readonly #derived = new Map<string, Atom>();
  readonly #nextId: () => number;

  /** @param nextId numbers that no other document of the same comparison has */
  constructor(schema: unknown, nextId: () => number) {
    this.#nextId = nextId;
    this.dialect = dialectOf(schema);
    this.hasPrefixItems = this.dialect !== "old" && !is2019(schema);
    this.root = this.#atomOf(schema, () => "");
  }

  /** The subschema behind `path`, which starts at `parent`. */
  child(parent: Atom, path: readonly PropertyKey[], schema: unknown): Atom {
    if (parent.shown !== parent.schema) return this.derive(schema, parent);
    return this.#atomOf(schema, () => parent.pointer + pointerTo(path));
  }

  /** The subschema at a pointer. */
  at(pointer: string, schema: unknown): Atom {
    return this.#atomOf(schema, () => pointer);
  }

  /** A schema that does not stand in the document and says something about what stands at `origin`. */
  derive(schema: unknown, origin: Atom): Atom {
    const key = `${origin.id} ${origin.pointer} ${JSON.stringify(schema)}`;
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    const { pointer, shown } = origin;
    const atom = { id: this.#nextId(), schema, pointer, shown, document: this };
    this.#derived.set(key, atom);
    return atom;
  }

  /** A made-up schema that shows the value of one of the origin's keywords. */
  deriveAt(schema: unknown, origin: Atom, keyword: string): Atom {
    const { pointer, fragment } = sideAt(origin, keyword);
    return this.derive(schema, { ...origin, pointer, shown: fragment });
  }

  #atomOf(schema: unknown, pointer: () => string): Atom {
    const isObject = schema !== null && typeof schema === "object";
    const known = isObject ? this.#atoms.get(schema) : undefined;
    if (known !== undefined) return known;
    const atom = new PlacedAtom({ id: this.#nextId(), schema, document: this }, pointer);
    if (isObject) this.#atoms.set(schema, atom);
    return atom;
  }
}

/** Works its pointer out when it is asked for, which is only to complain. */
class PlacedAtom implements Atom {
  readonly id: number;
  readonly schema: unknown;
  readonly shown: unknown;
  readonly document: SchemaDocument;
  readonly #pointer: () => string;

  constructor({ id, schema, document }: Pick<Atom, "id" | "schema" | "document">, pointer: () => string) {
    this.id = id;
    this.schema = schema;
    this.shown = schema;
    this.document = document;
    this.#pointer = pointer;
  }

  get pointer(): string {
    return this.#pointer();
  }
}

/** The place of a keyword, or of the whole subschema where it has no such keyword. */
export function sideAt(atom: Atom, keyword?: string): { pointer: string; fragment: unknown } {
  const { schema, pointer, shown } = atom;
  if (
    keyword === undefined ||
    schema !== shown ||
    !isSchemaObject(schema) ||
    !Object.hasOwn(schema, keyword)
  ) {
    return { pointer, fragment: shown };
  }
  return { pointer: pointer + pointerTo([keyword]), fragment: schema[keyword] };
}

function is2019(schema: unknown): boolean {
  return isSchemaObject(schema) && String(schema.$schema).includes("/draft/2019-09/");
}

function dialectOf(schema: unknown): Dialect {
  const declared = isSchemaObject(schema) ? schema.$schema : undefined;
  if (typeof declared !== "string") return "undeclared";
  if (/\/draft-0[3467]\/schema#?$/.test(declared)) return "old";
  return /\/draft\/20(19-09|20-12)\/schema#?$/.test(declared) ? "new" : "undeclared";
}
