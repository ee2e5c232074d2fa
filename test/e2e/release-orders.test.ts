/** A real worker does what is wanted of all workers of its release: takes nothing, probes, hands back, counts. */
import { describe, expect } from "vitest";
import { FleetStore, type WorkerStatus } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { ProbeStore } from "#shared/redis/probe-store";
import { ReleaseCountersStore } from "#shared/redis/release-counters-store";
import { ReleaseOrdersStore } from "#shared/redis/release-orders-store";
import { type ReleaseOrders, releaseOrders } from "#shared/rollout/release-orders";
import { type Stack, stackTest } from "#test/support/stack";

const WAIT = { timeout: 20_000, interval: 20 };

const keys = keysOf("sluice");

/** What the leader of the first term wants; releases that are not named take all. */
function want(stack: Stack, byRelease: Record<string, Partial<ReleaseOrders>>): Promise<void> {
  const documents = Object.entries(byRelease).map(([release, changes]) => {
    return [release, releaseOrders.parse({ epoch: 1, takes: "all", ...changes })] as const;
  });
  return new ReleaseOrdersStore(stack.redis, keys).give("probe", Object.fromEntries(documents), 1);
}

async function statusOf(stack: Stack, release: string): Promise<WorkerStatus | null> {
  const { workers } = await new FleetStore(stack.redis, keys).observe();
  return workers.find((it) => it.facts.release === release)?.status ?? null;
}

function ranOn(stack: Stack, release: string): number {
  return stack.ledger().filter((it) => it.event === "end" && it.release === release).length;
}

describe("a worker whose release is to take nothing", () => {
  stackTest(
    "takes none from its first moment until it may, and none again",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2");
      await stack.startProducer();
      await stack.enqueue({ n: 1 });
      await want(stack, { "probe-v1": { takes: "nothing" } });
      await stack.startWorker("probe-v1");
      // Well and warm, with a job that waits in its lane.
      await expect
        .poll(() => statusOf(stack, "probe-v1"), WAIT)
        .toMatchObject({
          state: "ok",
          takes: "nothing",
          heldLanes: ["probe.r1"],
          busy: 0,
        });
      expect(stack.ledger()).toEqual([]);

      await want(stack, {});
      await expect.poll(() => ranOn(stack, "probe-v1"), WAIT).toBe(1);

      await want(stack, { "probe-v1": { takes: "own-lanes", lanes: ["probe.r7"] } });
      await expect
        .poll(() => statusOf(stack, "probe-v1"), WAIT)
        .toMatchObject({ takes: "own-lanes", busy: 0 });
      for (let n = 2; n <= 20; n += 1) await stack.enqueue({ n });
      await stack.startWorker("probe-v2");
      await expect.poll(() => ranOn(stack, "probe-v2"), WAIT).toBe(19);
      expect(ranOn(stack, "probe-v1")).toBe(1);
      const counters = new ReleaseCountersStore(stack.redis, keys);
      await expect
        .poll(() => counters.read("probe", ["probe-v1", "probe-v2"]), WAIT)
        .toMatchObject({
          "probe-v1": { finished: 1, completed: 1, "type|probe.task|finished": 1 },
          "probe-v2": { finished: 19, completed: 19, "tenant|default|finished": 19 },
        });
      expect(await statusOf(stack, "probe-v2")).toMatchObject({
        firstRuns: { finished: 19, failed: 0, inRow: 0 },
      });
    },
  );
});

describe("a worker whose release is to be probed", () => {
  stackTest(
    "runs the probe of each try and no job, and says what it came to",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2", "probe-v2-broken");
      await stack.startProducer();
      await stack.enqueue({ n: 1 });
      const probes = new ProbeStore(stack.redis, keys);
      const before = (await stack.redis.keys("*probe.probe*")).length;
      await want(stack, {
        "probe-v2": { takes: "probe", probeAttempt: 1 },
        "probe-v2-broken": { takes: "probe", probeAttempt: 1 },
      });
      const good = await stack.startWorker("probe-v2");
      await stack.startWorker("probe-v2-broken");
      await expect
        .poll(() => probes.read("probe", "probe-v2"), WAIT)
        .toMatchObject({
          attempt: 1,
          outcome: "succeeded",
          detail: expect.stringMatching(
            /^it read [1-9]\d* golden samples and ran a job of its own; the app's probe passed$/,
          ),
        });
      expect(good.output).toContain("the app's probe runs");
      await expect
        .poll(() => probes.read("probe", "probe-v2-broken"), WAIT)
        .toMatchObject({
          attempt: 1,
          outcome: "failed",
          detail: "the app's probe failed: this step has a bug",
        });
      await want(stack, {
        "probe-v2": { takes: "probe", probeAttempt: 2 },
        "probe-v2-broken": { takes: "nothing" },
      });
      await expect
        .poll(() => probes.read("probe", "probe-v2"), WAIT)
        .toMatchObject({ attempt: 2, outcome: "succeeded" });
      expect(stack.ledger()).toEqual([]);
      await expect.poll(async () => (await stack.redis.keys("*probe.probe*")).length, WAIT).toBe(before);

      await want(stack, { "probe-v2-broken": { takes: "nothing" } });
      await expect.poll(() => ranOn(stack, "probe-v2"), WAIT).toBe(1);
    },
  );
});

describe("a release that leaves", () => {
  stackTest(
    "hands back what it runs without an attempt, and may take it again later",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2");
      await stack.startProducer();
      await stack.startWorker("probe-v1");
      const id = await stack.enqueue({ n: 1, ms: 600_000 });
      await expect.poll(() => stack.ledger().length, WAIT).toBe(1);
      await expect.poll(() => statusOf(stack, "probe-v1"), WAIT).toMatchObject({ busy: 1 });

      // It takes nothing more and finishes what it has.
      await want(stack, { "probe-v1": { takes: "nothing" } });
      await expect.poll(() => statusOf(stack, "probe-v1"), WAIT).toMatchObject({ takes: "nothing", busy: 1 });

      await want(stack, { "probe-v1": { takes: "nothing", handBack: true } });
      await expect.poll(() => statusOf(stack, "probe-v1"), WAIT).toMatchObject({ takes: "nothing", busy: 0 });
      expect(await stack.job(id)).toMatchObject({
        attempts: { failed: 0, entries: [{ outcome: "handed-back" }] },
      });

      // It is not lost to a release that takes, nor to this one when it takes again.
      await want(stack, {});
      await expect.poll(() => stack.ledger().length, WAIT).toBe(2);
      expect(stack.ledger()[1]).toMatchObject({
        event: "start",
        release: "probe-v1",
        attempt: 1,
        starts: expect.any(Number),
      });
      await want(stack, { "probe-v1": { takes: "nothing", handBack: true } });
      await expect.poll(() => statusOf(stack, "probe-v1"), WAIT).toMatchObject({ busy: 0 });
    },
  );
});
