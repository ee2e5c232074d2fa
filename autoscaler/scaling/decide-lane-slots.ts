/**
 * How many slots one lane needs to keep its pickup promise: the scaling law.
 *
 * Pure: no clock, no Redis, no environment. It does not know workers, releases or limits; decide-pool.ts
 * turns slots into workers. It takes a lane as one queue in order of age, so it does not see priorities.
 *
 * The answer is the largest of three terms, and each is told, so that a number can explain itself:
 * in-system  spread waiting and running jobs so thin that they pass within half the promise
 *            (Little, 1961: jobs in the system = rate x time in it).
 * deadline   start each of the jobs that wait before its own promise ends, oldest first, given that
 *            slots not there yet cost a start delay.
 * arrivals   keep up with what comes, with headroom that grows with the square root of the load
 *            (square-root staffing: Halfin and Whitt, 1981).
 */

/** What was measured at one moment, for one lane or a group of lanes that share slots. `null` is "not known". */
export interface LaneObservation {
  readonly observedAtMs: number;
  /** Jobs waiting to be taken (prioritised ones too), >= 0. */
  readonly waiting: number | null;
  /** Jobs in flight, >= 0. */
  readonly active: number | null;
  /** Scheduled jobs, retries too, that fall due within the start delay + 2 ticks, >= 0. */
  readonly dueSoon: number | null;
  /** Milliseconds since the oldest waiting job fell due. `null` when nothing waits. */
  readonly oldestDueAgeMs: number | null;
  /** Jobs accepted per second, smoothed. */
  readonly arrivalRatePerSec: number | null;
  /** Mean time a job holds a slot, in milliseconds. */
  readonly serviceTimeMs: number | null;
  /** Slots of workers that read this lane and take jobs now, busy or free. Draining workers have none. */
  readonly readySlots: number;
  /** From spawning a worker to its first heartbeat, in milliseconds. */
  readonly startDelayMs: number;
}

export interface LanePolicy {
  /** Promised time from due to taken, in milliseconds, > 0. */
  readonly pickupPromiseMs: number;
  /**
   * Spare slots in units of the square root of the load, -0.5 to 3. 0 lets a standing queue use the promise.
   * @default 0
   */
  readonly headroomB?: number;
}

/** Slots each term of the law asks for, whole numbers >= 0. */
export interface LaneSlotTerms {
  readonly fromInSystem: number;
  readonly fromDeadline: number;
  /** `null` when the arrival rate is not known. */
  readonly fromArrivals: number | null;
}

export interface SizedLane {
  readonly kind: "sized";
  /** The largest term; at least 1 while the lane has work. */
  readonly slots: number;
  readonly terms: LaneSlotTerms;
  /** Something waits, runs or falls due soon. */
  readonly hasWork: boolean;
  /** False when a worker started on demand comes too late: the promise is shorter than start delay + service time. */
  readonly reachable: boolean;
  /** No job has finished yet, so the law ran on {@link SERVICE_TIME_ASSUMED_MS}. */
  readonly serviceTimeAssumed: boolean;
  /** Jobs wait, but the age of the oldest was not told: they were taken to be new. */
  readonly oldestAgeAssumed: boolean;
}

export type LaneUnknownReason = "waiting-unknown" | "active-unknown" | "due-soon-unknown";

export interface UnknownLane {
  readonly kind: "unknown";
  readonly slots: null;
  readonly terms: null;
  /** Work was seen in what could be measured. False is not a promise that there is none. */
  readonly hasWork: boolean;
  readonly reason: LaneUnknownReason;
}

export type LaneSlotsDecision = SizedLane | UnknownLane;

/** The autoscaler looks this often. */
export const TICK_MS = 5_000;

/** Used until the first job has finished: about right for a call to a web service. */
export const SERVICE_TIME_ASSUMED_MS = 1_000;

/** A shorter mean is read as this: taking and settling cost a slot time even when the handler does nothing. */
const SERVICE_TIME_MS_MIN = 0.1;

/** The share of the promise that jobs in the system may use, so that the rest absorbs what comes meanwhile. */
const PROMISE_SHARE_IN_SYSTEM = 0.5;

/** The share of the promise within which each waiting job should start. */
const PROMISE_SHARE_DEADLINE = 0.8;

/** Parts of the backlog, oldest first, that are tested against their own deadlines. */
const BACKLOG_PARTS = [0.1, 0.25, 0.5, 0.75, 1] as const;

/** Warm headroom when starting on demand cannot keep the promise. */
const HEADROOM_B_UNREACHABLE = 1;

/** An empty lane that would keep less than this of a slot busy may go to zero: the average alone never gets there. */
const IDLE_LOAD_SLOTS = 0.5;

/** The same, when a cold start would break the promise: less than one job in ten minutes. */
const IDLE_ARRIVAL_RATE_PER_SEC = 1 / 600;

export function decideLaneSlots(observation: LaneObservation, policy: LanePolicy): LaneSlotsDecision {
  const { waiting, active, dueSoon } = observation;
  if (waiting === null) return unknown(observation, "waiting-unknown");
  if (active === null) return unknown(observation, "active-unknown");
  if (dueSoon === null) return unknown(observation, "due-soon-unknown");

  const serviceTimeMs = Math.max(observation.serviceTimeMs ?? SERVICE_TIME_ASSUMED_MS, SERVICE_TIME_MS_MIN);
  const lane: KnownLane = {
    backlog: waiting + dueSoon,
    inSystem: waiting + dueSoon + active,
    oldestAgeMs: observation.oldestDueAgeMs ?? 0,
    arrivalRatePerSec: observation.arrivalRatePerSec,
    serviceTimeMs,
    readySlots: observation.readySlots,
    startDelayMs: observation.startDelayMs,
    reachable: policy.pickupPromiseMs >= observation.startDelayMs + serviceTimeMs,
  };
  const terms: LaneSlotTerms = {
    fromInSystem: slotsForInSystem(lane, policy),
    fromDeadline: slotsForDeadline(lane, policy),
    fromArrivals: slotsForArrivals(lane, policy),
  };
  const hasWork = lane.inSystem > 0;
  return {
    kind: "sized",
    slots: Math.max(terms.fromInSystem, terms.fromDeadline, terms.fromArrivals ?? 0, hasWork ? 1 : 0),
    terms,
    hasWork,
    reachable: lane.reachable,
    serviceTimeAssumed: observation.serviceTimeMs === null,
    oldestAgeAssumed: waiting > 0 && observation.oldestDueAgeMs === null,
  };
}

/** The observation once every count is known. */
interface KnownLane {
  /** Waiting or due soon. */
  readonly backlog: number;
  /** Backlog and in flight. */
  readonly inSystem: number;
  readonly oldestAgeMs: number;
  readonly arrivalRatePerSec: number | null;
  readonly serviceTimeMs: number;
  readonly readySlots: number;
  readonly startDelayMs: number;
  readonly reachable: boolean;
}

function unknown(observation: LaneObservation, reason: LaneUnknownReason): UnknownLane {
  const seen = (observation.waiting ?? 0) + (observation.active ?? 0) + (observation.dueSoon ?? 0);
  return { kind: "unknown", slots: null, terms: null, hasWork: seen > 0, reason };
}

/** n_x = X / (1 + 0.5 W / s): a slot runs one job and gets through 0.5 W / s more in half the promise. */
function slotsForInSystem(lane: KnownLane, policy: LanePolicy): number {
  const jobsPerSlot = 1 + (PROMISE_SHARE_IN_SYSTEM * policy.pickupPromiseMs) / lane.serviceTimeMs;
  return wholeSlots(lane.inSystem / jobsPerSlot);
}

/**
 * n_d: for the oldest k jobs of the backlog, the time left is what the k-th youngest of them has before its
 * own deadline. The ready slots work through all of it, new ones only after the start delay.
 */
function slotsForDeadline(lane: KnownLane, policy: LanePolicy): number {
  const { backlog, serviceTimeMs, readySlots, startDelayMs, oldestAgeMs } = lane;
  // Nothing started now can help sooner than this: half a job or half a tick after it came up.
  const leftMsMin = startDelayMs + Math.max(serviceTimeMs, TICK_MS) / 2;

  let slots = 0;
  for (const part of BACKLOG_PARTS) {
    const dueInMs = PROMISE_SHARE_DEADLINE * policy.pickupPromiseMs - oldestAgeMs * (1 - part);
    const leftMs = Math.max(dueInMs, leftMsMin);
    const short = backlog * part - (readySlots * leftMs) / serviceTimeMs;
    if (short > 0) slots = Math.max(slots, readySlots + (short * serviceTimeMs) / (leftMs - startDelayMs));
  }
  // A slot beyond one for each job would find nothing to run, however late the jobs are.
  return Math.min(wholeSlots(slots), lane.inSystem);
}

/** n_b = R + b sqrt(R), R = arrival rate x service time; 0 for an empty lane that hardly gets a job. */
function slotsForArrivals(lane: KnownLane, policy: LanePolicy): number | null {
  const { arrivalRatePerSec, serviceTimeMs, reachable } = lane;
  if (arrivalRatePerSec === null) return null;

  const loadSlots = (arrivalRatePerSec * serviceTimeMs) / 1000;
  const isIdle = reachable ? loadSlots < IDLE_LOAD_SLOTS : arrivalRatePerSec < IDLE_ARRIVAL_RATE_PER_SEC;
  if (lane.inSystem === 0 && isIdle) return 0;

  const headroomB = policy.headroomB ?? 0;
  const b = reachable ? headroomB : Math.max(headroomB, HEADROOM_B_UNREACHABLE);
  return Math.max(wholeSlots(loadSlots + b * Math.sqrt(loadSlots)), 0);
}

/** Rounds up, but not for the dust that binary fractions leave behind (42.000000000000007 is 42). */
function wholeSlots(slots: number): number {
  return Math.max(Math.ceil(slots - 1e-9), 0);
}
