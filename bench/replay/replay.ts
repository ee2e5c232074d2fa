/**
 * One slice on real processes, and the same slice in the simulator.
 *
 * The simulator is told how the machine was, as it was measured: how long starts took when, and what a slot loses between
 * two jobs (some milliseconds, which no compression makes shorter). Everything else is what both were told: the slice, the
 * promise, the tick, the hold window, the limit. Constants of the product (heartbeats, the windows of its estimates) are
 * not compressed on either side.
 */
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { PolicyFactory } from "#autoscaler/simulator/scaling-policy";
import { simulate } from "#autoscaler/simulator/simulate";
import { FLEET_DEFAULTS } from "#autoscaler/simulator/simulation";
import { sluicePolicyWith } from "#autoscaler/simulator/sluice-policy";
import { withCleanup } from "../cleanup.ts";
import {
  type Machine,
  type Measures,
  machineOf,
  measuredRun,
  type RunFacts,
  simulatedRun,
  startDelayAt,
} from "./measures.ts";
import { completedJobs, readFacts } from "./read-facts.ts";
import { sendJobs } from "./send-jobs.ts";
import { type Slice, WORKERS_MAX } from "./slice.ts";
import { type StandTerms, startStand } from "./stand.ts";

/** The regime of the scaling benchmark, before it is compressed. */
export const REGIME = {
  pickupPromiseMs: 60_000,
  startDelayMs: 15_000,
  tickMs: 5_000,
  scaleInHoldMs: 60_000,
  workersMax: WORKERS_MAX,
} as const;

/** From everything is up to the first moment of the slice. */
const SETTLE_MS = 3_000;

/** Beyond the slice, for the jobs that are left. */
const AFTER_MS_MAX = 120_000;
const POLL_MS = 250;

/** From the order to stop a drained worker to the end of its process: less than any time that matters here. */
const STOP_DELAY_MS = 50;

export interface RealRun {
  readonly measures: Measures;
  readonly machine: Machine;
  readonly facts: RunFacts;
  /** How much later than meant a job was posted at worst. */
  readonly sentLateMs: number;
  /** Mean number of processes that wanted a core in the last minute: on a busy machine starts are slow. */
  readonly loadAverage: number;
}

export function termsOf(compress: number): StandTerms {
  const { pickupPromiseMs, startDelayMs, tickMs, scaleInHoldMs, workersMax } = REGIME;
  return {
    pickupPromiseMs: pickupPromiseMs / compress,
    startDelayMs: startDelayMs / compress,
    tickMs: tickMs / compress,
    scaleInHoldMs: scaleInHoldMs / compress,
    workersMax,
  };
}

/** @param slice compressed already, as the terms are. */
export function runForReal(slice: Slice, terms: StandTerms): Promise<RealRun> {
  return withCleanup(async (cleanup) => {
    const stand = await startStand(terms, cleanup);
    const startedAtMs = Date.now() + SETTLE_MS;
    const sent = await sendJobs(stand.jobsUrl, slice, startedAtMs);
    const ledger = () => readFileSync(stand.ledgerPath, { encoding: "utf8", flag: "a+" });
    const endMs = startedAtMs + slice.horizonMs;
    const isOver = () => Date.now() > endMs && completedJobs(ledger()) === slice.arrivalsMs.length;
    while (!isOver() && Date.now() < endMs + AFTER_MS_MAX) await sleep(POLL_MS);
    const [loadAverage = 0] = loadavg();
    await stand.endFleet();
    const facts = readFacts(ledger(), stand.fleetLog(), startedAtMs);
    return {
      measures: measuredRun(facts, slice, terms.pickupPromiseMs),
      machine: machineOf(facts, slice),
      facts,
      sentLateMs: sent.latestMs,
      loadAverage,
    };
  });
}

/** The same slice on the same machine in the simulator, once a seed. */
export function runSimulated(
  slice: Slice,
  terms: StandTerms,
  given: { readonly machine: Machine; readonly seeds: number },
): Measures[] {
  const { machine, seeds } = given;
  const { tickMs, scaleInHoldMs } = terms;
  const workload = { ...slice, serviceMs: slice.serviceMs.map((ms) => ms + machine.betweenJobsMs) };
  return Array.from({ length: seeds }, (_, index) => {
    let processesPeak = 0;
    const policy: PolicyFactory = (options) => {
      const own = sluicePolicyWith({ tickMs, scaleInHoldMs })(options);
      const decide = own.decide.bind(own);
      own.decide = (sight) => {
        const { readyWorkers, startingWorkers, drainingWorkers } = sight;
        processesPeak = Math.max(processesPeak, readyWorkers + startingWorkers + drainingWorkers);
        return decide(sight);
      };
      return own;
    };
    const outcome = simulate({
      workload,
      policy,
      seed: index + 1,
      tickMs,
      pickupPromiseMs: terms.pickupPromiseMs,
      fleet: {
        ...FLEET_DEFAULTS,
        workersMax: terms.workersMax,
        startDelayAt: (atMs) => startDelayAt(machine, atMs),
        stopDelayMs: STOP_DELAY_MS,
      },
    });
    return simulatedRun(outcome, processesPeak);
  });
}
