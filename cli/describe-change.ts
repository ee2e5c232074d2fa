/** What a scaling decision changed, in a few characters: `shop v1 0 -> 2`. */

export interface DescribedDecision {
  readonly queue: string;
  /** Workers by release. */
  readonly present: Readonly<Record<string, number>>;
  readonly desired: Readonly<Record<string, number>>;
  readonly actions: readonly { readonly act: string; readonly release: string }[];
}

/** `null` when the decision changed nothing. */
export function describeChange({ queue, present, desired, actions }: DescribedDecision): string | null {
  if (actions.length === 0) return null;
  const releases = [...new Set([...Object.keys(present), ...Object.keys(desired)])].sort();
  const changes = releases
    .filter((release) => (present[release] ?? 0) !== (desired[release] ?? 0))
    .map((release) => `${release} ${present[release] ?? 0} -> ${desired[release] ?? 0}`);
  // The number stays and a worker is replaced.
  const acts = [...new Set(actions.map(({ act, release }) => `${release} ${act}`))];
  return `${queue} ${(changes.length > 0 ? changes : acts).join(", ")}`;
}
