/** Where a `$ref` leads: to a pointer into its own schema, or to a place there with a name. Others are refused. */

export type Node = Readonly<Record<string, unknown>>;

export function isNode(value: unknown): value is Node {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

const ANNOTATIONS = new Set(["$ref", "$defs", "definitions", "title", "description", "default", "examples"]);

/** Whether a node says nothing of its own beside its `$ref`. */
export function onlyRefers(node: Node): boolean {
  return Object.keys(node).every((keyword) => ANNOTATIONS.has(keyword));
}

/**
 * What a `$ref` means, through references that lead to references.
 *
 * @throws {Error} when it leads out of the schema, nowhere or in a circle.
 */
export function behindReference(start: string, root: unknown): unknown {
  const seen = new Set<string>();
  for (let ref = start; ; ) {
    if (seen.has(ref)) throw new Error(`$ref ${start} leads in a circle`);
    seen.add(ref);
    const target = pointedTo(ref, root);
    if (!isNode(target) || typeof target.$ref !== "string" || !onlyRefers(target)) return target;
    ref = target.$ref;
  }
}

function pointedTo(ref: string, root: unknown): unknown {
  if (!ref.startsWith("#")) throw new Error(`$ref ${ref} leads out of the schema`);
  const pointer = decodeURIComponent(ref.slice(1));
  const target = pointer === "" || pointer.startsWith("/") ? behind(pointer, root) : anchored(pointer, root);
  if (target === undefined) throw new Error(`$ref ${ref} leads nowhere`);
  return target;
}

function behind(pointer: string, root: unknown): unknown {
  let target = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    target = (target as Node | undefined)?.[name];
  }
  return target;
}

function anchored(name: string, node: unknown): unknown {
  if (node === null || typeof node !== "object") return undefined;
  if ((node as Node).$anchor === name) return node;
  for (const part of Object.values(node)) {
    const found = anchored(name, part);
    if (found !== undefined) return found;
  }
  return undefined;
}
