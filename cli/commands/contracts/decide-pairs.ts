/**
 * Which versions of two sets of documents are compared with each other.
 *
 * Of each type that both have: the newest versions, and every version that both have under one number and not
 * with one schema, because a published version never changes.
 */

export interface Documented {
  readonly type: string;
  /** Ascending, at least one. */
  readonly versions: readonly VersionOfType[];
}

interface VersionOfType {
  readonly version: number;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly samples: readonly unknown[];
}

export interface PairSide extends VersionOfType {
  readonly type: string;
}

export interface Pair {
  readonly a: PairSide;
  readonly b: PairSide;
}

export interface Pairing {
  readonly pairs: readonly Pair[];
  /** Types that only one of the two has. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

export function decidePairs(a: readonly Documented[], b: readonly Documented[]): Pairing {
  const types = [...new Set([...a, ...b].map((it) => it.type))].sort();
  const has = (side: readonly Documented[], type: string) => side.some((it) => it.type === type);
  return {
    pairs: types.flatMap((type) => pairsOf(versionsOf(a, type), versionsOf(b, type))),
    onlyA: types.filter((type) => !has(b, type)),
    onlyB: types.filter((type) => !has(a, type)),
  };
}

function versionsOf(side: readonly Documented[], type: string): readonly PairSide[] {
  return (side.find((it) => it.type === type)?.versions ?? []).map((it) => ({ type, ...it }));
}

function pairsOf(a: readonly PairSide[], b: readonly PairSide[]): Pair[] {
  const [newestA, newestB] = [a.at(-1), b.at(-1)];
  if (newestA === undefined || newestB === undefined) return [];
  const changed = a.flatMap((it) => {
    const other = b.find(({ version }) => version === it.version);
    const isNewest = it === newestA && other === newestB;
    return other === undefined || isNewest || sameSchema(it, other) ? [] : [{ a: it, b: other }];
  });
  return [...changed, { a: newestA, b: newestB }];
}

/** By text: documents are written in one order. */
export function sameSchema(a: VersionOfType, b: VersionOfType): boolean {
  return JSON.stringify(a.schema) === JSON.stringify(b.schema);
}
