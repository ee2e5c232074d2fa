/**
 * Shows and changes what operators set over scaling: freezes and bounds. Stamps each change by Redis' clock and
 * leaves the judgement to `shared/scaling/`.
 *
 * It starts and stops nobody: the leader's next round takes what is stored into account.
 */
import type { ScalingOverridesStore } from "#shared/redis/scaling-overrides-store";
import {
  type OverridesChange,
  withBounds,
  withFreeze,
  withoutBounds,
  withoutFreeze,
} from "#shared/scaling/change-overrides";
import {
  ALL_POOLS,
  type BoundsOverride,
  type Freeze,
  type PoolBounds,
} from "#shared/scaling/overrides-document";
import { boundsInForce, isInForce, overridesOf } from "#shared/scaling/resolve-overrides";
import { toRfc3339 } from "#shared/system-clock";
import type { Snapshot, WorkerView } from "./snapshot.ts";

/** What holds for one pool now. */
export interface PoolControl {
  readonly pool: string;
  /** What the configuration file says. */
  readonly configured: PoolBounds;
  readonly inForce: PoolBounds;
  /** The one that rules, of this pool or of all; without the numbers of other pools. */
  readonly freeze: Omit<Freeze, "held"> | null;
  /** Workers by release that the freeze holds; `null` without one. */
  readonly held: Readonly<Record<string, number>> | null;
  readonly bounds: BoundsOverride | null;
}

export interface OverridesView {
  readonly revision: number;
  /** RFC 3339, Redis' clock. */
  readonly at: string;
  /** Of the configuration, by name. */
  readonly pools: readonly PoolControl[];
  /** Whether all pools are frozen, those too that the configuration will name later. */
  readonly allFrozen: Omit<Freeze, "held"> | null;
}

interface Asked {
  /** A pool of the configuration. */
  readonly pool: string;
  readonly by: string;
  readonly why: string;
  readonly expiresInMs: number;
  /** The revision that the caller saw; `null`: whatever it is. */
  readonly expected: number | null;
}

/** `pool` may be `*`: all of them. */
export interface FreezeRequest extends Asked {
  readonly hard: boolean;
}

export interface BoundsRequest extends Asked {
  readonly workersMin: number | null;
  readonly workersMax: number | null;
  readonly beyondConfig: boolean;
}

export interface DropRequest {
  readonly pool: string;
  readonly expected: number | null;
}

/** `unknown-pool`: the configuration has none of that name. */
export type KeptChange =
  | OverridesChange
  | { readonly kind: "unknown-pool"; readonly pools: readonly string[] };

export interface OverridesKeeperPorts {
  readonly store: Pick<ScalingOverridesStore, "read" | "change">;
  readonly config: { readonly pools: Readonly<Record<string, PoolBounds>> };
  /** A look at most a second old; rejects when Redis is away. */
  snapshot(): Promise<Snapshot>;
}

export class OverridesKeeper {
  readonly #ports: OverridesKeeperPorts;

  constructor(ports: OverridesKeeperPorts) {
    this.#ports = ports;
  }

  /** Rejects when Redis is away. */
  async view(): Promise<OverridesView> {
    const { document, nowMs } = await this.#ports.store.read();
    const all = document.freezes.find((it) => it.pool === ALL_POOLS && isInForce(it, nowMs));
    return {
      revision: document.revision,
      at: toRfc3339(nowMs),
      pools: Object.entries(this.#ports.config.pools).map(([pool, { workersMin, workersMax }]) => {
        const configured = { workersMin, workersMax };
        const { freeze, bounds } = overridesOf(document, pool, nowMs);
        const inForce = boundsInForce(configured, bounds);
        const held = freeze?.held[pool] ?? null;
        return { pool, configured, inForce, freeze: withoutHeld(freeze), held, bounds };
      }),
      allFrozen: withoutHeld(all ?? null),
    };
  }

  /** Holds the number of a pool, or of all. Rejects when Redis is away. */
  async freeze({ pool, hard, by, why, expiresInMs, expected }: FreezeRequest): Promise<KeptChange> {
    const names = Object.keys(this.#ports.config.pools);
    if (pool !== ALL_POOLS && !names.includes(pool)) return { kind: "unknown-pool", pools: names };
    const held = heldBy((await this.#ports.snapshot()).workers, pool === ALL_POOLS ? names : [pool]);
    return this.#ports.store.change(({ document, nowMs }) => {
      const times = { at: toRfc3339(nowMs), expiresAt: toRfc3339(nowMs + expiresInMs) };
      return withFreeze(document, { pool, hard, held, by, why, ...times }, nowMs);
    }, expected);
  }

  /** Rejects when Redis is away. */
  thaw({ pool, expected }: DropRequest): Promise<KeptChange> {
    return this.#ports.store.change(({ document, nowMs }) => withoutFreeze(document, pool, nowMs), expected);
  }

  /** Sets other bounds than the configuration's. Rejects when Redis is away. */
  async bound({ expiresInMs, expected, ...asked }: BoundsRequest): Promise<KeptChange> {
    const { pools } = this.#ports.config;
    const configured = Object.hasOwn(pools, asked.pool) ? pools[asked.pool] : undefined;
    if (configured === undefined) return { kind: "unknown-pool", pools: Object.keys(pools) };
    return this.#ports.store.change(({ document, nowMs }) => {
      const times = { at: toRfc3339(nowMs), expiresAt: toRfc3339(nowMs + expiresInMs) };
      return withBounds(document, { override: { ...asked, ...times }, configured }, nowMs);
    }, expected);
  }

  /** The configuration's bounds hold again. Rejects when Redis is away. */
  unbound({ pool, expected }: DropRequest): Promise<KeptChange> {
    return this.#ports.store.change(({ document, nowMs }) => withoutBounds(document, pool, nowMs), expected);
  }
}

/** Workers by pool and release that are there: those that leave, or are dead, are not held. */
function heldBy(workers: readonly WorkerView[], pools: readonly string[]): Freeze["held"] {
  const held = new Map(pools.map((pool) => [pool, new Map<string, number>()]));
  for (const { queue, release, state } of workers) {
    if (state === "dead" || state === "draining") continue;
    const releases = held.get(queue);
    releases?.set(release, (releases.get(release) ?? 0) + 1);
  }
  return Object.fromEntries([...held].map(([pool, releases]) => [pool, Object.fromEntries(releases)]));
}

function withoutHeld(freeze: Freeze | null): Omit<Freeze, "held"> | null {
  if (freeze === null) return null;
  const { held: _held, ...rest } = freeze;
  return rest;
}
