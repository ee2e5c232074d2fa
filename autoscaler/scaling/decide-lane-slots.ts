/**
 * How many slots one lane needs to keep its pickup promise: the scaling law.
 *
 * Pure: no clock, no Redis, no environment. It does not know workers, releases or limits; decide-pool.ts
 * turns slots into workers. It takes a lane as one queue in order of age, so it does not see priorities.
 *
 * The answer is the largest of four terms, and each is told, so that a number can explain itself:
 * in-system  spread waiting and running jobs so thin that they pass within a share of the promise
 *            (Little, 1961: jobs in the system = rate x time in it).
 * deadline   start each of the jobs that wait before its own promise ends (decide-deadline-slots.ts).
 * bursts     the same for jobs that will have come before an order could help, where the promise is that short.
 * arrivals   keep up with what comes, with headroom that grows with the square root of the load
 *            (square-root staffing: Halfin and Whitt, 1981), and keep one slot warm while jobs come.
 */
import {
  type DeadlineFacts,
  type RecentArrivals,
  type StartingSlots,
  slotsForBursts,
  slotsForDeadline,
} from "./decide-deadline-slots.ts";
import {
  DUST,
  type LaneChange,
  type LaneFigures,
  type LaneSlotTerms,
  laneChange,
  type RulingTerm,
} from "./decide-lane-change.ts";

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
  /**
   * Ready slots that run nothing.
   * @default ready slots less jobs in flight
   */
  readonly freeSlots?: number;
  /**
   * Slots of workers on their way that will read this lane.
   * @default none
   */
  readonly startingSlots?: readonly StartingSlots[];
  /** What came lately, newest first. Missing or `null`: not known. */
  readonly recentArrivals?: readonly RecentArrivals[] | null;
  /**
   * Jobs a second that may go on coming, where that is clearly more than usual.
   * @default the arrival rate
   */
  readonly surgePerSec?: number;
  /**
   * Variance of the arrivals over that of a Poisson process, >= 1.
   * @default 1
   */
  readonly dispersion?: number;
  /**
   * Looks a second in which any job came, smoothed like the arrival rate. Missing or `null`: not known.
   * @default the arrival rate
   */
  readonly occasionsPerSec?: number | null;
}

export interface LanePolicy {
  /** Promised time from due to taken, in milliseconds, > 0. */
  readonly pickupPromiseMs: number;
  /**
   * b: spare slots in units of the square root of the load, -3 to 3. Below 0 lets a standing queue use the promise.
   * @default 0
   */
  readonly headroomB?: number;
  /**
   * phi: the share of the promise that jobs in the system may use, above 0; the rest absorbs what comes meanwhile.
   * @default 0.5
   */
  readonly promiseShare?: number;
  /**
   * z: standard deviations of safety in the terms that look at deadlines, >= 0.
   * @default 0
   */
  readonly safetyZ?: number;
  /**
   * How often the autoscaler looks, in milliseconds, > 0.
   * @default 5,000
   */
  readonly tickMs?: number;
}

export interface SizedLane {
  readonly kind: "sized";
  /** The largest term; at least 1 while the lane has work. */
  readonly slots: number;
  readonly terms: LaneSlotTerms;
  readonly ruledBy: RulingTerm;
  readonly figures: LaneFigures;
  readonly wouldChange: LaneChange;
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

/** The autoscaler looks this often unless it is told otherwise. */
export const TICK_MS = 5_000;

/** Used until the first job has finished: about right for a call to a web service. */
export const SERVICE_TIME_ASSUMED_MS = 1_000;

/** A shorter mean is read as this: taking and settling cost a slot time even when the handler does nothing. */
const SERVICE_TIME_MS_MIN = 0.1;

/** The share of the promise that jobs in the system may use unless the policy says. */
const PROMISE_SHARE_DEFAULT = 0.5;

/** An empty lane that would keep less than this of a slot busy may go to zero: the average alone never gets there. */
const IDLE_LOAD_SLOTS = 0.5;

/** The same when jobs come on fewer occasions a second: a thousand at once are one, whatever their average says later. */
const IDLE_OCCASIONS = 1 / 60;
/** When a cold start would break the promise, only fewer than this count: one in ten minutes. */
const IDLE_OCCASIONS_UNREACHABLE = 1 / 600;

export function decideLaneSlots(observation: LaneObservation, policy: LanePolicy): LaneSlotsDecision {
  const { waiting, active, dueSoon } = observation;
  if (waiting === null) return unknown(observation, "waiting-unknown");
  if (active === null) return unknown(observation, "active-unknown");
  if (dueSoon === null) return unknown(observation, "due-soon-unknown");

  const lane = knownLane(observation, { waiting, active, dueSoon }, policy);
  const { jobsInSystem } = lane.figures;
  const terms: LaneSlotTerms = {
    fromInSystem: wholeSlots(jobsInSystem / lane.figures.jobsPerSlot),
    // A slot beyond one for each job would find nothing to run, however late the jobs are.
    fromDeadline: Math.min(wholeSlots(slotsForDeadline(lane.deadlineFacts)), jobsInSystem),
    fromArrivals: slotsForArrivals(lane),
    fromBursts: burstSlots(lane, observation),
  };
  const hasWork = jobsInSystem > 0;
  const ruledBy = rulingTerm(terms, hasWork);
  const slots = Math.max(...sizesOf(terms).map(([, size]) => size), hasWork ? 1 : 0);
  return {
    kind: "sized",
    slots,
    terms,
    ruledBy,
    figures: lane.figures,
    wouldChange: laneChange(slots, ruledBy, lane.figures),
    hasWork,
    reachable: lane.reachable,
    serviceTimeAssumed: observation.serviceTimeMs === null,
    oldestAgeAssumed: waiting > 0 && observation.oldestDueAgeMs === null,
  };
}

/** The observation once every count is known. */
interface KnownLane {
  readonly figures: LaneFigures;
  readonly deadlineFacts: DeadlineFacts;
  readonly arrivalRatePerSec: number | null;
  readonly occasionsPerSec: number;
  readonly reachable: boolean;
}

type Counts = { readonly [K in "waiting" | "active" | "dueSoon"]: number };

function knownLane(observation: LaneObservation, counts: Counts, policy: LanePolicy): KnownLane {
  const { arrivalRatePerSec, readySlots, startDelayMs, startingSlots = [] } = observation;
  const { pickupPromiseMs, promiseShare = PROMISE_SHARE_DEFAULT, safetyZ = 0, headroomB = 0 } = policy;
  const serviceTimeMs = Math.max(observation.serviceTimeMs ?? SERVICE_TIME_ASSUMED_MS, SERVICE_TIME_MS_MIN);
  const backlog = counts.waiting + counts.dueSoon;
  // Two clocks that disagree may make a job younger than new.
  const oldestAgeMs = Math.max(observation.oldestDueAgeMs ?? 0, 0);
  // Written out: spreading one into the other is what a round over a thousand lanes spent most of its time on.
  return {
    figures: {
      jobsInSystem: backlog + counts.active,
      backlog,
      jobsPerSlot: 1 + (promiseShare * pickupPromiseMs) / serviceTimeMs,
      promiseShare,
      loadSlots: arrivalRatePerSec === null ? null : (arrivalRatePerSec * serviceTimeMs) / 1_000,
      headroomB,
      safetyZ,
      serviceTimeMs,
      startDelayMs,
      pickupPromiseMs,
      oldestAgeMs,
      readySlots,
      startingSlots: startingSlots.reduce((sum, { slots }) => sum + slots, 0),
    },
    deadlineFacts: {
      backlog,
      oldestAgeMs,
      recentArrivals: observation.recentArrivals ?? null,
      serviceTimeMs,
      readySlots,
      freeSlots: observation.freeSlots ?? Math.max(0, readySlots - counts.active),
      starting: startingSlots,
      startDelayMs,
      tickMs: policy.tickMs ?? TICK_MS,
      pickupPromiseMs,
      safetyZ,
    },
    arrivalRatePerSec,
    // Of jobs that came one by one there is one at each occasion.
    occasionsPerSec: Math.min(
      arrivalRatePerSec ?? 0,
      observation.occasionsPerSec ?? Number.POSITIVE_INFINITY,
    ),
    reachable: pickupPromiseMs >= startDelayMs + serviceTimeMs,
  };
}

function unknown(observation: LaneObservation, reason: LaneUnknownReason): UnknownLane {
  const seen = (observation.waiting ?? 0) + (observation.active ?? 0) + (observation.dueSoon ?? 0);
  return { kind: "unknown", slots: null, terms: null, hasWork: seen > 0, reason };
}

/** n_b = R + b sqrt(R), at least one slot, R = arrival rate x service time; 0 for an empty lane that hardly gets a job. */
function slotsForArrivals(lane: KnownLane): number | null {
  const { loadSlots, headroomB } = lane.figures;
  if (loadSlots === null) return null;
  if (isIdle(lane)) return 0;
  return Math.max(wholeSlots(loadSlots + headroomB * Math.sqrt(loadSlots)), isQuiet(lane) ? 0 : 1);
}

function burstSlots(lane: KnownLane, { surgePerSec, dispersion }: LaneObservation): number | null {
  const { arrivalRatePerSec, deadlineFacts } = lane;
  if (arrivalRatePerSec === null) return null;
  if (isIdle(lane)) return 0;
  return wholeSlots(
    slotsForBursts(deadlineFacts, {
      ratePerSec: arrivalRatePerSec,
      surgePerSec: Math.max(arrivalRatePerSec, surgePerSec ?? 0),
      dispersion: Math.max(dispersion ?? 1, 1),
    }),
  );
}

/** Empty, and so little comes that nobody has to stay for it. */
function isIdle(lane: KnownLane): boolean {
  return lane.figures.jobsInSystem === 0 && isQuiet(lane);
}

function isQuiet({ figures, occasionsPerSec, reachable }: KnownLane): boolean {
  if (!reachable) return occasionsPerSec < IDLE_OCCASIONS_UNREACHABLE;
  return (figures.loadSlots ?? 0) < IDLE_LOAD_SLOTS || occasionsPerSec < IDLE_OCCASIONS;
}

function rulingTerm(terms: LaneSlotTerms, hasWork: boolean): RulingTerm {
  let [ruling, most]: [RulingTerm, number] = hasWork ? ["work", 0] : ["none", 0];
  for (const [term, slots] of sizesOf(terms)) if (slots > most) [ruling, most] = [term, slots];
  return ruling;
}

function sizesOf(terms: LaneSlotTerms): readonly (readonly [RulingTerm, number])[] {
  return [
    ["in-system", terms.fromInSystem],
    ["deadline", terms.fromDeadline],
    ["bursts", terms.fromBursts ?? 0],
    ["arrivals", terms.fromArrivals ?? 0],
  ];
}

/** Rounds up, but not for the dust that binary fractions leave behind (42.000000000000007 is 42). */
function wholeSlots(slots: number): number {
  return Math.max(Math.ceil(slots - DUST), 0);
}
