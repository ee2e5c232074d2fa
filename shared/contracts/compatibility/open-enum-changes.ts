/**
 * What two versions' open enums are to each other beyond what JSON Schema shows.
 *
 * As JSON Schema the reader's side of an open enum is any text, so nothing is ever refused. But a value that
 * the newer version dropped is still in stored jobs, and it would silently read them as the fallback; and
 * builds with different fallbacks do different things with the same value.
 *
 * Pure.
 */
import type { JsonSchema } from "../wire-schema.ts";
import { namesOf, type ValueNames } from "./schema-names.ts";
import type { VersionIncompatibility } from "./version-finding.ts";

/** Changes from `older` to `newer`, as the newer reader sees the older writer. */
export function openEnumChanges(newer: JsonSchema, older: JsonSchema): readonly VersionIncompatibility[] {
  const before = namesOf(older).values;
  return [...namesOf(newer).values].flatMap(([place, now]) => {
    const then = before.get(place);
    if (then === undefined || now.openEnum === null) return [];
    return [...removedValues(place, now, then), ...changedFallback(place, now, then)];
  });
}

function removedValues(path: string, now: ValueNames, then: ValueNames): VersionIncompatibility[] {
  const gone = [...(then.listed ?? [])].filter((value) => now.listed?.has(value) === false);
  if (gone.length === 0 || now.openEnum === null) return [];
  const message = `no longer knows ${gone.join(", ")}, which stored jobs may hold and would be read as "${now.openEnum.fallback}"`;
  return [{ path, code: "VALUE_REMOVED", message, writer: then.place, reader: now.place }];
}

function changedFallback(path: string, now: ValueNames, then: ValueNames): VersionIncompatibility[] {
  const [newer, older] = [now.openEnum?.fallback, then.openEnum?.fallback];
  if (newer === undefined || older === undefined || newer === older) return [];
  const message = `reads a value that it does not know as "${newer}", and older readers as "${older}"`;
  return [{ path, code: "FALLBACK_CHANGED", message, writer: then.place, reader: now.place }];
}
