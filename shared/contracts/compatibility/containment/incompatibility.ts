/**
 * What the containment check answers: one entry for each thing a writer may send and a reader refuses.
 *
 * The codes are stable: they are printed, stored and matched on. Add codes, never rename one.
 */

/** A place in one side's schema. */
export interface Side {
  /** JSON pointer into that side's schema, to the keyword where there is one, else to the subschema. */
  readonly pointer: string;
  /** What stands there. */
  readonly fragment: unknown;
}

export type IncompatibilityCode =
  /** A type the writer may send is not among the reader's. */
  | "TYPE_NARROWED"
  /** The reader requires a field that the writer may leave out. */
  | "REQUIRED_ADDED"
  /** The reader refuses names it does not declare, and the writer may send one. */
  | "UNKNOWN_REJECTED"
  /** Names, number of names or values of a record are limited more tightly by the reader. */
  | "RECORD_NARROWED"
  /** A value the writer may send is not among the reader's `enum` or `const`. */
  | "ENUM_NARROWED"
  /** The reader takes fewer lengths of a string. */
  | "LENGTH_NARROWED"
  /** The reader's `pattern` is not proved to match every string the writer may send. */
  | "PATTERN_CHANGED"
  /** The reader's `format` (or content keyword) is not one that the writer promises. */
  | "FORMAT_CHANGED"
  /** The reader takes a smaller range of numbers. */
  | "RANGE_NARROWED"
  /** Not everything the writer may send is a multiple of the reader's `multipleOf`. */
  | "MULTIPLE_CHANGED"
  /** Lengths, uniqueness, `contains` or the closed end of an array are limited more tightly. */
  | "ITEMS_NARROWED"
  /** No member of the reader's `anyOf` takes all of a variant of the writer. */
  | "VARIANT_REMOVED"
  /** No member of the reader's `oneOf` takes all of a variant of the writer. */
  | "VARIANT_UNKNOWN"
  /** More than one member of the reader's `oneOf` may take the same document, which `oneOf` refuses. */
  | "ONEOF_OVERLAP"
  /** A member of the reader's `allOf` is tighter than the writer at the same place. */
  | "INTERSECTION_NARROWED"
  /** The reader's `not` is not proved to miss everything the writer may send. */
  | "EXCLUSION_ADDED"
  /** The default of a field changed or went away. Only with `comparesDefaults`. */
  | "DEFAULT_CHANGED"
  /** The reader uses a keyword, or a value of one, whose meaning is not known here. */
  | "UNSUPPORTED_KEYWORD"
  /** The reader has a `$ref` that leads nowhere, out of the document or in a circle. */
  | "UNRESOLVED_REFERENCE"
  /** The comparison took more steps, or nested deeper, than it is allowed to. */
  | "BUDGET_EXCEEDED";

export interface Incompatibility {
  // Not a block comment, since the example would end it.
  // Where in the data: "/lines/*/price"; "" is the document, "*" stands for every item or record value.
  readonly path: string;
  readonly code: IncompatibilityCode;
  /** What the writer may send and what the reader refuses. */
  readonly message: string;
  readonly writer: Side;
  readonly reader: Side;
}

/** Collects entries up to a limit, so that a mere question ("any?") stops at the first. */
export class Findings {
  readonly #limit: number;
  readonly #list: Incompatibility[] = [];
  readonly #seen = new Set<string>();

  /** @param limit entries at most, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get list(): readonly Incompatibility[] {
    return this.#list;
  }

  get isFull(): boolean {
    return this.#list.length >= this.#limit;
  }

  /** Entries that may still be added. */
  get room(): number {
    return Math.max(this.#limit - this.#list.length, 1);
  }

  /** Adds entries whose paths start below `path`; the same complaint about the same place only once. */
  add(found: readonly Incompatibility[], path = ""): void {
    for (const entry of found) {
      const key = `${entry.code} ${path}${entry.path} ${entry.reader.pointer}`;
      if (this.isFull || this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#list.push(path === "" ? entry : { ...entry, path: path + entry.path });
    }
  }
}
