/**
 * Where requests wait for their turn: tenants take turns, and within a tenant the most important goes first.
 *
 * A tenant that sends ten times as much as another waits ten times as long and the other does not wait for it. Knows
 * no time and refuses nobody; a tenant without a request here is forgotten.
 */
import { PRIORITIES, type Priority } from "#shared/envelope";

/** A queue that takes from its front without moving what is behind. */
class Line<Entry> {
  #entries: (Entry | undefined)[] = [];
  #front = 0;

  get first(): Entry | undefined {
    return this.#entries[this.#front];
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
  }

  take(): Entry | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    this.#entries[this.#front] = undefined;
    this.#front += 1;
    if (this.#front === this.#entries.length) {
      this.#entries = [];
      this.#front = 0;
    } else if (this.#front >= 1_024) {
      this.#entries = this.#entries.slice(this.#front);
      this.#front = 0;
    }
    return first;
  }
}

interface Tenant<Entry> {
  /** In the order of `PRIORITIES`. */
  readonly lines: readonly Line<Entry>[];
  waiting: number;
  arrived: number;
}

export class WaitingRoom<Entry> {
  /** In the order in which they have their turns. */
  readonly #tenants = new Map<string, Tenant<Entry>>();
  #size = 0;

  /** Requests that wait. */
  get size(): number {
    return this.#size;
  }

  /** Tenants of which any waits. */
  get tenants(): number {
    return this.#tenants.size;
  }

  waitingOf(tenant: string): number {
    return this.#tenants.get(tenant)?.waiting ?? 0;
  }

  /** How many of the tenant have come since one of it last found the room without any. */
  arrivedOf(tenant: string): number {
    return this.#tenants.get(tenant)?.arrived ?? 0;
  }

  /** Of those of the tenant and priority, the one that has waited longest. */
  firstOf(tenant: string, priority: Priority): Entry | undefined {
    return this.#tenants.get(tenant)?.lines[PRIORITIES.indexOf(priority)]?.first;
  }

  add(entry: Entry, tenant: string, priority: Priority): void {
    let of = this.#tenants.get(tenant);
    if (of === undefined) {
      of = { lines: PRIORITIES.map(() => new Line<Entry>()), waiting: 0, arrived: 0 };
      this.#tenants.set(tenant, of);
    }
    of.lines[PRIORITIES.indexOf(priority)]?.add(entry);
    of.waiting += 1;
    of.arrived += 1;
    this.#size += 1;
  }

  /** Takes the next out of whose tenant and priority one may begin; its tenant's next turn is after all others'. */
  next(mayBegin: (tenant: string, priority: Priority) => boolean): Entry | undefined {
    for (const [name, of] of this.#tenants) {
      const line = of.lines.findIndex(({ first }) => first !== undefined);
      // The first is the most important: with no place for it there is none for the others.
      if (!mayBegin(name, PRIORITIES[line] ?? "low")) continue;
      const entry = of.lines[line]?.take();
      this.#took(of);
      this.#tenants.delete(name);
      if (of.waiting > 0) this.#tenants.set(name, of);
      return entry;
    }
    return undefined;
  }

  /** Takes out up to `max` of those at the front of their lines of which `isOver` holds. */
  takeWhere(isOver: (entry: Entry) => boolean, max: number): readonly Entry[] {
    const taken: Entry[] = [];
    for (const [name, of] of this.#tenants) {
      for (const line of of.lines) {
        while (taken.length < max && line.first !== undefined && isOver(line.first)) {
          taken.push(line.first);
          line.take();
          this.#took(of);
        }
      }
      if (of.waiting === 0) this.#tenants.delete(name);
    }
    return taken;
  }

  #took(of: Tenant<Entry>): void {
    of.waiting -= 1;
    this.#size -= 1;
  }
}
