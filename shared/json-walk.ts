/**
 * What no JSON document may hold at the door, whatever its schema says: names that reach into
 * JavaScript's prototypes, nesting without end, whole numbers that a double cannot hold, and broken
 * Unicode. One walk, bounded by its own depth limit, so hostile input cannot exhaust the stack.
 */
import type { Issue } from "./errors.ts";

/** Objects and arrays inside one another, the document itself counted. */
export const JSON_DEPTH_MAX = 32;

const FORBIDDEN_NAMES = new Set(["__proto__", "constructor", "prototype"]);

/** The first thing in `value` that is refused, or `null`. */
export function findForbidden(value: unknown): Issue | null {
  return walk(value, "", 1);
}

function walk(value: unknown, pointer: string, depth: number): Issue | null {
  if (typeof value === "number") return numberIssue(value, pointer);
  if (typeof value === "string") return textIssue(value, pointer);
  if (value === null || typeof value !== "object") return null;
  if (depth > JSON_DEPTH_MAX) {
    return { pointer, rule: "depth", message: `nests deeper than ${JSON_DEPTH_MAX} levels; flatten it` };
  }
  return Array.isArray(value) ? walkArray(value, pointer, depth) : walkObject(value, pointer, depth);
}

function walkArray(items: readonly unknown[], pointer: string, depth: number): Issue | null {
  for (let index = 0; index < items.length; index += 1) {
    const issue = walk(items[index], `${pointer}/${index}`, depth + 1);
    if (issue !== null) return issue;
  }
  return null;
}

function walkObject(object: object, pointer: string, depth: number): Issue | null {
  for (const [name, value] of Object.entries(object)) {
    const at = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (FORBIDDEN_NAMES.has(name)) {
      return { pointer: at, rule: "forbidden-name", message: `the name "${name}" is not allowed; rename it` };
    }
    const issue = textIssue(name, at) ?? walk(value, at, depth + 1);
    if (issue !== null) return issue;
  }
  return null;
}

function numberIssue(value: number, pointer: string): Issue | null {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return null;
  return {
    pointer,
    rule: "integer-range",
    message: "is a whole number beyond 2^53 - 1, which JSON readers round; send it as a string",
  };
}

function textIssue(text: string, pointer: string): Issue | null {
  if (text.isWellFormed()) return null;
  return { pointer, rule: "unicode", message: "holds half of a surrogate pair; send well-formed Unicode" };
}
