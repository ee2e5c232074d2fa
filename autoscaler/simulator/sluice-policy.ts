/**
 * Sluice's own scaling as a policy of the simulator: the production estimates and the production planner, fed from
 * what the simulator shows. Nothing is decided here.
 */

import { TICK_MS } from "../scaling/decide-lane-slots.ts";
import { decideWake, earlyRestMs } from "../scaling/decide-wake.ts";
import { type ArrivalRateEstimate, estimateArrivalRate } from "../scaling/estimate-arrival-rate.ts";
import { estimateServiceTime, type ServiceTimeEstimate } from "../scaling/estimate-service-time.ts";
import type { PlannedPolicy } from "../scaling/planner-input.ts";
import { PoolPlanner } from "../scaling/pool-planner.ts";
import type { PolicyFactory, PolicyOptions, PoolSight, ScalingPolicy, WakingPool } from "./scaling-policy.ts";

const RELEASE = "simulated";
const LANE = "simulated.r1";

/** The default of the configuration. */
const SCALE_IN_HOLD_MS = 60_000;

/** As the control loop: the shortest time between two rounds. */
const ROUND_MS_MIN = 200;

/** As in the configuration of a pool. Its bounds, slots and promise are the simulation's. */
export type SluiceSettings = Omit<PlannedPolicy, keyof PolicyOptions>;

const DEFAULTS: SluiceSettings = { tickMs: TICK_MS, scaleInHoldMs: SCALE_IN_HOLD_MS };

export const sluicePolicy: PolicyFactory = sluicePolicyWith({});

/** With settings other than the defaults: a pool's own, or a tick for replays of compressed time. */
export function sluicePolicyWith(settings: Partial<SluiceSettings>): PolicyFactory {
  return (options) => new SluicePolicy(options, settings);
}

class SluicePolicy implements ScalingPolicy {
  readonly name = "sluice";
  readonly tickMs: number;
  readonly scaleIn = "drain-idle-first";
  readonly victimGraceMs = Number.POSITIVE_INFINITY;
  readonly #planner: PoolPlanner;
  #before: PoolSight | null = null;
  #rate: ArrivalRateEstimate | null = null;
  #time: ServiceTimeEstimate | null = null;
  /** Of the last look, for `wakes`. */
  #slots = 0;
  #isFull = false;
  #earlyLooks = 0;
  #wokenEarly = false;
  readonly #workersMax: number;
  readonly #pickupPromiseMs: number;

  constructor(options: PolicyOptions, settings: Partial<SluiceSettings>) {
    const policy = { ...DEFAULTS, ...settings, ...options };
    this.tickMs = policy.tickMs ?? TICK_MS;
    this.#planner = new PoolPlanner(policy);
    this.#workersMax = options.workersMax;
    this.#pickupPromiseMs = options.pickupPromiseMs;
  }

  /** As the control loop does (early-wake.ts), but for its peeks, which come up to 0.4 s later. */
  wakes({ waiting }: WakingPool): boolean {
    this.#wokenEarly = this.#wakeReason(waiting) !== null;
    return this.#wokenEarly;
  }

  /** Early looks in a row rest longer and longer. */
  get wakeGapMs(): number {
    return this.#slots === 0 ? ROUND_MS_MIN : earlyRestMs(this.#earlyLooks);
  }

  decide(sight: PoolSight): number {
    this.#earlyLooks = this.#wokenEarly ? this.#earlyLooks + 1 : 0;
    this.#wokenEarly = false;
    this.#follow(sight);
    const wanted = this.#plan(sight);
    this.#slots = Math.max(sight.readyWorkers, wanted) * sight.slotsPerWorker;
    this.#isFull = wanted >= this.#workersMax;
    return wanted;
  }

  #wakeReason(waiting: number): string | null {
    const before = this.#before;
    const decision = decideWake(
      {
        waiting,
        inFlight: before?.active ?? 0,
        waitingBefore: before?.waiting ?? 0,
        slots: this.#slots,
        isFull: this.#isFull,
        serviceTimeMs: this.#time?.serviceTimeMs ?? null,
        // The run keeps the rest between two looks.
        sinceRoundMs: Number.POSITIVE_INFINITY,
        earlyRounds: this.#earlyLooks,
      },
      { pickupPromiseMs: this.#pickupPromiseMs },
    );
    return decision.kind === "wake" ? decision.reason : null;
  }

  #plan(sight: PoolSight): number {
    const { decision } = this.#planner.plan({
      nowMs: sight.nowMs,
      lanes: [
        {
          lane: LANE,
          generation: 1,
          measured: {
            waiting: sight.waiting,
            active: sight.active,
            dueSoon: sight.dueSoon,
            oldestDueAgeMs: sight.oldestDueAgeMs,
            arrivalRatePerSec: this.#rate?.arrivalRatePerSec ?? null,
            serviceTimeMs: this.#time?.serviceTimeMs ?? null,
            readySlots: sight.readyWorkers * sight.slotsPerWorker,
            freeSlots: sight.readyWorkers * sight.slotsPerWorker - sight.busySlots,
            arrivedTotal: sight.arrivedTotal,
          },
        },
      ],
      releases: [
        {
          release: RELEASE,
          generation: 1,
          readsGenerations: [1],
          trippedGenerations: [],
          publishedOrder: 1,
          live: true,
          workers: sight.readyWorkers + sight.startingWorkers,
          starting: sight.startingWorkers,
          freeSlots: sight.readyWorkers * sight.slotsPerWorker - sight.busySlots,
          draining: sight.drainingWorkers,
        },
      ],
      startDelayMs: sight.startDelayMs,
      startedTotal: sight.startedTotal,
      lateTotal: sight.lateTotal,
    });
    return decision.desired[RELEASE] ?? 0;
  }

  #follow(sight: PoolSight): void {
    const before = this.#before;
    this.#before = sight;
    if (before === null) return;
    this.#rate = estimateArrivalRate(this.#rate, {
      arrivals: sight.arrivedTotal - before.arrivedTotal,
      elapsedMs: sight.nowMs - before.nowMs,
    });
    this.#time = estimateServiceTime(this.#time, {
      finished: sight.finishedTotal - before.finishedTotal,
      busyMs: sight.busyMsTotal - before.busyMsTotal,
    });
  }
}
