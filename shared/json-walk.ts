/**
 * What no JSON document may hold at the door, whatever its schema says: names that reach into
 * JavaScript's prototypes, nesting without end, whole numbers that a double cannot hold, and broken
 * Unicode. One walk, bounded by its own depth limit, so hostile input cannot exhaust the stack.
 */
import type { Issue } from "./errors.ts";
import { pointerTo } from "./json-pointer.ts";

/** Objects and arrays inside one another, the document itself counted. */
export const JSON_DEPTH_MAX = 32;

const FORBIDDEN_NAMES = new Set(["__proto__", "constructor", "prototype"]);

/** The first thing in `value` that is refused, or `null`. */
export function findForbidden(value: unknown): Issue | null {
  const found = walk(value, 1);
  return found === null ? null : { pointer: pointerTo(found.path.reverse()), ...found.refusal };
}

interface Found {
  readonly refusal: Omit<Issue, "pointer">;
  /** Steps to it, innermost first: put together on the way out, so that good input pays for no path. */
  readonly path: (string | number)[];
}

function walk(value: unknown, depth: number): Found | null {
  if (typeof value === "number") return refusedNumber(value);
  if (typeof value === "string") return refusedText(value);
  if (value === null || typeof value !== "object") return null;
  if (depth > JSON_DEPTH_MAX) {
    return refused("depth", `nests deeper than ${JSON_DEPTH_MAX} levels; flatten it`);
  }
  return Array.isArray(value) ? walkArray(value, depth) : walkObject(value, depth);
}

function walkArray(items: readonly unknown[], depth: number): Found | null {
  for (let index = 0; index < items.length; index += 1) {
    const found = walk(items[index], depth + 1);
    if (found !== null) return within(index, found);
  }
  return null;
}

function walkObject(object: object, depth: number): Found | null {
  for (const name of Object.keys(object)) {
    const found = refusedName(name) ?? walk((object as Record<string, unknown>)[name], depth + 1);
    if (found !== null) return within(name, found);
  }
  return null;
}

function within(step: string | number, found: Found): Found {
  found.path.push(step);
  return found;
}

function refused(rule: string, message: string): Found {
  return { refusal: { rule, message }, path: [] };
}

function refusedName(name: string): Found | null {
  if (FORBIDDEN_NAMES.has(name)) {
    return refused("forbidden-name", `the name "${name}" is not allowed; rename it`);
  }
  return refusedText(name);
}

function refusedNumber(value: number): Found | null {
  // JSON.parse makes 1e400 infinite, and JSON.stringify would store that as null.
  const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (exact) return null;
  const message = "is a whole number beyond 2^53 - 1, which JSON readers round; send it as a string";
  return refused("integer-range", message);
}

function refusedText(text: string): Found | null {
  if (text.isWellFormed()) return null;
  return refused("unicode", "holds half of a surrogate pair; send well-formed Unicode");
}
