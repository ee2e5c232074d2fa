/**
 * What is wrong with a wire schema that only its JSON Schema shows: values that JSON does not have, rules
 * that the door cannot compile, and intersections that stay intersections.
 *
 * zod exports an intersection of plain objects as one object. Others stay `allOf`, and the door closes each
 * of its members by itself: each then refuses the fields of the other, and nothing can be written.
 */
import type { z } from "zod";
import { toJsonSchema } from "./json-schema.ts";
import type { LintFinding } from "./lint-finding.ts";
import { requireUsable } from "./strict-check.ts";
import { isNode, type JsonSchema, nodesOf, targetOf } from "./wire-schema.ts";

export function exportFindings(schema: z.ZodType): readonly LintFinding[] {
  let exported: JsonSchema;
  try {
    exported = toJsonSchema(schema);
  } catch (error) {
    return [
      { code: "UNREPRESENTABLE", path: "data", message: `cannot be used as JSON Schema: ${text(error)}` },
    ];
  }
  try {
    // It reads every regular expression as a Unicode one.
    requireUsable(exported);
  } catch (error) {
    return [
      { code: "UNUSABLE_SCHEMA", path: "data", message: `cannot be used as JSON Schema: ${text(error)}` },
    ];
  }
  return intersections(exported);
}

function intersections(root: JsonSchema): readonly LintFinding[] {
  const unwritable = nodesOf(root).filter(
    ({ node }) => Array.isArray(node.allOf) && node.allOf.some((member) => isClosedByTheDoor(member, root)),
  );
  return unwritable.map(({ pointer }) => ({
    code: "CLOSED_INTERSECTION",
    path: "data",
    message:
      `holds an intersection (${pointer} of its JSON Schema) whose parts would refuse each other's fields; ` +
      "use .extend() to make one object of them",
  }));
}

/** Whether `node` can be an object whose fields are all declared in it. */
function isClosedByTheDoor(
  node: unknown,
  root: JsonSchema,
  followed: ReadonlySet<unknown> = new Set(),
): boolean {
  if (!isNode(node) || followed.has(node)) return false;
  if (node.type === "object" && node.propertyNames === undefined) return true;
  const deeper = new Set([...followed, node]);
  const parts = ["allOf", "anyOf", "oneOf"].flatMap((keyword) => node[keyword] ?? []);
  return [...parts, targetOf(node, root)?.node].some((part) => isClosedByTheDoor(part, root, deeper));
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
