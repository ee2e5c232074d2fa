/**
 * The law in a closed loop: one lane, a fleet of slots, fixed service time, first in first out. Small on
 * purpose; it asks only whether the promise is kept and the fleet goes home.
 */
import { describe, expect, test } from "vitest";
import { decideLaneSlots, type LaneObservation, TICK_MS } from "#autoscaler/scaling/decide-lane-slots";
import {
  holdRecentMaximum,
  holdWindowMs,
  rememberWanted,
  type WantedAt,
  workersOf,
} from "#autoscaler/scaling/decide-recent-maximum";
import { type ArrivalRateEstimate, estimateArrivalRate } from "#autoscaler/scaling/estimate-arrival-rate";
import { estimateServiceTime, type ServiceTimeEstimate } from "#autoscaler/scaling/estimate-service-time";

interface Story {
  readonly pickupPromiseMs: number;
  readonly serviceTimeMs: number;
  readonly startDelayMs: number;
  readonly seconds: number;
  readonly arrivalsPerSec: (second: number) => number;
}

const STEP_MS = 100;

/** The lane and its slots. A slot that is not ready yet is busy until it is. */
class ModelLane {
  waitMsMax = 0;
  slotsMax = 0;
  slots: { freeAtMs: number; readyAtMs: number }[] = [];
  arrivals = 0;
  finished = 0;
  readonly #story: Story;
  readonly #arrivedAtMs: number[] = [];
  #taken = 0;

  constructor(story: Story) {
    this.#story = story;
  }

  get waiting(): number {
    return this.#arrivedAtMs.length - this.#taken;
  }

  arrive(nowMs: number): void {
    // Multiplied out from the second's start, so that ten tenths of a job are a whole one.
    const perSec = this.#story.arrivalsPerSec(Math.floor(nowMs / 1000));
    const before = Math.floor((perSec * (nowMs % 1000)) / 1000);
    const after = Math.floor((perSec * ((nowMs % 1000) + STEP_MS)) / 1000);
    for (let job = before; job < after; job += 1) this.#arrivedAtMs.push(nowMs);
    this.arrivals += after - before;
  }

  /** Each slot takes as many jobs as start within the step, so that short jobs are not rounded up to it. */
  work(nowMs: number): void {
    for (const slot of this.slots) {
      while (slot.freeAtMs < nowMs + STEP_MS && this.waiting > 0) {
        const takenAtMs = Math.max(slot.freeAtMs, nowMs);
        this.waitMsMax = Math.max(this.waitMsMax, takenAtMs - (this.#arrivedAtMs[this.#taken] ?? 0));
        this.#taken += 1;
        this.finished += 1;
        slot.freeAtMs = takenAtMs + this.#story.serviceTimeMs;
      }
    }
  }

  observe(nowMs: number): Omit<LaneObservation, "arrivalRatePerSec" | "serviceTimeMs"> {
    const ready = this.slots.filter(({ readyAtMs }) => readyAtMs <= nowMs);
    return {
      observedAtMs: nowMs,
      waiting: this.waiting,
      active: ready.filter(({ freeAtMs }) => freeAtMs > nowMs).length,
      dueSoon: 0,
      oldestDueAgeMs: this.waiting > 0 ? nowMs - (this.#arrivedAtMs[this.#taken] ?? nowMs) : null,
      readySlots: ready.length,
      startDelayMs: this.#story.startDelayMs,
    };
  }

  /** Idle slots leave first; busy ones vanish with their job done, as draining would have it. */
  resize(wanted: number, nowMs: number): void {
    this.slots = this.slots.toSorted((a, b) => b.freeAtMs - a.freeAtMs).slice(0, wanted);
    const readyAtMs = nowMs + this.#story.startDelayMs;
    while (this.slots.length < wanted) this.slots.push({ freeAtMs: readyAtMs, readyAtMs });
    this.slotsMax = Math.max(this.slotsMax, wanted);
  }
}

function run(story: Story): ModelLane {
  const lane = new ModelLane(story);
  const holdMs = holdWindowMs(60_000, story.startDelayMs);
  let history: readonly WantedAt[] = [];
  let rate: ArrivalRateEstimate | null = null;
  let serviceTime: ServiceTimeEstimate | null = null;

  for (let nowMs = 0; nowMs < story.seconds * 1000; nowMs += STEP_MS) {
    lane.arrive(nowMs);
    lane.work(nowMs);
    if (nowMs % TICK_MS !== 0) continue;

    rate = estimateArrivalRate(rate, { arrivals: lane.arrivals, elapsedMs: TICK_MS });
    const busyMs = lane.finished * story.serviceTimeMs;
    serviceTime = estimateServiceTime(serviceTime, { finished: lane.finished, busyMs });
    lane.arrivals = 0;
    lane.finished = 0;
    const { slots } = decideLaneSlots(
      {
        ...lane.observe(nowMs),
        arrivalRatePerSec: rate?.arrivalRatePerSec ?? null,
        serviceTimeMs: serviceTime?.serviceTimeMs ?? null,
      },
      { pickupPromiseMs: story.pickupPromiseMs },
    );
    history = rememberWanted(history, { atMs: nowMs, byRelease: { a: slots ?? 0 } }, holdMs);
    lane.resize(workersOf(holdRecentMaximum(history, nowMs, holdMs).byRelease, "a"), nowMs);
  }
  return lane;
}

describe("the scaling law in a closed loop", () => {
  test("keeps the promise when 10,000 jobs come at once, and the fleet goes home", () => {
    const told = run({
      pickupPromiseMs: 60_000,
      serviceTimeMs: 200,
      startDelayMs: 2_000,
      seconds: 1_800,
      arrivalsPerSec: (second) => (second === 600 ? 10_000 : 0),
    });
    // Alone, 10,000 jobs x 0.2 s within 60 s are 33 slots; the law takes at most twice that, since it plans
    // with half the promise: 10,000 / (1 + 150) = 67.
    expect(told.waitMsMax).toBeLessThanOrEqual(60_000);
    expect(told.slotsMax).toBeLessThanOrEqual(80);
    expect(told.waiting).toBe(0);
    expect(told.slots).toHaveLength(0);
  });

  test("keeps the promise through the flash sale", () => {
    const told = run({
      pickupPromiseMs: 300_000,
      // 15 jobs/s a slot; a tenth of the story's 10,000/s and of its fleet keeps the test quick.
      serviceTimeMs: 1000 / 15,
      startDelayMs: 2_000,
      seconds: 900,
      arrivalsPerSec: (second) => (second < 60 ? 1_000 : 0),
    });
    expect(told.waitMsMax).toBeLessThanOrEqual(300_000);
    expect(told.waiting).toBe(0);
  });

  test("keeps the promise when the load doubles for good", () => {
    const told = run({
      pickupPromiseMs: 30_000,
      serviceTimeMs: 500,
      startDelayMs: 5_000,
      seconds: 900,
      arrivalsPerSec: (second) => (second < 300 ? 40 : 80),
    });
    // 80 x 0.5 = 40 slots in the end.
    expect(told.waitMsMax).toBeLessThanOrEqual(30_000);
    expect(told.slots.length).toBeGreaterThanOrEqual(40);
    expect(told.slots.length).toBeLessThanOrEqual(60);
  });

  test("does not leave a single job waiting", () => {
    const told = run({
      pickupPromiseMs: 10_000,
      serviceTimeMs: 200,
      startDelayMs: 2_000,
      seconds: 300,
      arrivalsPerSec: (second) => (second === 11 ? 1 : 0),
    });
    // At worst a tick and a start: 5 s + 2 s.
    expect(told.waitMsMax).toBeLessThanOrEqual(7_000);
    expect(told).toMatchObject({ waiting: 0, slotsMax: 1, slots: [] });
  });
});
