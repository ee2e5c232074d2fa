/**
 * The events of a simulation in the order of their time: a binary heap in flat arrays.
 *
 * It holds numbers only, because a day has some hundred thousand events and an object for each of them would
 * cost more than the simulation. Events of the same time come out in a fixed order, not in that of their entry.
 */

export class EventHeap {
  #times = new Float64Array(256);
  #kinds = new Uint8Array(256);
  #subjects = new Int32Array(256);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Time of the next event, `Infinity` when there is none. */
  get nextMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number);
  }

  /** What kind of event is next. Only while `size` > 0. */
  get nextKind(): number {
    return this.#kinds[0] as number;
  }

  /** Whom the next event is about. Only while `size` > 0. */
  get nextSubject(): number {
    return this.#subjects[0] as number;
  }

  /** `kind` 0 to 255, `subject` a 32-bit number. An event that never comes is left out. */
  push(atMs: number, kind: number, subject: number): void {
    if (!(atMs < Number.POSITIVE_INFINITY)) return;
    if (this.#size === this.#times.length) this.#grow();
    let at = this.#size;
    this.#size += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] as number) <= atMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, atMs, kind, subject);
  }

  /** Takes the next event away. */
  pop(): void {
    this.#size -= 1;
    const last = this.#size;
    const atMs = this.#times[last] as number;
    const kind = this.#kinds[last] as number;
    const subject = this.#subjects[last] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      const right = child + 1;
      if (right < last && (this.#times[right] as number) < (this.#times[child] as number)) child = right;
      if ((this.#times[child] as number) >= atMs) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, atMs, kind, subject);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from] as number, this.#kinds[from] as number, this.#subjects[from] as number);
  }

  #put(at: number, atMs: number, kind: number, subject: number): void {
    this.#times[at] = atMs;
    this.#kinds[at] = kind;
    this.#subjects[at] = subject;
  }

  #grow(): void {
    const length = this.#times.length * 2;
    const [times, kinds, subjects] = [this.#times, this.#kinds, this.#subjects];
    this.#times = new Float64Array(length);
    this.#kinds = new Uint8Array(length);
    this.#subjects = new Int32Array(length);
    this.#times.set(times);
    this.#kinds.set(kinds);
    this.#subjects.set(subjects);
  }
}
