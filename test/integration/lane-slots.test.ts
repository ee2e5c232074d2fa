/** A worker's slots over real lanes: what a trip does to the others, and that nothing is left behind. */
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { createLog } from "#shared/log";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LaneWorker } from "#shared/redis/lane-worker";
import { systemClock } from "#shared/system-clock";
import { addJob } from "#test/support/add-job";
import { redisTest } from "#test/support/redis-test";
import { LaneSlots } from "#worker/lane-slots";
import type { LaneStanding } from "#worker/lane-trips";

const WAIT = { timeout: 20_000, interval: 20 };

interface Setup {
  readonly redis: Redis;
  readonly prefix: string;
  readonly budget: number;
  readonly lanes: readonly string[];
  /** Called when a job is run, with the lane and the number of its run, from 1. */
  onRun?(lane: string, run: number): void;
}

/** Lanes whose jobs take a moment each, and what has run. */
function laneBench({ redis, prefix, budget, lanes, onRun }: Setup) {
  const clock = systemClock;
  const queues = new LaneQueues(redis, prefix);
  const log = createLog("test", "silent");
  const standings = new Map<string, LaneStanding>();
  const done = new Map(lanes.map((lane) => [lane, 0]));
  const seen = { running: 0, most: 0, runs: 0 };
  const slots = new LaneSlots({ budget, clock, standingOf: (lane) => standings.get(lane) ?? "clear" });
  const workers = lanes.map(
    (lane) =>
      new LaneWorker({
        redis,
        queues,
        prefix,
        lane,
        workerName: "test/w-1",
        clock,
        run: async () => {
          seen.running += 1;
          seen.runs += 1;
          seen.most = Math.max(seen.most, seen.running);
          slots.taken(lane);
          onRun?.(lane, seen.runs);
          await clock.sleep(2);
          seen.running -= 1;
          done.set(lane, (done.get(lane) ?? 0) + 1);
          slots.settled(lane);
          return { kind: "finished", outcome: { outcome: "succeeded", release: "shop-1" } };
        },
        onEmptied: () => slots.emptied(lane),
        onError: (error) => log.warn({ err: error }, "queue client"),
        onRedelivered: () => undefined,
        onEnded: () => undefined,
      }),
  );
  return {
    seen,
    slots,
    done: () => [...done.values()],
    start: () => slots.start(workers),
    stands(lane: string, standing: LaneStanding) {
      standings.set(lane, standing);
      slots.standingsChanged();
    },
    async add(lane: string, jobs: number) {
      const added = Array.from({ length: jobs }, (_, n) =>
        addJob(queues, lane, {
          jobId: `${lane}~${n}`,
          name: "a.b",
          dataText: "{}",
          acceptedAtMs: 1,
          delayMs: 0,
        }),
      );
      await Promise.all(added);
    },
    async stop() {
      await slots.stopTaking();
      queues.close();
    },
  };
}

describe("a tripped lane", () => {
  redisTest(
    "leaves the only slot to the other, and takes turns again afterwards",
    async ({ redis, prefix }) => {
      const lanes = ["shop.r1", "shop.r2"];
      const bench = laneBench({ redis, prefix, budget: 1, lanes });
      for (const lane of lanes) await bench.add(lane, 30);
      bench.stands("shop.r1", "tripped");
      await bench.start();
      await expect.poll(bench.done, WAIT).toEqual([0, 30]);
      bench.stands("shop.r1", "half-open");
      await expect.poll(bench.done, WAIT).toEqual([30, 30]);
      expect(bench.seen.most).toBe(1);
      await bench.stop();
    },
  );

  redisTest("gives all slots to the others at once", async ({ redis, prefix }) => {
    const lanes = ["shop.r1", "shop.r2"];
    const bench = laneBench({ redis, prefix, budget: 4, lanes });
    for (const lane of lanes) await bench.add(lane, 60);
    bench.stands("shop.r1", "tripped");
    await bench.start();
    await expect.poll(bench.done, WAIT).toEqual([0, 60]);
    expect(bench.seen.most).toBe(4);
    await bench.stop();
  });

  redisTest(
    "that trips and comes back again and again loses no job and holds up nobody",
    async ({ redis, prefix }) => {
      const lanes = ["shop.r1", "shop.r2", "shop.r3"];
      const standings: readonly LaneStanding[] = ["tripped", "half-open", "clear", "tripped", "clear"];
      const bench = laneBench({
        redis,
        prefix,
        budget: 4,
        lanes,
        onRun(_lane, run) {
          // Every third run another lane changes, whoever is running.
          if (run % 3 === 0) {
            bench.stands(lanes[run % lanes.length] ?? "", standings[run % standings.length] ?? "clear");
          }
        },
      });
      for (const lane of lanes) await bench.add(lane, 200);
      await bench.start();
      await expect
        .poll(() => {
          // Whoever is left alone with tripped lanes is let go on.
          if (bench.seen.running === 0) for (const lane of lanes) bench.stands(lane, "clear");
          return bench.done();
        }, WAIT)
        .toEqual([200, 200, 200]);
      // A job that was asked for before its lane was paused may come on top.
      expect(bench.seen.most).toBeLessThanOrEqual(4 + lanes.length);
      await bench.stop();
    },
  );
});
