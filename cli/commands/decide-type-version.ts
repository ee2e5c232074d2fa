/** Which schema version a job gets whose command names none. */

export interface TypeVersions {
  readonly type: string;
  readonly versions: readonly { readonly schemaversion: number; readonly accepted: boolean }[];
}

export type TypeVersionDecision =
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "type-unknown"; readonly knownTypes: readonly string[] }
  | { readonly kind: "none-accepted" };

/** The highest version that is accepted now. */
export function decideTypeVersion(types: readonly TypeVersions[], type: string): TypeVersionDecision {
  const known = types.find((it) => it.type === type);
  if (known === undefined) return { kind: "type-unknown", knownTypes: types.map((it) => it.type) };
  const accepted = known.versions.filter((it) => it.accepted).map((it) => it.schemaversion);
  return accepted.length === 0
    ? { kind: "none-accepted" }
    : { kind: "version", version: Math.max(...accepted) };
}
