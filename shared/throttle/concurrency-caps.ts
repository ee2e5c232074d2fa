/**
 * Requests that this process serves at once, by throttle and by whom they are for.
 *
 * The cap is a process's own: three producers with a cap of 10 serve 30 at once. It bounds what one caller
 * may hold of a process, which needs no Redis and cannot leak when a process dies. A count is only kept
 * while it is above zero.
 */
export class ConcurrencyCaps {
  readonly #held = new Map<string, number>();

  /** How many are held now. */
  held(name: string, subject: string): number {
    return this.#held.get(keyOf(name, subject)) ?? 0;
  }

  /** Holds one more, until the returned function is called; `null` when `limit` are held. */
  hold(name: string, subject: string, limit: number): (() => void) | null {
    const key = keyOf(name, subject);
    const held = this.#held.get(key) ?? 0;
    if (held >= limit) return null;
    this.#held.set(key, held + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const now = this.#held.get(key) ?? 0;
      if (now <= 1) this.#held.delete(key);
      else this.#held.set(key, now - 1);
    };
  }
}

/** A throttle's name has no colon. */
function keyOf(name: string, subject: string): string {
  return `${name}:${subject}`;
}
