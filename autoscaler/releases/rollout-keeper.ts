/**
 * Leads the rollouts of the pools that are taken over by rollouts only: observe, decide, store, carry out, each round.
 *
 * Nothing is remembered that matters: the document is in Redis, orders follow from it and from what is seen, and all of
 * them are given anew each round. So a leader that is gone between a write and its orders costs the next one's look. What
 * cannot be read leaves a pool as it is: workers stay, and go on with what they were told.
 */
import type { Log } from "#shared/log";
import type { ProbeStore } from "#shared/redis/probe-store";
import type { ReleaseCountersStore } from "#shared/redis/release-counters-store";
import type { ReleaseOrdersStore } from "#shared/redis/release-orders-store";
import type { RolloutStore } from "#shared/redis/rollout-store";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { rolloutPolicyOf, type SluiceConfig } from "#shared/sluice-config";
import type { Term } from "../leadership.ts";
import { isFinished } from "../rollout/decide-leaving.ts";
import type { Order } from "../rollout/decide-orders.ts";
import { decideTransition, type RolloutRecord } from "../rollout/decide-transition.ts";
import type { Rollout } from "../rollout/rollout-document.ts";
import type { RolloutObservation } from "../rollout/rollout-observation.ts";
import { decidePoolReleases, type PoolReleases } from "./decide-pool-releases.ts";
import { decideReleaseOrders, type PoolOrders, type ReleaseDocument } from "./decide-release-orders.ts";
import { decideRolloutPace } from "./decide-rollout-pace.ts";
import { KeptRollouts } from "./kept-rollouts.ts";
import { observeRollout, type ReleaseCounters } from "./observe-rollout.ts";
import { type Look, laneNames, presentIn } from "./present-in-pool.ts";
import type { RolloutActs } from "./rollout-acts.ts";

export interface RolloutKeeperPorts {
  readonly config: SluiceConfig;
  readonly log: Log;
  readonly store: Pick<RolloutStore, "readAll" | "past" | "change" | "note">;
  readonly orders: Pick<ReleaseOrdersStore, "give" | "read">;
  readonly counters: Pick<ReleaseCountersStore, "read">;
  readonly probes: Pick<ProbeStore, "read">;
  readonly acts: Pick<RolloutActs, "carryOut">;
}

/** What the last look at a rollout was decided on and came to. */
export interface SeenRollout {
  readonly observation: RolloutObservation;
  readonly record: RolloutRecord;
}

export interface StepInput {
  readonly observation: Look;
  /** Workers that the planner wants. */
  readonly workersWanted: number;
  readonly term: Pick<Term, "epoch" | "require">;
}

export interface PoolSplit extends Pick<PoolOrders, "desired" | "taking"> {
  readonly rollout: Rollout | null;
}

export class RolloutKeeper {
  readonly #ports: RolloutKeeperPorts;
  readonly #kept: KeptRollouts;
  readonly #seen = new Map<string, SeenRollout>();
  readonly #parts = new Map<string, { readonly stage: string; readonly counters: ReleaseCounters }>();
  readonly #told = new Map<string, Readonly<Record<string, ReleaseDocument>>>();
  #toldEpoch = -1;
  #moved = false;

  constructor(ports: RolloutKeeperPorts) {
    this.#ports = ports;
    this.#kept = new KeptRollouts(ports);
  }

  /** Reads the newest documents. Rejects when Redis is away. */
  async refresh(): Promise<void> {
    this.#moved = false;
    const { config } = this.#ports;
    await this.#kept.refresh(Object.keys(config.pools).filter((pool) => this.#isKept(pool)));
  }

  /** Releases that have a part in the pool; `null`: a pool that its newest release takes at once. */
  releasesOf(pool: string, document: RegistryDocument): PoolReleases | null {
    if (!this.#isKept(pool)) return null;
    const { rollout } = this.#kept.of(pool);
    return decidePoolReleases(rollout, this.#startable(pool, document));
  }

  /** Old and new workers of the pool may be there together: it may have up to twice its workers, and a probe's. */
  isActive(pool: string): boolean {
    const { rollout } = this.#kept.of(pool);
    return this.#isKept(pool) && rollout !== null && !isFinished(rollout);
  }

  /** How soon rollouts are to be looked at again, in milliseconds; `null`: with the next tick. */
  get paceMs(): number | null {
    return decideRolloutPace(this.#kept.rollouts, this.#moved);
  }

  /** Somebody else leads: what was seen here is of the past. */
  standBy(): void {
    this.#seen.clear();
  }

  /** The last look of this process; `null` when it made none of this rollout. */
  seen(rollout: Pick<Rollout, "id" | "pool">): SeenRollout | null {
    const seen = this.#seen.get(rollout.pool) ?? null;
    return seen?.record.rollout === rollout.id ? seen : null;
  }

  /**
   * One look at the pool's rollout; the split of the workers that follows. `null`: the pool's workers are not split.
   *
   * @throws {StaleEpochError} when the term is over. Rejects when Redis is away.
   */
  async step(pool: string, input: StepInput): Promise<PoolSplit | null> {
    if (!this.#isKept(pool)) return this.#letGo(pool, input);
    const { observation, workersWanted } = input;
    const orders = await this.#decide(pool, input);
    const { rollout, failedBefore } = this.#kept.of(pool);
    const parts = decidePoolReleases(rollout, this.#startable(pool, observation.document));
    const isOurs = rollout === null || parts.incumbent === rollout.from || parts.incumbent === rollout.to;
    const before = await this.#toldBefore(pool, input.term.epoch);
    const split = decideReleaseOrders({
      orders: isOurs ? orders : [],
      pool: parts,
      ...presentIn(pool, observation),
      before,
      discounted: failedBefore,
      workersWanted,
      ownLanes: (release) => laneNames(pool, release, { observation, parts: parts.parts }),
    });
    if (this.#kept.isUnreadable(pool))
      return { ...split, desired: presentIn(pool, observation).present, rollout };
    input.term.require();
    await this.#ports.orders.give(pool, split.documents, input.term.epoch);
    this.#told.set(pool, split.documents);
    if (rollout !== null) {
      const acts = [...orders, ...this.#leftBehind(pool, parts)].filter((it) =>
        this.#mayAct(it, pool, input),
      );
      await this.#ports.acts.carryOut(acts, { ...input, rollout });
    }
    return { desired: split.desired, taking: split.taking, rollout };
  }

  async #decide(pool: string, { observation, workersWanted, term }: StepInput): Promise<readonly Order[]> {
    const { store, config } = this.#ports;
    const { rollout } = this.#kept.of(pool);
    if (rollout === null || this.#kept.isUnreadable(pool)) return [];
    const seen = await this.#observe(rollout, { observation, workersWanted, term });
    const event = { kind: "observed" as const, revision: rollout.revision, observation: seen };
    const policy = rolloutPolicyOf(config, pool);
    const decision = decideTransition(rollout, event, { policy, nowMs: observation.redisNowMs });
    if (decision.kind === "refused") return [];
    const { record } = decision;
    if (decision.kind === "moved") {
      term.require();
      const change = { expected: rollout.revision, rollout: decision.rollout, record, epoch: term.epoch };
      // Somebody else was first: the next look is at what they stored.
      if (!(await store.change(change))) return [];
      this.#moved = true;
      this.#kept.stored(decision.rollout);
      this.#ports.log.info({ rollout: rollout.id, from: record.from, to: record.to }, record.sentence);
    } else if (gistOf(record) !== gistOf(this.#seen.get(pool)?.record)) {
      await store.note(pool, record, term.epoch);
    }
    this.#seen.set(pool, { observation: seen, record });
    return decision.orders;
  }

  async #observe(rollout: Rollout, { observation, workersWanted }: StepInput): Promise<RolloutObservation> {
    const { counters, probes } = this.#ports;
    const { pool, from, to, drainers } = rollout;
    const releases = [from, to, ...drainers.map(({ release }) => release)];
    const [counted, probe] = await Promise.all([
      counters.read(pool, releases),
      rollout.probe === null ? null : probes.read(pool, to),
    ]);
    const { parts } = decidePoolReleases(rollout, this.#startable(pool, observation.document));
    return observeRollout({
      observation,
      rollout,
      workersWanted,
      counters: counted,
      probe,
      partsBefore: this.#partsBefore(rollout, counted[to] ?? {}),
      parts,
    });
  }

  /** A stage that this process did not see opening is told with all that its release ever ran. */
  #partsBefore(rollout: Rollout, counters: ReleaseCounters): ReleaseCounters {
    const { id, pool, stage, updatedAtMs } = rollout;
    const key = `${id}|${stage?.openedAtMs ?? 0}`;
    const known = this.#parts.get(pool);
    if (known?.stage === key) return known.counters;
    const isNew = stage === null || updatedAtMs === stage.openedAtMs;
    const before = isNew ? counters : {};
    this.#parts.set(pool, { stage: key, counters: before });
    return before;
  }

  /** What the releases were told last, by a leader before this one too. */
  async #toldBefore(pool: string, epoch: number): Promise<Readonly<Record<string, ReleaseDocument>>> {
    if (this.#toldEpoch !== epoch) this.#told.clear();
    this.#toldEpoch = epoch;
    const told = this.#told.get(pool) ?? (await this.#ports.orders.read(pool));
    this.#told.set(pool, told);
    return told;
  }

  /** A pool that is no more taken over by rollouts: its releases are told nothing. */
  async #letGo(pool: string, { term }: StepInput): Promise<null> {
    const told = await this.#toldBefore(pool, term.epoch);
    if (Object.keys(told).length === 0) return null;
    term.require();
    await this.#ports.orders.give(pool, {}, term.epoch);
    this.#told.set(pool, {});
    return null;
  }

  /** What an earlier rollout did not come to retire, since the next one began. */
  #leftBehind(pool: string, { parts }: PoolReleases): readonly Order[] {
    return this.#kept
      .of(pool)
      .leftBefore.filter((release) => !parts.has(release))
      .map((release) => ({ kind: "retire", release, forced: false }));
  }

  /** A release retires as a whole: not while it has a part in another pool. */
  #mayAct(order: Order, pool: string, { observation }: StepInput): boolean {
    if (order.kind !== "retire") return true;
    const others = Object.keys(this.#ports.config.pools).filter((it) => it !== pool);
    return others.every((it) => {
      const known = observation.document.releases[order.release];
      if (known === undefined || !Object.hasOwn(known.queues, it)) return true;
      return this.releasesOf(it, observation.document)?.parts.has(order.release) !== true;
    });
  }

  #isKept(pool: string): boolean {
    return this.#ports.config.pools[pool]?.takeover === "rollout";
  }

  /** Live releases of the pool that the configuration can start, oldest first. */
  #startable(pool: string, { releases }: RegistryDocument): readonly string[] {
    const named = new Set(this.#ports.config.releases.map(({ id }) => id));
    return Object.entries(releases)
      .filter(([id, it]) => it.state === "live" && named.has(id) && Object.hasOwn(it.queues, pool))
      .toSorted(([, a], [, b]) => a.order - b.order)
      .map(([id]) => id);
  }
}

/** What makes a look that changed nothing another one than the last: not its numbers. */
function gistOf(record: RolloutRecord | undefined): string {
  if (record === undefined) return "";
  const { rollout, revision, to, code, evaluations } = record;
  const gates = evaluations.map(({ gate, outcome }) => `${gate} ${outcome}`);
  return JSON.stringify([rollout, revision, to, code, gates]);
}
