/**
 * What is kept of a pool's decision, and when: whoever asks later "why 7 workers?" is answered from here.
 *
 * Pure but for counting its records. It decides nothing.
 */
import type { SluiceConfig } from "#shared/sluice-config";
import type { PoolRelease } from "./scaling/decide-lane-owners.ts";
import type { StartDelayEstimate } from "./scaling/estimate-start-delay.ts";
import type { PoolPlan } from "./scaling/pool-planner.ts";
import type { DecisionRecord, QueueView } from "./snapshot.ts";

/** A decision that repeats the last one with nothing to do is recorded this often. */
const REPEAT_RECORD_MS = 60_000;

export type Action = DecisionRecord["actions"][number];

export interface DecidedPool {
  readonly plan: PoolPlan;
  /** RFC 3339, of the observation. */
  readonly observedAt: string;
  readonly queue: QueueView;
  readonly releases: readonly PoolRelease[];
  readonly actions: readonly Action[];
  /** Why releases cannot be started right now, in sentences. */
  readonly blocked: readonly string[];
  readonly startDelay: StartDelayEstimate;
}

export class PoolRecords {
  readonly #queue: string;
  readonly #config: SluiceConfig;
  #number = 0;
  #last: { readonly atMs: number; readonly gist: string } | null = null;

  constructor(queue: string, config: SluiceConfig) {
    this.#queue = queue;
    this.#config = config;
  }

  /**
   * The record of a decision, `null` when it repeats the last one.
   *
   * @param at.nowMs of a clock that only rises. @param at.epoch of the leader that decided.
   */
  next(decided: DecidedPool, at: { readonly nowMs: number; readonly epoch: number }): DecisionRecord | null {
    const { decision, sized } = decided.plan;
    const gist = JSON.stringify([decision.desired, decision.reason, decision.orphanLanes, decided.blocked]);
    const hasWork = sized.some(({ lane }) => lane.hasWork);
    const repeats = this.#last?.gist === gist && decided.actions.length === 0 && !hasWork;
    const sinceMs = at.nowMs - (this.#last?.atMs ?? Number.NEGATIVE_INFINITY);
    if (repeats && sinceMs < REPEAT_RECORD_MS) return null;
    this.#last = { atMs: at.nowMs, gist };
    this.#number += 1;
    return this.#recordOf(decided, `${at.epoch}-${this.#number}`);
  }

  #recordOf(decided: DecidedPool, id: string): DecisionRecord {
    const { plan, queue, releases, actions, blocked, startDelay } = decided;
    const { decision, sized } = plan;
    return {
      id,
      at: decided.observedAt,
      queue: this.#queue,
      kind: decision.kind,
      reason: decision.reason,
      sentence: [decision.sentence, ...blocked].join(" "),
      present: Object.fromEntries(releases.map((it) => [it.release, it.workers])),
      wanted: decision.wanted,
      desired: decision.desired,
      limitedBy: decision.limitedBy,
      actions,
      inputs: {
        lanes: queue.lanes,
        slots: Object.fromEntries(sized.map(({ lane, slots }) => [lane.lane, slots])),
        orphanLanes: decision.orphanLanes,
        releases,
        startDelay,
        pickupPromiseMs: this.#config.queues[this.#queue]?.pickupPromiseMs ?? null,
        policy: this.#config.pools[this.#queue],
      },
    };
  }
}
