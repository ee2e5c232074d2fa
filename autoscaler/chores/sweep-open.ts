/**
 * Chore: jobs that have ended leave their tenants' sets of open jobs.
 *
 * Workers take them out as they end; what a killed worker had not told is found here. A round looks at some of some sets and
 * the next goes on from there, so every set is looked at from its oldest to its newest and then again.
 */
import { laneName, parkedName } from "#shared/lane";
import type { ChoreStore } from "#shared/redis/chore-store";
import type { RegistryDocument } from "#shared/registry/registry-document";

/** Ids of a set looked at in a round, and sets. */
const IDS_MAX = 500;
const SETS_MAX = 20;

export interface SweepOpenPorts {
  readonly store: Pick<ChoreStore, "tenantsOf" | "sweepOpen">;
  registry(): RegistryDocument;
  onSwept(queue: string, jobs: number): void;
}

interface OpenSet {
  readonly name: string;
  readonly queue: string;
  readonly tenant: string;
  /** Where its jobs can be. */
  readonly places: readonly string[];
}

export class SweepOpen {
  readonly name = "sweep-open";
  readonly #ports: SweepOpenPorts;
  /** How many of the oldest ids of a set are known to be open. */
  readonly #skips = new Map<string, number>();
  /** Number of the set to go on with. */
  #next = 0;

  constructor(ports: SweepOpenPorts) {
    this.#ports = ports;
  }

  /** Rejects when Redis is away. */
  async round(): Promise<void> {
    const sets = await this.#sets();
    const known = new Set(sets.map(({ name }) => name));
    for (const name of this.#skips.keys()) if (!known.has(name)) this.#skips.delete(name);
    const count = Math.min(SETS_MAX, sets.length);
    for (let at = 0; at < count; at += 1) {
      const set = sets[(this.#next + at) % sets.length];
      if (set !== undefined) await this.#sweep(set);
    }
    this.#next = sets.length === 0 ? 0 : (this.#next + count) % sets.length;
  }

  async #sets(): Promise<readonly OpenSet[]> {
    const { store, registry } = this.#ports;
    const all = Object.entries(registry().queues).map(async ([queue, { generations }]) => {
      const places = [...generations.map((it) => laneName(queue, it.generation)), parkedName(queue)];
      const tenants = await store.tenantsOf(queue);
      return tenants.map((tenant) => ({ name: `${queue} ${tenant}`, queue, tenant, places }));
    });
    return (await Promise.all(all)).flat();
  }

  async #sweep({ name, ...set }: OpenSet): Promise<void> {
    const { store, onSwept } = this.#ports;
    const skip = this.#skips.get(name) ?? 0;
    const { removed, seen } = await store.sweepOpen(set, { skip, max: IDS_MAX });
    // At the end it begins anew with the oldest.
    this.#skips.set(name, seen < IDS_MAX ? 0 : skip + seen - removed);
    if (removed > 0) onSwept(set.queue, removed);
  }
}
