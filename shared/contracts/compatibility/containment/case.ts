/**
 * A case: documents of one JSON type that a schema accepts. A schema is taken apart into a union of them.
 *
 * A case may stand for more documents than the schema accepts, never for fewer: everything here describes the
 * side whose documents must all be read, where leaving out a rule is safe.
 */
import type { ArrayShape } from "./array-shape.ts";
import type { NumberShape } from "./number-shape.ts";
import type { ObjectShape } from "./object-shape.ts";
import type { Atom } from "./schema-atom.ts";
import type { StringShape } from "./string-shape.ts";

export interface NullShape {
  readonly type: "null";
}

export interface BooleanShape {
  readonly type: "boolean";
  readonly values: readonly boolean[];
}

export type Shape = NullShape | BooleanShape | NumberShape | StringShape | ArrayShape | ObjectShape;

export interface Case {
  readonly shape: Shape;
  /** The subschemas it was made from: each accepts every document of the case. */
  readonly from: readonly Atom[];
  /** Subschemas that refuse every document of the case. */
  readonly not: readonly Atom[];
}
