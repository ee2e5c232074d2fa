/**
 * The newest rollout of each pool as it was read last, and what its past leaves to be done.
 *
 * It reads and remembers; the truth is in Redis. A document that cannot be read is told once, and the one before stays
 * known, but for nothing to be done by it.
 */
import type { Log } from "#shared/log";
import type { RolloutStore } from "#shared/redis/rollout-store";
import { type Rollout, rolloutDocument } from "../rollout/rollout-document.ts";
import { incumbentOf } from "./decide-pool-releases.ts";

export interface Kept {
  readonly rollout: Rollout | null;
  /** Releases that were still leaving when the next rollout began. */
  readonly leftBefore: readonly string[];
  /** Failed releases of the pool's past. */
  readonly failedBefore: readonly string[];
}

const NOTHING: Kept = { rollout: null, failedBefore: [], leftBefore: [] };

export class KeptRollouts {
  readonly #store: Pick<RolloutStore, "readAll" | "past">;
  readonly #log: Log;
  readonly #kept = new Map<string, Kept>();
  readonly #unreadable = new Set<string>();

  constructor({ store, log }: { readonly store: Pick<RolloutStore, "readAll" | "past">; readonly log: Log }) {
    this.#store = store;
    this.#log = log;
  }

  of(pool: string): Kept {
    return this.#kept.get(pool) ?? NOTHING;
  }

  get rollouts(): readonly Rollout[] {
    return [...this.#kept.values()].flatMap(({ rollout }) => rollout ?? []);
  }

  isUnreadable(pool: string): boolean {
    return this.#unreadable.has(pool);
  }

  /** Reads the newest documents. Rejects when Redis is away. */
  async refresh(pools: readonly string[]): Promise<void> {
    if (pools.length === 0) return;
    const stored = await this.#store.readAll();
    for (const pool of pools) await this.#read(pool, stored);
  }

  /** What has just been stored of the pool's newest rollout. */
  stored(rollout: Rollout): void {
    this.#kept.set(rollout.pool, { ...this.of(rollout.pool), rollout });
  }

  async #read(pool: string, stored: ReadonlyMap<string, unknown>): Promise<void> {
    if (!stored.has(pool)) {
      this.#unreadable.delete(pool);
      this.#kept.set(pool, NOTHING);
      return;
    }
    const read = rolloutDocument.safeParse(stored.get(pool));
    if (!read.success) {
      if (!this.#unreadable.has(pool)) this.#log.error({ pool }, "the pool's rollout cannot be read");
      this.#unreadable.add(pool);
      return;
    }
    this.#unreadable.delete(pool);
    const known = this.of(pool);
    const isSame = known.rollout?.id === read.data.id;
    this.#kept.set(pool, { ...(isSame ? known : await this.#before(pool)), rollout: read.data });
  }

  async #before(pool: string): Promise<Omit<Kept, "rollout">> {
    const stored = await this.#store.past(pool);
    const past = stored.flatMap((it) => rolloutDocument.safeParse(it).data ?? []);
    const left = past.filter((it) => incumbentOf(it) === it.to && it.state !== "retired");
    return {
      failedBefore: past.filter(({ back }) => back?.failed === true).map(({ to }) => to),
      leftBefore: left.map(({ from }) => from),
    };
  }
}
