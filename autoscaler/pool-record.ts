/**
 * What is kept of a pool's decision, and when: whoever asks later "why 7 workers?" is answered from here.
 *
 * Pure but for counting its records. It decides nothing. A record is of bounded size whatever the pool's: of many
 * lanes the largest are told one by one and the others in sum. A decision that repeats the last one, hold for hold,
 * is recorded now and then only.
 */
import { decisionId } from "#shared/redis/decision-store";
import type { PoolBounds } from "#shared/scaling/overrides-document";
import type { PoolOverrides } from "#shared/scaling/resolve-overrides";
import { type DecisionRecord, RECORD_VERSION } from "./decision-record.ts";
import type { Split } from "./pool-split.ts";
import { jobsIn, recordLane, summedUp } from "./record-lanes.ts";
import type { decideFreeze } from "./scaling/decide-freeze.ts";
import type { PoolRelease } from "./scaling/decide-lane-owners.ts";
import type { StartDelayEstimate } from "./scaling/estimate-start-delay.ts";
import type { SizedLane } from "./scaling/planner-input.ts";
import type { PoolPlan } from "./scaling/pool-planner.ts";
import type { QueueView } from "./snapshot.ts";

/** A decision that repeats the last one is recorded this often. */
const REPEAT_RECORD_MS = 60_000;

/** While there is work its inputs move, and who asks later wants to see them move. */
const REPEAT_WITH_WORK_MS = 20_000;

const LANES_MAX = 20;
const NAMES_MAX = 50;
const SENTENCE_CHARS_MAX = 2_000;

/** Room for the largest record; the lanes are cut until it fits. */
export const RECORD_CHARS_MAX = 49_152;

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
  /** Of the clock that the plan was made by, in milliseconds. */
  readonly plannedAtMs: number;
  /** In force when it was decided. */
  readonly bounds: PoolBounds;
  readonly overrides: PoolOverrides;
  /** What a freeze made of the plan, `null` without one. */
  readonly frozen: ReturnType<typeof decideFreeze> | null;
  /** How a rollout splits the number; `null` or missing where none does. */
  readonly split?: Split | null;
}

/** What is read of the configuration. */
export interface RecordedConfig {
  readonly queues: Readonly<Record<string, { readonly pickupPromiseMs: number }>>;
  readonly pools: Readonly<Record<string, object>>;
}

export class PoolRecords {
  readonly #queue: string;
  readonly #config: RecordedConfig;
  #number = 0;
  #last: { readonly atMs: number; readonly gist: string } | null = null;

  constructor(queue: string, config: RecordedConfig) {
    this.#queue = queue;
    this.#config = config;
  }

  /**
   * The record of a decision, `null` when it repeats the last one.
   *
   * @param at.nowMs of a clock that only rises. @param at.epoch of the leader that decided.
   */
  next(decided: DecidedPool, at: { readonly nowMs: number; readonly epoch: number }): DecisionRecord | null {
    const gist = gistOf(decided);
    const hasWork = decided.plan.sized.some(({ lane }) => lane.hasWork);
    const repeats = this.#last?.gist === gist && decided.actions.length === 0;
    const sinceMs = at.nowMs - (this.#last?.atMs ?? Number.NEGATIVE_INFINITY);
    if (repeats && sinceMs < (hasWork ? REPEAT_WITH_WORK_MS : REPEAT_RECORD_MS)) return null;
    this.#last = { atMs: at.nowMs, gist };
    this.#number += 1;
    return bounded(this.#recordOf(decided, decisionId(this.#queue, at.epoch, this.#number)));
  }

  #recordOf(decided: DecidedPool, id: string): DecisionRecord {
    const { plan, releases, actions, blocked, startDelay, bounds, overrides, frozen, split } = decided;
    const { decision } = plan;
    return {
      recordVersion: RECORD_VERSION,
      id,
      at: decided.observedAt,
      queue: this.#queue,
      kind: decision.kind,
      reason: frozen === null ? decision.reason : "frozen",
      sentence: sentenceOf(decided),
      present: Object.fromEntries(releases.map((it) => [it.release, it.workers])),
      wanted: decision.wanted,
      desired: frozen?.desired ?? split?.desired ?? decision.desired,
      limitedBy: decision.limitedBy,
      actions: actions.slice(0, NAMES_MAX),
      actionsMore: Math.max(actions.length - NAMES_MAX, 0),
      clamps: clampsOf(decided).slice(0, NAMES_MAX),
      holds: decision.holds.slice(0, NAMES_MAX).map(({ because, workers, untilMs, sentence }) => ({
        because,
        workers,
        forMs: untilMs === null ? null : Math.max(0, untilMs - decided.plannedAtMs),
        sentence,
      })),
      blocked: blocked.slice(0, NAMES_MAX).map(cut),
      errorBudget: { ...plan.errorBudget },
      overrides: overridesTold(overrides),
      inputs: {
        ...this.#lanesOf(decided),
        orphanLanes: decision.orphanLanes.slice(0, NAMES_MAX),
        releases: releases.slice(0, NAMES_MAX).map(({ release, generation, live, workers, draining }) => ({
          release,
          generation,
          live,
          workers,
          draining,
        })),
        startDelay,
        pickupPromiseMs: this.#config.queues[this.#queue]?.pickupPromiseMs ?? null,
        policy: { ...this.#config.pools[this.#queue] },
        bounds,
      },
    };
  }

  #lanesOf({ plan, queue }: DecidedPool): Pick<DecisionRecord["inputs"], "lanes" | "otherLanes"> {
    const views = new Map(queue.lanes.map((view) => [view.lane, view]));
    const jobsOf = ({ lane }: SizedLane) => jobsIn(views.get(lane.lane));
    const sized = plan.sized.toSorted((a, b) => needOf(b) - needOf(a) || jobsOf(b) - jobsOf(a));
    const others = sized.slice(LANES_MAX);
    return {
      lanes: sized.slice(0, LANES_MAX).map((it) => recordLane(it, views.get(it.lane.lane) ?? null)),
      otherLanes: others.length === 0 ? null : summedUp(others, views),
    };
  }
}

/** What makes a decision another one than the last: not its measurements, but what follows from them. */
function gistOf(decided: DecidedPool): string {
  const { plan, blocked, bounds, overrides } = decided;
  const { decision, sized } = plan;
  const { desired, reason, orphanLanes, holds } = decision;
  return JSON.stringify([
    [desired, reason, orphanLanes, blocked, bounds],
    clampsOf(decided).map(({ by, to }) => [by, to]),
    decided.split?.desired,
    holds.map(({ because, workers }) => [because, workers]),
    sized.map(({ slots }) => slots.kind),
    [overrides.freeze?.at, overrides.bounds?.at],
  ]);
}

/** The plan's own, and the freeze or the rollout as the last of them. */
function clampsOf({ plan, frozen, split = null }: DecidedPool): DecisionRecord["clamps"] {
  const last = frozen ?? split;
  return [...plan.decision.clamps, ...(last === null ? [] : [last.clamp])];
}

function sentenceOf({ plan, blocked, frozen, split = null }: DecidedPool): string {
  const stays = frozen === null ? [] : [`${frozen.clamp.sentence}, so ${frozen.clamp.to} stay;`];
  const splits = split === null ? [] : [`${split.clamp.sentence};`];
  return cut([...stays, ...splits, plan.decision.sentence, ...blocked].join(" "));
}

/** Lanes that nobody knows the need of come before all others. */
function needOf({ lane }: SizedLane): number {
  return lane.slots ?? Number.MAX_SAFE_INTEGER;
}

function overridesTold({ freeze, bounds }: PoolOverrides): DecisionRecord["overrides"] {
  return {
    freeze: freeze === null ? null : { pool: freeze.pool, hard: freeze.hard, ...settingOf(freeze) },
    bounds:
      bounds === null
        ? null
        : { workersMin: bounds.workersMin, workersMax: bounds.workersMax, ...settingOf(bounds) },
  };
}

function settingOf({ by, why, at, expiresAt }: { by: string; why: string; at: string; expiresAt: string }) {
  return { by, why, at, expiresAt };
}

function cut(sentence: string): string {
  return sentence.length <= SENTENCE_CHARS_MAX ? sentence : `${sentence.slice(0, SENTENCE_CHARS_MAX - 1)}…`;
}

function bounded(record: DecisionRecord): DecisionRecord {
  if (JSON.stringify(record).length <= RECORD_CHARS_MAX || record.inputs.lanes.length === 0) return record;
  const lanes = record.inputs.lanes.slice(0, Math.floor(record.inputs.lanes.length / 2));
  return bounded({ ...record, inputs: { ...record.inputs, lanes } });
}
