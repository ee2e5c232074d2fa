/** Boring complete values: one queue, one lane, one type, one release, one worker, all well. */
import type { Look } from "#autoscaler/control-api/page";
import type { RecordedLane } from "#autoscaler/decision-record";
import type { GateView } from "#autoscaler/gate-keeper";
import type { LeaderView } from "#autoscaler/lead-fleet";
import type { OverridesView } from "#autoscaler/overrides-keeper";
import type {
  DecisionRecord,
  LaneTripView,
  LaneView,
  QueueView,
  Snapshot,
  WorkerView,
} from "#autoscaler/snapshot";

export const OBSERVED_AT = "2026-03-01T03:00:00.000Z";

export function laneView(changes: Partial<LaneView> = {}): LaneView {
  return {
    lane: "shop.r1",
    generation: 1,
    waiting: 0,
    inFlight: 0,
    scheduled: 0,
    dueSoon: 0,
    succeeded: 0,
    failed: 0,
    other: 0,
    retiredAt: null,
    oldestDueAgeMs: null,
    readers: ["shop-1"],
    consumers: 1,
    orphaned: false,
    tripped: false,
    trips: [],
    arrivalRatePerSec: null,
    serviceTimeMs: null,
    ...changes,
  };
}

/** A trip that is tried again in half a minute. */
export function laneTrip(changes: Partial<LaneTripView> = {}): LaneTripView {
  return {
    release: "shop-2",
    until: "2026-03-01T03:00:30.000Z",
    failures: 1,
    type: "receipt.render",
    targetVersion: 2,
    code: "UPCAST_FAILED",
    jobId: "shop~a",
    ...changes,
  };
}

/** A lane whose oldest job is `ageMs` past due. */
export function lateLane(ageMs: number, changes: Partial<LaneView> = {}): LaneView {
  return laneView({ waiting: 7, oldestDueAgeMs: ageMs, ...changes });
}

export function queueView(changes: Partial<QueueView> = {}): QueueView {
  return {
    queue: "shop",
    app: "shop",
    floor: 1,
    pickupPromiseMs: 5_000,
    lanes: [laneView()],
    parked: 0,
    quarantined: 0,
    pickup: null,
    run: null,
    ...changes,
  };
}

export function workerView(changes: Partial<WorkerView> = {}): WorkerView {
  return {
    worker: "w1",
    release: "shop-1",
    queue: "shop",
    state: "ok",
    reason: null,
    slots: 10,
    busy: 0,
    lanes: ["shop.r1"],
    trippedLanes: [],
    takes: "all",
    firstRuns: null,
    heartbeatAgeMs: 500,
    startedAt: "2026-03-01T02:00:00.000Z",
    pid: 4_711,
    host: "here",
    settled: {},
    eventLoopLagMs: 1,
    rssBytes: 100 * 2 ** 20,
    clockOffsetMs: 0,
    ...changes,
  };
}

export function snapshotOf(changes: Partial<Snapshot> = {}): Snapshot {
  const release = { release: "shop-1", app: "shop", state: "live", generations: { shop: 1 } } as const;
  return {
    observedAt: OBSERVED_AT,
    queues: [queueView()],
    workers: [workerView()],
    releases: [{ ...release, publishedAt: "2026-02-28T12:00:00.000Z" }],
    memory: { usedBytes: 100_000_000, maxBytes: 500_000_000 },
    ...changes,
  };
}

/** The gate of a type with two versions, the older one superseded and nothing waiting. */
export function gateView(changes: Partial<GateView> = {}): GateView {
  const published = { since: "2026-02-28T12:00:00.000Z", by: "ana@ops1", sunset: null };
  return {
    type: "receipt.render",
    queue: "shop",
    activeversion: 2,
    readerSlots: 10,
    loadSlots: 1.5,
    next: null,
    versions: [
      { version: 1, state: "superseded", ...published },
      { version: 2, state: "active", ...published },
    ],
    events: [{ at: published.since, by: "ana@ops1", change: "published", version: 2, why: "release shop-1" }],
    ...changes,
  };
}

export function lookOf(changes: Partial<Look> = {}): Look {
  return {
    snapshot: snapshotOf(),
    decisions: [],
    newest: [],
    scaling: overridesView(),
    gates: [gateView()],
    leader: leaderView(),
    rollouts: [],
    ...changes,
  };
}

/** The autoscaler that answers leads, for a minute. */
export function leaderView(changes: Partial<LeaderView> = {}): LeaderView {
  const sinceMs = Date.UTC(2026, 2, 1, 2, 59);
  const leader = { id: "a-1", host: "here", pid: 7, machine: "m", epoch: 3, sinceMs, leftMs: 9_000 };
  return { id: "a-1", role: "leader", look: { leader, autoscalers: [leader] }, ...changes };
}

/** One pool with nothing set over it. */
export function overridesView(changes: Partial<OverridesView> = {}): OverridesView {
  const bounds = { workersMin: 0, workersMax: 4 };
  const shop = { pool: "shop", configured: bounds, inForce: bounds, freeze: null, held: null, bounds: null };
  return { revision: 0, at: OBSERVED_AT, pools: [shop], allFrozen: null, ...changes };
}

export function recordedLane(changes: Partial<RecordedLane> = {}): RecordedLane {
  return {
    lane: "shop.r1",
    generation: 1,
    slots: 11,
    ruledBy: "in-system",
    unknownBecause: null,
    terms: [
      { term: "in-system", slots: 11, formula: "X / (1 + phi W / s) = 33 / (1 + 0.5 x 5 s / 1.25 s) = 11" },
      { term: "arrivals", slots: null, formula: "R + b sqrt(R): the arrival rate is not known yet" },
    ],
    waiting: 30,
    inFlight: 3,
    dueSoon: 0,
    oldestDueAgeMs: 1_200,
    arrivalRatePerSec: null,
    serviceTimeMs: 1_250,
    readySlots: 10,
    assumed: [],
    reachable: true,
    forecast: null,
    wouldChange: {
      moreAtJobsInSystem: 34,
      lessAtJobsInSystem: 30,
      sentence: "one slot more at 34 jobs in the system at the latest (now 33), one fewer at 30",
    },
    ...changes,
  };
}

export function decisionRecord(changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    recordVersion: 2,
    id: "shop~1-1",
    at: "2026-03-01T02:59:48.000Z",
    queue: "shop",
    kind: "sized",
    reason: "as-wanted",
    sentence: "wanted 2 workers: lane shop.r1 needs 11 slots",
    present: { "shop-1": 1 },
    wanted: { "shop-1": 2 },
    desired: { "shop-1": 2 },
    limitedBy: null,
    actions: [],
    actionsMore: 0,
    clamps: [],
    holds: [],
    blocked: [],
    errorBudget: null,
    overrides: { freeze: null, bounds: null },
    inputs: {
      lanes: [recordedLane()],
      otherLanes: null,
      orphanLanes: [],
      releases: [{ release: "shop-1", generation: 1, live: true, workers: 1, draining: 0 }],
      startDelay: { startDelayMs: 1_500, measured: true },
      pickupPromiseMs: 5_000,
      policy: { slotsPerWorker: 10 },
      bounds: { workersMin: 0, workersMax: 4 },
    },
    ...changes,
  };
}
