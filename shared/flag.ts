/**
 * Something that happens at most once and that others wait for, such as "the lease is lost".
 *
 * What an AbortSignal is for handlers, this is inside: a worker makes several for every job, and an
 * AbortController costs microseconds where this costs nothing until somebody listens.
 */
export class Flag {
  #raised = false;
  #acts: Set<() => void> | null = null;

  get raised(): boolean {
    return this.#raised;
  }

  /** Calls whoever waits; a second time does nothing. */
  raise(): void {
    if (this.#raised) return;
    this.#raised = true;
    const acts = this.#acts;
    this.#acts = null;
    for (const act of acts ?? []) act();
  }

  /** Calls `act` when raised, at once if it is already. The returned function stops waiting. */
  onRaised(act: () => void): () => void {
    if (this.#raised) {
      act();
      return () => undefined;
    }
    this.#acts ??= new Set();
    this.#acts.add(act);
    return () => {
      this.#acts?.delete(act);
    };
  }
}
