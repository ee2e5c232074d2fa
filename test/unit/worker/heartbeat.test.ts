import { describe, expect, test } from "vitest";
import type { HeartbeatReply } from "#shared/redis/fleet-store";
import { FakeClock } from "#test/support/fake-clock";
import { Heartbeat, type HeartbeatPorts } from "#worker/heartbeat";
import { ReleaseCounts } from "#worker/release-counts";

const reply: HeartbeatReply = {
  redisNowMs: 0,
  order: null,
  releaseOrders: null,
  cancelJobIds: [],
  autoscalerAlive: true,
  trips: new Map(),
  backlog: new Map(),
};

const status = {
  state: "ok" as const,
  reason: null,
  lanes: [],
  trippedLanes: [],
  takes: "all" as const,
  heldLanes: [],
  firstRuns: null,
  busy: 0,
  lastStartedAtMs: null,
  lastFinishedAtMs: null,
  settled: {},
  eventLoopLagMs: 0,
  rssBytes: 0,
  clockOffsetMs: null,
};

/** A draw of 0.5 is no jitter: a beat every 2 s. */
function beating(ports: Partial<HeartbeatPorts> = {}) {
  const clock = new FakeClock();
  const beatsMs: number[] = [];
  const heartbeat = new Heartbeat({
    fleet: {
      heartbeat: async () => {
        beatsMs.push(clock.monotonicMs());
        return reply;
      },
    } as unknown as HeartbeatPorts["fleet"],
    clock,
    workerId: "w-1",
    generation: 1,
    release: "shop-1",
    queue: "shop",
    status: () => status,
    random: () => 0.5,
    releaseCounts: new ReleaseCounts("shop-1"),
    onReply: () => undefined,
    onSuperseded: () => undefined,
    onSilence: () => undefined,
    ...ports,
  });
  return { clock, beatsMs, heartbeat };
}

describe("Heartbeat", () => {
  test("beats at once and then every two seconds, until it is stopped", async () => {
    const { clock, beatsMs, heartbeat } = beating();
    const stop = new AbortController();
    const done = heartbeat.run(stop.signal);
    await clock.advance(5_000);
    expect(beatsMs).toEqual([0, 2_000, 4_000]);
    stop.abort();
    await done;
    await clock.advance(10_000);
    expect(beatsMs).toHaveLength(3);
    expect(clock.waiting).toBe(0);
  });

  test("beats sooner when it is asked to, and goes on from there", async () => {
    const { clock, beatsMs, heartbeat } = beating();
    const stop = new AbortController();
    const done = heartbeat.run(stop.signal);
    await clock.advance(500);
    heartbeat.beatSoon();
    await clock.advance(2_000);
    // 500: as asked; 2,500: an interval after it.
    expect(beatsMs).toEqual([0, 500, 2_500]);
    stop.abort();
    await done;
  });

  test("beats once more when an answer changes what the worker does, and not for ever", async () => {
    let answers = 0;
    const { clock, beatsMs, heartbeat } = beating({
      onReply: () => {
        answers += 1;
        if (answers === 1) heartbeat.beatSoon();
      },
    });
    const stop = new AbortController();
    const done = heartbeat.run(stop.signal);
    await clock.advance(1_000);
    expect(beatsMs).toEqual([0, 0]);
    stop.abort();
    await done;
  });
});
