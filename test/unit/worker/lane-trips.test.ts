import { describe, expect, test } from "vitest";
import type { LaneTrip, TripReply } from "#shared/redis/lane-trips";
import { FakeClock, settled } from "#test/support/fake-clock";
import { LaneTrips } from "#worker/lane-trips";
import { recordingLog } from "./job-builder.ts";

const LANE = "shop.r1";

/** Redis' clock when the monotonic one stands at zero. */
const REDIS_MS = Date.UTC(2026, 0, 31, 12);

const defect = { type: "receipt.render", targetVersion: 2, code: "UPCAST_FAILED", jobId: "shop~a" };

function tripUntil(untilMs: number, failures = 1): LaneTrip {
  return { ...defect, failures, atMs: untilMs - 30_000, untilMs };
}

interface Call {
  readonly earlier: number | null;
  readonly failures: number;
  readonly lengthMs: number;
}

/** Trips of one worker whose draws are all 0, with a store that answers what the test says. */
function tripsOf(replies: readonly (TripReply | Error)[] = []) {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const calls: Call[] = [];
  const closed: number[] = [];
  let changes = 0;
  const left = [...replies];
  const trips = new LaneTrips({
    release: "shop-2",
    clock,
    log,
    random: () => 0,
    onChange: () => {
      changes += 1;
    },
    store: {
      trip: async (_at, earlier, { failures, lengthMs }) => {
        calls.push({ earlier: earlier?.failures ?? null, failures, lengthMs });
        const reply = left.shift();
        if (reply instanceof Error) throw reply;
        return reply ?? { set: true, trip: tripUntil(now() + lengthMs, failures) };
      },
      close: async (_at, { failures }) => {
        closed.push(failures);
      },
    },
  });
  const now = () => REDIS_MS + clock.monotonicMs();
  const hears = (...held: readonly LaneTrip[]) =>
    trips.heard({ redisNowMs: now(), trips: new Map(held.map((trip) => [LANE, trip])) });
  hears();
  return { clock, trips, calls, closed, lines, now, hears, changes: () => changes };
}

describe("a defect of this build", () => {
  test("stops taking from the lane at once and is told the others", async () => {
    const { trips, calls, changes, lines } = tripsOf();
    expect(trips.standingOf(LANE)).toBe("clear");
    trips.failed(LANE, defect);
    expect([trips.standingOf(LANE), trips.tripped, changes()]).toEqual(["tripped", [LANE], 1]);
    await settled();
    expect(calls).toEqual([{ earlier: null, failures: 1, lengthMs: 30_000 }]);
    expect(lines).toMatchObject([{ lane: LANE, type: "receipt.render", targetVersion: 2, failures: 1 }]);
  });

  test("in jobs that were taken before it changes and costs nothing more", async () => {
    const { trips, calls, changes } = tripsOf();
    for (let job = 0; job < 10; job += 1) trips.failed(LANE, defect);
    await settled();
    expect([calls.length, changes()]).toEqual([1, 1]);
  });

  test("trips only its own lane", () => {
    const { trips } = tripsOf();
    trips.failed(LANE, defect);
    expect(trips.standingOf("shop.r2")).toBe("clear");
  });

  test("that is new to one worker and known to another keeps the other's trip", async () => {
    const theirs = tripUntil(REDIS_MS + 55_000, 2);
    const { clock, trips, calls, hears } = tripsOf([{ set: false, trip: theirs }]);
    trips.failed(LANE, defect);
    await settled();
    expect(calls).toHaveLength(1);
    await clock.advance(54_000);
    hears(theirs);
    expect(trips.standingOf(LANE)).toBe("tripped");
    await clock.advance(1_000);
    hears(theirs);
    expect(trips.standingOf(LANE)).toBe("half-open");
  });

  test("is decided again from what another worker wrote and is over by now", async () => {
    const over = tripUntil(REDIS_MS - 1, 3);
    const { trips, calls } = tripsOf([{ set: false, trip: over }]);
    trips.failed(LANE, defect);
    await settled();
    // The fourth in a row: 30 s x 2^3.
    expect(calls).toEqual([
      { earlier: null, failures: 1, lengthMs: 30_000 },
      { earlier: 3, failures: 4, lengthMs: 240_000 },
    ]);
  });
});

describe("a trip", () => {
  test("of the release stops this worker with the next heartbeat, and opens with one", async () => {
    const { clock, trips, hears, changes } = tripsOf();
    const theirs = tripUntil(REDIS_MS + 30_000);
    hears(theirs);
    expect([trips.standingOf(LANE), changes()]).toEqual(["tripped", 1]);
    hears(theirs);
    expect(changes()).toBe(1);
    await clock.advance(30_000);
    // Time alone does not open it: what the others found comes with the heartbeat.
    expect(trips.standingOf(LANE)).toBe("tripped");
    hears(theirs);
    expect([trips.standingOf(LANE), trips.tripped, changes()]).toEqual(["half-open", [], 2]);
  });

  test("is closed by the first job that is read after its time, once", async () => {
    const { trips, hears, closed, calls } = tripsOf();
    hears(tripUntil(REDIS_MS, 4));
    trips.read(LANE);
    trips.read(LANE);
    await settled();
    expect([trips.standingOf(LANE), closed, calls]).toEqual(["clear", [4], []]);
  });

  test("is not closed by a job that was taken before it tripped", async () => {
    const { trips, closed } = tripsOf();
    trips.failed(LANE, defect);
    trips.read(LANE);
    await settled();
    expect([trips.standingOf(LANE), closed]).toEqual(["tripped", []]);
  });

  test("is longer when the trial fails", async () => {
    const { trips, hears, calls } = tripsOf();
    hears(tripUntil(REDIS_MS, 1));
    trips.failed(LANE, defect);
    await settled();
    expect(calls).toEqual([{ earlier: 1, failures: 2, lengthMs: 60_000 }]);
    expect(trips.standingOf(LANE)).toBe("tripped");
  });

  test("that another worker has closed is over here too", () => {
    const { trips, hears } = tripsOf();
    hears(tripUntil(REDIS_MS + 30_000));
    hears();
    expect(trips.standingOf(LANE)).toBe("clear");
  });

  test("is not forgotten by a heartbeat that was on its way when it tripped", async () => {
    const { trips, hears } = tripsOf();
    trips.failed(LANE, defect);
    hears();
    expect(trips.standingOf(LANE)).toBe("tripped");
    await settled();
    // Redis has it now, so a heartbeat without it says that it was closed.
    hears();
    expect(trips.standingOf(LANE)).toBe("clear");
  });

  test("that could not be written holds here for its time", async () => {
    const { clock, trips, hears, lines } = tripsOf([new Error("OOM")]);
    trips.failed(LANE, defect);
    await settled();
    expect(lines.at(-1)).toMatchObject({ msg: "the other workers could not be told of the trip" });
    await clock.advance(29_000);
    hears();
    expect(trips.standingOf(LANE)).toBe("tripped");
    await clock.advance(1_000);
    hears();
    expect(trips.standingOf(LANE)).toBe("clear");
  });
});

test("jobs that are read cost nothing while no lane is tripped", async () => {
  const { trips, calls, closed, changes } = tripsOf();
  for (let job = 0; job < 1_000; job += 1) trips.read(LANE);
  await settled();
  expect([calls, closed, changes()]).toEqual([[], [], 0]);
});
