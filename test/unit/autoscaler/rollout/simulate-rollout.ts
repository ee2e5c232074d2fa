/**
 * A rollout from its entry to its end, with jobs drawn from a seed: the real decisions, in time that is only counted.
 *
 * A fleet does what it is ordered at the next tick, new workers one tick later. It has no queue: every job is picked up
 * at once, so that what halts a rollout here is what its jobs did.
 */

import type { Order } from "#autoscaler/rollout/decide-orders";
import { NO_TALLY } from "#autoscaler/rollout/decide-preflight";
import { decideTransition, type TransitionDecision } from "#autoscaler/rollout/decide-transition";
import { TIME_BOUNDS_MS } from "#autoscaler/rollout/estimate-quantile";
import type { Rollout, Tally } from "#autoscaler/rollout/rollout-document";
import type { RolloutObservation } from "#autoscaler/rollout/rollout-observation";
import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import type { Dice } from "#test/support/dice";
import { aRollout, aView, START_MS } from "./rollout-builder.ts";

export interface Behaviour {
  readonly failureRate: number;
  /** Run times are lognormal with this median and a standard deviation of the logarithm of 1. */
  readonly medianMs: number;
}

export interface Scenario {
  readonly jobsPerSec: number;
  readonly workers: number;
  readonly from: Behaviour;
  readonly to: Behaviour;
  readonly tickMs: number;
  readonly policy: RolloutPolicy;
}

export interface Ending {
  readonly rollout: Rollout;
  /** Jobs that the new release has run, and the time since its 60th when the rollout ended. */
  readonly jobsOfNew: number;
  readonly sinceSixtiethMs: number;
  /** Part of all jobs of the stages that the new release ran, over the share of the last of them. */
  readonly exposure: number;
}

interface Fleet {
  from: number;
  to: number;
  probed: number;
  gate: number;
}

const TICKS_MAX = 5_000;

/** Until the rollout is current, paused, halted or over. */
export function simulateRollout(scenario: Scenario, dice: Dice): Ending {
  const { policy, tickMs, workers } = scenario;
  let rollout = aRollout();
  const fleet: Fleet = { from: workers, to: 0, probed: 0, gate: 1 };
  const counted = { from: new Counted(scenario.from), to: new Counted(scenario.to) };
  let sixtiethAtMs: number | null = null;
  let jobsOfStages = 0;
  for (let tick = 1; tick <= TICKS_MAX; tick += 1) {
    const nowMs = START_MS + tick * tickMs;
    const jobs = poisson((scenario.jobsPerSec * tickMs) / 1000, dice);
    const ofNew = binomial(jobs, fleet.to / Math.max(fleet.from + fleet.to, 1), dice);
    counted.to.run(ofNew, dice);
    counted.from.run(jobs - ofNew, dice);
    if (rollout.stage !== null && fleet.to > 0) jobsOfStages += jobs;
    if (counted.to.finished >= 60) sixtiethAtMs ??= nowMs;
    const observation = observed(scenario, { nowMs, fleet, counted });
    const event = { kind: "observed" as const, revision: rollout.revision, observation };
    const decision = decided(rollout, event, { policy, nowMs });
    const share = policy.steps[rollout.stage?.step ?? 0] ?? 1;
    ({ rollout } = decision);
    carryOut(decision.orders, rollout, fleet);
    if (isGoingOn(rollout)) continue;
    const exposure = counted.to.finished / Math.max(jobsOfStages, 1) / share;
    const sinceSixtiethMs = nowMs - (sixtiethAtMs ?? nowMs);
    return { rollout, jobsOfNew: counted.to.finished, sinceSixtiethMs, exposure };
  }
  throw new Error("the rollout did not end");
}

function decided(
  ...[rollout, event, input]: Parameters<typeof decideTransition>
): Exclude<TransitionDecision, { kind: "refused" }> {
  const decision = decideTransition(rollout, event, input);
  if (decision.kind === "refused") throw new Error(decision.reason);
  return decision;
}

function isGoingOn({ state, paused }: Rollout): boolean {
  return ["registered", "verifying", "soaking"].includes(state) && paused === null;
}

function carryOut(orders: readonly Order[], { to }: Rollout, fleet: Fleet): void {
  for (const order of orders) {
    if (order.kind === "start-probe") fleet.probed = order.attempt;
    if (order.kind === "set-gate") fleet.gate = order.version;
    if (order.kind !== "share") continue;
    const taking = order.takes === "all" ? order.workers : 0;
    if (order.release === to) fleet.to = taking;
    else fleet.from = taking;
  }
}

function observed(
  { workers }: Scenario,
  {
    nowMs,
    fleet,
    counted,
  }: {
    readonly nowMs: number;
    readonly fleet: Fleet;
    readonly counted: { readonly from: Counted; readonly to: Counted };
  },
): RolloutObservation {
  return {
    atMs: nowMs,
    workersWanted: workers,
    from: aView({ taking: fleet.from, workers: fleet.from, tally: counted.from.tally() }),
    to: aView({
      taking: fleet.to,
      workers: fleet.to,
      tally: counted.to.tally(),
      failuresInRow: counted.to.failuresInRow,
    }),
    drainers: {},
    contract: { lanesWithoutReader: [], readGroupsUp: 1 },
    probe: fleet.probed === 0 ? null : { attempt: fleet.probed, outcome: "succeeded", detail: "" },
    activeVersions: { "mail.send": fleet.gate },
    components: [],
    retired: false,
  };
}

/** What one release has run. */
class Counted {
  finished = 0;
  failuresInRow = 0;
  readonly #behaviour: Behaviour;
  readonly #shares: readonly number[];
  readonly #run = NO_TALLY.run.slice();
  #failed = 0;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    this.#shares = bucketShares(behaviour.medianMs);
  }

  run(jobs: number, dice: Dice): void {
    const failed = binomial(jobs, this.#behaviour.failureRate, dice);
    this.finished += jobs;
    this.#failed += failed;
    this.#countRow(jobs, failed, dice);
    let left = jobs;
    let shareLeft = 1;
    for (const [index, share] of this.#shares.entries()) {
      if (left === 0) break;
      const inBucket = binomial(left, Math.min(share / shareLeft, 1), dice);
      this.#run[index] = (this.#run[index] ?? 0) + inBucket;
      left -= inBucket;
      shareLeft -= share;
    }
    const last = this.#run.length - 1;
    this.#run[last] = (this.#run[last] ?? 0) + left;
  }

  tally(): Tally {
    const finished = this.finished;
    const pickup = NO_TALLY.pickup.with(0, finished);
    return {
      ...NO_TALLY,
      finished,
      failed: this.#failed,
      completed: finished - this.#failed,
      run: this.#run.slice(),
      pickup,
    };
  }

  /** The failures of a tick lie anywhere among its jobs; from its end backwards the row is counted. */
  #countRow(jobs: number, failed: number, dice: Dice): void {
    let row = 0;
    while (row < failed && dice.chance((failed - row) / (jobs - row))) row += 1;
    this.failuresInRow = row === jobs ? this.failuresInRow + row : row;
  }
}

/** By bucket, the share of jobs of a lognormal run time in it. */
function bucketShares(medianMs: number): readonly number[] {
  const below = TIME_BOUNDS_MS.map((boundMs) => normalBelow(Math.log(boundMs / medianMs)));
  return below.map((it, index) => it - (below[index - 1] ?? 0));
}

/** Abramowitz and Stegun 26.2.17, error below 1e-7. */
function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z > 0 ? 1 - tail : tail;
}

/** Above this a number of jobs is drawn as a rounded normal one. */
const EXACT_MAX = 40;

export function poisson(mean: number, dice: Dice): number {
  if (mean > EXACT_MAX) return Math.max(Math.round(mean + Math.sqrt(mean) * normal(dice)), 0);
  let count = 0;
  for (let at = gap(dice); at < mean; at += gap(dice)) count += 1;
  return count;
}

export function binomial(trials: number, chance: number, dice: Dice): number {
  if (trials === 0 || chance <= 0) return 0;
  if (chance >= 1) return trials;
  if (chance > 0.5) return trials - binomial(trials, 1 - chance, dice);
  const mean = trials * chance;
  if (mean > EXACT_MAX) {
    const drawn = Math.round(mean + Math.sqrt(mean * (1 - chance)) * normal(dice));
    return Math.min(Math.max(drawn, 0), trials);
  }
  // From one success to the next: geometric gaps.
  const scale = -Math.log1p(-chance);
  let hits = 0;
  let at = Math.floor(gap(dice) / scale);
  while (at < trials) {
    hits += 1;
    at += 1 + Math.floor(gap(dice) / scale);
  }
  return hits;
}

function gap(dice: Dice): number {
  return -Math.log(1 - dice.next());
}

function normal(dice: Dice): number {
  return Math.sqrt(2 * gap(dice)) * Math.cos(2 * Math.PI * dice.next());
}
