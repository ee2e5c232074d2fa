/** What the lint of a wire schema can find. Found in `schema-lint.ts`, `union-lint.ts` and `export-lint.ts`. */

export type LintCode =
  /** A transform, preprocess step or codec: other builds do not run it. */
  | "OPAQUE_TRANSFORM"
  /** A rule that only this build's code knows. */
  | "OPAQUE_REFINEMENT"
  /** A rule for text of which JSON Schema keeps only a part. */
  | "OPAQUE_TEXT_RULE"
  /** `.catch()`: destroys the value it replaces. */
  | "LOSSY_CATCH"
  /** `z.coerce`: accepts more than it says. */
  | "COERCION"
  /** `z.object`: drops the fields of newer versions. */
  | "STRIPPING_OBJECT"
  /** `z.strictObject` or a catch-all: refuses the fields of newer versions. */
  | "CLOSED_READER"
  /** A union of objects that no field tells apart. */
  | "AMBIGUOUS_UNION"
  /** An intersection that JSON Schema keeps as one: nothing could be written to it. */
  | "CLOSED_INTERSECTION"
  | "ROOT_NOT_OBJECT"
  /** A value that JSON does not have. */
  | "UNREPRESENTABLE"
  /** The door cannot compile it. */
  | "UNUSABLE_SCHEMA"
  /** `.meta()` with a rule in it that the reader does not have. */
  | "UNSUPPORTED_KEYWORD"
  /** Something else than a zod schema. */
  | "NOT_A_SCHEMA";

/** One thing in a schema that a wire schema may not hold. */
export interface LintFinding {
  readonly code: LintCode;
  /** Where it is, such as `data.lines.price`. */
  readonly path: string;
  /** What is wrong and what would be right: a sentence whose subject is the path. */
  readonly message: string;
}

/** A finding as one sentence. */
export function lintSentence({ path, message }: LintFinding): string {
  return `${path} ${message}`;
}
