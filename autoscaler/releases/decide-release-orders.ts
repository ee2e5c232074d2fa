/**
 * What the workers of each release of a pool are told, and how many there are to be, from a rollout's orders.
 *
 * Pure, and the same for the same orders. A release without a part takes nothing and has no worker. One that is not
 * ordered about keeps what it was told last, since what is not known orders nothing.
 */
import type { ReleaseOrders } from "#shared/rollout/release-orders";
import type { Order } from "../rollout/decide-orders.ts";
import type { PoolReleases } from "./decide-pool-releases.ts";

export type ReleaseDocument = Omit<ReleaseOrders, "epoch">;

export interface OrdersInput {
  readonly orders: readonly Order[];
  readonly pool: PoolReleases;
  /** Every release that is known in the pool, or has a worker there. */
  readonly releases: readonly string[];
  /** Workers by release that hold a place. */
  readonly present: Readonly<Record<string, number>>;
  /** Those that are quarantined: they hold a place and take nothing, so another stands in for each. */
  readonly quarantined: Readonly<Record<string, number>>;
  /** What each release was told last. */
  readonly before: Readonly<Record<string, ReleaseDocument>>;
  /** Releases of the past whose failures do not count either. */
  readonly discounted: readonly string[];
  /** Workers that the planner wants; for a pool without a rollout. */
  readonly workersWanted: number;
  /** Lanes that no other release with a part reads. */
  ownLanes(release: string): readonly string[];
}

export interface PoolOrders {
  /** Workers that there are to be. */
  readonly desired: Readonly<Record<string, number>>;
  /** Those of them that take jobs. */
  readonly taking: Readonly<Record<string, number>>;
  readonly documents: Readonly<Record<string, ReleaseDocument>>;
}

const ALL: ReleaseDocument = { takes: "all", lanes: [], probeAttempt: null, handBack: false, discounted: [] };

type Share = Extract<Order, { kind: "share" }>;

export function decideReleaseOrders(input: OrdersInput): PoolOrders {
  const told = input.releases.map((release) => [release, tell(release, input)] as const);
  const discounted = discountedBy(input);
  return {
    desired: Object.fromEntries(told.map(([release, { workers }]) => [release, workers])),
    taking: Object.fromEntries(
      told.map(([release, { workers, document }]) => [release, document.takes === "all" ? workers : 0]),
    ),
    documents: Object.fromEntries(
      told.map(([release, { document }]) => [release, { ...document, discounted }]),
    ),
  };
}

function tell(
  release: string,
  input: OrdersInput,
): { readonly workers: number; readonly document: ReleaseDocument } {
  const { orders, pool, present, before, workersWanted } = input;
  if (!pool.parts.has(release)) return { workers: 0, document: { ...ALL, takes: "nothing" } };
  const share = orders.find((it): it is Share => it.kind === "share" && it.release === release);
  if (share !== undefined) return ordered(share, input);
  const isWithoutRollout = orders.length === 0 && pool.parts.size === 1;
  if (isWithoutRollout) return { workers: workersWanted, document: ALL };
  const kept = before[release] ?? (release === pool.incumbent ? ALL : { ...ALL, takes: "nothing" as const });
  return { workers: present[release] ?? 0, document: kept };
}

function ordered({ release, workers, takes }: Share, { orders, quarantined, ownLanes }: OrdersInput) {
  const probe = orders.find((it) => it.kind === "start-probe" && it.release === release);
  return {
    workers: workers === 0 ? 0 : workers + (quarantined[release] ?? 0),
    document: {
      takes,
      lanes: takes === "own-lanes" ? [...ownLanes(release)] : [],
      probeAttempt: probe?.kind === "start-probe" ? probe.attempt : null,
      handBack: orders.some((it) => it.kind === "hand-back" && it.release === release),
      discounted: [],
    },
  };
}

/** A release that is to run jobs again counts again. */
function discountedBy({ orders, discounted, pool }: OrdersInput): string[] {
  const now = orders.flatMap((it) => (it.kind === "requeue-exhausted" ? [it.release] : []));
  const past = discounted.filter((it) => !pool.parts.has(it));
  return [...new Set([...now, ...past])].sort();
}
