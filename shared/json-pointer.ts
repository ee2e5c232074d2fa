/** JSON pointers (RFC 6901), the way every issue names a place in a document. */

/** The pointer to what lies behind `path`; `""` for the document itself. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
