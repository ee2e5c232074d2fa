/** One job of a worker's own, through a real queue that is gone afterwards. */
import { Queue } from "bullmq";
import { describe, expect } from "vitest";
import { probePlace, runProbeJob } from "#shared/redis/probe-job";
import { systemClock } from "#shared/system-clock";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";

const worker = { queue: "shop", release: "shop-v2", workerId: "w-1" };

describe("a probe's job", () => {
  redisTest("is added, taken and settled, and leaves nothing behind", async ({ redis, prefix }) => {
    const sent: string[] = [];
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, stream) => {
      sent.push(command.name);
      return send(command, stream);
    };
    await runProbeJob({ ...worker, redis, prefix, clock: systemClock });
    expect(sent.length).toBeGreaterThan(3);
    expect(await redis.keys(`${prefix}:*`)).toEqual([]);
  });

  redisTest("runs again after one that was killed in the middle", async ({ redis, prefix }) => {
    const left = new Queue(probePlace(worker), { connection: redis, prefix });
    await left.add("sluice.probe", { tenant: "default" }, { jobId: "probe" });
    await runProbeJob({ ...worker, redis, prefix, clock: systemClock });
    expect(await redis.keys(`${prefix}:*`)).toEqual([]);
  });

  redisTest("that nobody can take in time is told, and is gone too", async ({ redis, prefix }) => {
    const clock = new FakeClock();
    const held = new Queue(probePlace(worker), { connection: redis, prefix });
    await held.pause();
    const running = runProbeJob({ ...worker, redis, prefix, clock });
    const failed = expect(running).rejects.toThrow("its own job was not taken within 10 s");
    await expect.poll(async () => held.getJob("probe")).toBeDefined();
    await expect.poll(() => clock.waiting).toBeGreaterThan(2);
    await clock.advance(10_000);
    await failed;
    expect(await redis.keys(`${prefix}:*`)).toEqual([]);
  });
});
