/**
 * Slots that jobs need so that each starts before its own promise ends, given what is there and what is coming up.
 *
 * Pure. The question is asked as of now, and is asked again each look: a slot that is ordered now counts from one
 * start delay on, so only what no later order could help is ordered. Two parts of the law use it: jobs that
 * wait (`slotsForDeadline`), and jobs that will have come before an order of the next look could help
 * (`slotsForBursts`).
 *
 * Starts until t: each free slot one, each slot t / s more, one that comes up at e one and (t - e) / s more.
 * That a number k of starts is needed is never certain, so k + z sqrt(k) are asked for: the standard deviation of a
 * Poisson count is its root, and z is the error budget's (decide-safety.ts).
 */

/** Slots on their way. */
export interface StartingSlots {
  /** Milliseconds until they take jobs, >= 0. */
  readonly readyInMs: number;
  readonly slots: number;
}

/** Jobs that came together. */
export interface RecentArrivals {
  /** Milliseconds since they came, their mean, >= 0. */
  readonly ageMs: number;
  readonly jobs: number;
}

export interface DeadlineFacts {
  /** Jobs waiting or due soon, >= 0. */
  readonly backlog: number;
  /** Of the oldest, in milliseconds, >= 0. */
  readonly oldestAgeMs: number;
  /** What came lately, newest first. `null`: not known, so the ages are taken to be spread evenly. */
  readonly recentArrivals: readonly RecentArrivals[] | null;
  readonly serviceTimeMs: number;
  readonly readySlots: number;
  /** Ready slots that run nothing. */
  readonly freeSlots: number;
  readonly starting: readonly StartingSlots[];
  readonly startDelayMs: number;
  readonly tickMs: number;
  readonly pickupPromiseMs: number;
  /** Standard deviations of safety, >= 0. */
  readonly safetyZ: number;
}

/** Within the promise there should be a look to spare, but between these shares of the promise are used. */
const PROMISE_SHARE_MIN = 0.8;
const PROMISE_SHARE_MAX = 0.9;

/** Parts of a backlog of unknown ages, oldest first, that are tested against their own deadlines. */
const BACKLOG_PARTS = [0.1, 0.25, 0.5, 0.75, 1] as const;

/** Moments at which jobs still to come are tested. */
const FUTURE_STEPS = 8;

/** Jobs should start within so long of falling due. */
function inTimeMs(pickupPromiseMs: number, tickMs: number): number {
  const spare = Math.max(pickupPromiseMs - tickMs, PROMISE_SHARE_MIN * pickupPromiseMs);
  return Math.min(spare, PROMISE_SHARE_MAX * pickupPromiseMs);
}

/** Slots, ready and starting ones included, so that each waiting job starts in time; 0 when those there suffice. */
export function slotsForDeadline(facts: DeadlineFacts): number {
  let slots = 0;
  for (const { jobs, dueInMs } of deadlinesOf(facts)) {
    slots = Math.max(slots, slotsToStart(withSafety(jobs, facts.safetyZ), dueInMs, facts));
  }
  return slots;
}

export interface BurstFacts {
  /** Jobs a second that may go on coming: the mean, or what comes now where that is clearly more. */
  readonly surgePerSec: number;
  /** Jobs a second on average. */
  readonly ratePerSec: number;
  /** How many times the variance of arrivals is that of a Poisson process, >= 1. */
  readonly dispersion: number;
}

/** How long what comes must be borne by what is there now: an order of the look after next comes too late for it. */
export function aloneMs({
  startDelayMs,
  tickMs,
  pickupPromiseMs,
}: Pick<DeadlineFacts, "startDelayMs" | "tickMs" | "pickupPromiseMs">): number {
  return Math.max(0, startDelayMs + 2 * tickMs - inTimeMs(pickupPromiseMs, tickMs));
}

/**
 * Slots for what comes before an order could help, ready and starting ones included. 0 where the promise leaves time
 * to see jobs come and start somebody for them.
 *
 * The larger of two: the backlog and what the present rate adds to it, served from what is there; and the bursts that
 * the measured rate and dispersion make likely, whether or not one is under way.
 */
export function slotsForBursts(facts: DeadlineFacts, arrivals: BurstFacts): number {
  const spanMs = aloneMs(facts);
  if (spanMs === 0) return 0;
  let slots = 0;
  for (let step = 1; step <= FUTURE_STEPS; step += 1) {
    const afterMs = (spanMs * step) / FUTURE_STEPS;
    const dueInMs = afterMs + inTimeMs(facts.pickupPromiseMs, facts.tickMs);
    const jobs = facts.backlog + (arrivals.surgePerSec * afterMs) / 1_000;
    slots = Math.max(slots, slotsToStart(withSafety(jobs, facts.safetyZ), dueInMs, facts));
  }
  return Math.max(slots, slotsToStand(facts, arrivals, spanMs));
}

/**
 * A fleet that bears any likely burst of w <= `spanMs` alone: k = lambda w jobs and z sqrt(k I) more within
 * w + the promise. Never above R + z sqrt(R I), with which hardly a job waits at all (square-root staffing: Halfin and
 * Whitt, 1981; I, the index of dispersion, widens it for bursty arrivals).
 */
function slotsToStand(facts: DeadlineFacts, { ratePerSec, dispersion }: BurstFacts, spanMs: number): number {
  const { serviceTimeMs, safetyZ, pickupPromiseMs, tickMs } = facts;
  const withDispersion = (jobs: number) => jobs + safetyZ * Math.sqrt(jobs * dispersion);
  let slots = 0;
  for (let step = 1; step <= FUTURE_STEPS; step += 1) {
    const burstMs = (spanMs * step) / FUTURE_STEPS;
    const jobs = withDispersion((ratePerSec * burstMs) / 1_000);
    const withinMs = burstMs + inTimeMs(pickupPromiseMs, tickMs);
    slots = Math.max(slots, (jobs * serviceTimeMs) / withinMs);
  }
  return Math.min(slots, withDispersion((ratePerSec * serviceTimeMs) / 1_000));
}

interface Deadline {
  /** Jobs to be started until then, all the older ones included. */
  readonly jobs: number;
  readonly dueInMs: number;
}

function deadlinesOf(facts: DeadlineFacts): readonly Deadline[] {
  const { backlog, oldestAgeMs } = facts;
  if (backlog === 0) return [];
  const leftMs = inTimeMs(facts.pickupPromiseMs, facts.tickMs);
  const known = deadlinesOfKnown(facts, leftMs);
  if (known !== null) return known;
  return BACKLOG_PARTS.map((part) => ({
    jobs: backlog * part,
    dueInMs: leftMs - oldestAgeMs * (1 - part),
  }));
}

/**
 * First in, first out: what waits is what came last. `null` when that does not account for the age of the oldest
 * (jobs that were scheduled, retried or put back come to the backlog without being new).
 */
function deadlinesOfKnown(facts: DeadlineFacts, leftMs: number): readonly Deadline[] | null {
  const { backlog, oldestAgeMs, recentArrivals, tickMs } = facts;
  if (recentArrivals === null) return null;
  const deadlines: Deadline[] = [];
  let younger = 0;
  let coveredMs = 0;
  for (const { ageMs, jobs } of recentArrivals) {
    if (younger >= backlog) break;
    if (jobs === 0) continue;
    coveredMs = Math.min(ageMs, oldestAgeMs);
    deadlines.push({ jobs: backlog - younger, dueInMs: leftMs - coveredMs });
    younger += jobs;
  }
  if (oldestAgeMs > coveredMs + 2 * tickMs) return null;
  return deadlines;
}

/** Slots in all so that `jobs` starts happen until `dueInMs`; 0 when what is there suffices. */
function slotsToStart(jobs: number, dueInMs: number, facts: DeadlineFacts): number {
  const { serviceTimeMs, readySlots, startDelayMs, tickMs } = facts;
  // Jobs that are late already, or nearly, are started soon after the order comes up and not in one instant.
  const withinMs = Math.max(dueInMs, startDelayMs + tickMs / 2);
  const short = jobs - startsWithin(withinMs, facts);
  if (short <= 0) return 0;
  const starting = facts.starting.reduce((sum, { slots }) => sum + slots, 0);
  return readySlots + starting + short / (1 + (withinMs - startDelayMs) / serviceTimeMs);
}

function startsWithin(withinMs: number, facts: DeadlineFacts): number {
  const { serviceTimeMs, readySlots, freeSlots, starting } = facts;
  let starts = freeSlots + (readySlots * withinMs) / serviceTimeMs;
  for (const { readyInMs, slots } of starting) {
    if (readyInMs < withinMs) starts += slots * (1 + (withinMs - readyInMs) / serviceTimeMs);
  }
  return starts;
}

function withSafety(jobs: number, safetyZ: number): number {
  return jobs + safetyZ * Math.sqrt(jobs);
}
