/** Two releases on one fleet: what the older cannot read waits for the newer, untouched. */
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { describe, expect } from "vitest";
import { type Stack, stackTest } from "#test/support/stack";

const WAIT = { timeout: 30_000, interval: 100 };
const total = { value: 5, currency: "EUR" };

describe("a fleet of a release that reads version 1 and one that reads both", () => {
  stackTest(
    "never starts on the older what only the newer reads, and burns no attempt",
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2");
      await stack.openGate();
      await stack.startProducer();
      await stack.startWorker("probe-v1", { slots: 4 });

      const older: string[] = [];
      const newer: string[] = [];
      for (let n = 0; n < 40; n += 1) {
        older.push(await stack.enqueue({ n, amount: 5 }));
        newer.push(await stack.enqueue({ n: 100 + n, total }, 2));
        newer.push(await stack.enqueue({ n: 200 + n }, 1, "probe.extra"));
      }
      // The older release alone does all of its own while 80 jobs it cannot read wait beside them.
      await expect
        .poll(() => stack.ledger().filter((it) => it.event === "end").length, WAIT)
        .toBe(older.length);
      expect(stack.ledger().every((it) => it.release === "probe-v1" && it.n < 100)).toBe(true);
      for (const id of newer) {
        expect(await stack.job(id)).toMatchObject({
          state: "waiting",
          lane: "probe.r2",
          attempts: { starts: 0 },
        });
      }

      await stack.startWorker("probe-v2", { slots: 4 });
      await expect.poll(() => stack.ledger().filter((it) => it.event === "end").length, WAIT).toBe(120);
      const starts = stack.ledger().filter((it) => it.event === "start");
      expect(starts).toHaveLength(120);
      expect(starts.filter((it) => it.n >= 100).every((it) => it.release === "probe-v2")).toBe(true);
      for (const id of [...older, ...newer]) {
        expect(await stack.job(id)).toMatchObject({ state: "succeeded", attempts: { failed: 0, starts: 1 } });
      }
    },
  );

  stackTest("costs the older no command while 500 jobs wait that only the newer reads", async ({ stack }) => {
    await stack.publish("probe-v1", "probe-v2");
    await stack.openGate();
    await stack.startProducer();
    const posts = Array.from({ length: 500 }, (_, n) => stack.enqueue({ n: 1_000 + n, total }, 2));
    await Promise.all(posts);
    // Rolled back: the gate is down and only the older release has workers.
    await stack.openGate(1);
    // Handed in before anybody listens: the door looks at every lane of a queue to know how much waits in it.
    for (let n = 0; n < 40; n += 1) await stack.enqueue({ n, amount: 5, ms: 200 });
    await stack.startWorker("probe-v1");

    // By hand: the client's own monitor loses its place when others connect at that moment.
    const monitor = connect(stack.redisSocket);
    const commands = { all: 0, ofNewerLane: 0 };
    createInterface({ input: monitor }).on("line", (line) => {
      commands.all += 1;
      if (line.includes("probe.r2")) commands.ofNewerLane += 1;
    });
    monitor.write("MONITOR\r\n");
    await expect.poll(() => stack.ledger().filter((it) => it.event === "end").length, WAIT).toBe(40);
    monitor.destroy();
    expect(commands.all).toBeGreaterThan(40);
    expect(commands.ofNewerLane).toBe(0);
    expect(await stack.redis.llen("sluice:probe.r2:wait")).toBe(500);
    expect(stack.ledger().every((it) => it.release === "probe-v1" && it.n < 40)).toBe(true);
  });

  /** What a plain BullMQ tool could do to a stored job, so that the release with that lane cannot run it. */
  const unreadable = [
    { code: "TOO_NEW", change: { schemaversion: 2, minreaderversion: 2, data: { n: 1, total } } },
    { code: "FOREIGN", change: { type: "probe.extra" } },
  ];
  for (const { code, change } of unreadable) {
    stackTest(
      `keeps a job that nobody can read (${code}) parked, and puts it back when a reader comes`,
      async ({ stack }) => {
        await stack.publish("probe-v1");
        await stack.startProducer();
        const id = await stack.enqueue({ n: 1 });
        const key = await spoil(stack, id, change);

        const old = await stack.startWorker("probe-v1");
        await expect
          .poll(() => stack.job(id), WAIT)
          .toMatchObject({
            state: "parked",
            attempts: { failed: 0, entries: [{ outcome: "parked", code }] },
          });
        expect(await stack.redis.exists(key)).toBe(0);
        old.kill("SIGTERM");
        await old.exited;

        await stack.publish("probe-v2");
        await stack.startWorker("probe-v2");
        await expect
          .poll(() => stack.job(id), WAIT)
          .toMatchObject({ state: "succeeded", release: "probe-v2", attempts: { failed: 0 } });
        expect(await stack.redis.llen("sluice:probe.parked:wait")).toBe(0);
      },
    );
  }

  stackTest("parks a job whose critical attribute nobody understands, as an alarm", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    const event = { specversion: "1.0", id: "sealed", source: "/test", type: "probe.task", schemaversion: 1 };
    const sealed = { ...event, data: { n: 1 }, crit: "sealedwith", sealedwith: "k7" };
    const { status, body: accepted } = await stack.post(sealed, "application/cloudevents+json");
    expect(status).toBe(202);
    await spoil(stack, accepted.id, {});
    await stack.startWorker("probe-v1");
    await expect
      .poll(() => stack.job(accepted.id), WAIT)
      .toMatchObject({ state: "parked", attempts: { failed: 0, entries: [{ code: "UNKNOWN_CRIT" }] } });
    await stack.startAutoscaler(["probe-v1"]);
    const { queues } = await stack.control("/v1/lanes");
    expect(queues[0]).toMatchObject({ queue: "probe", parked: 1 });
    expect(stack.ledger()).toEqual([]);
  });
});

describe("a worker", () => {
  stackTest("whose app is malformed does not start and lists every problem", async ({ stack }) => {
    const { code, output } = await stack.runWorkerMain(["publish"], {
      SLUICE_RELEASE: "broken",
      SLUICE_APP: "test/support/apps/broken.mjs",
    });
    expect(code).toBe(78);
    expect(output).toContain("coerces");
    expect(output).toContain("handler must be a function");
  });

  stackTest("of a release that is not published is refused", async ({ stack }) => {
    const { code, output } = await stack.runWorkerMain([], {
      SLUICE_RELEASE: "probe-v1",
      SLUICE_APP: "test/support/apps/probe-v1.mjs",
      SLUICE_QUEUE: "probe",
    });
    expect(code).toBe(77);
    expect(output).toContain("not published");
  });

  stackTest("refuses a Redis that could lose or evict jobs", async ({ stack }) => {
    await stack.redis.config("SET", "appendfsync", "everysec");
    await stack.redis.config("SET", "maxmemory-policy", "allkeys-lru");
    const { code, output } = await stack.runProducerMain();
    expect(code).toBe(72);
    expect(output).toContain("appendfsync always");
    expect(output).toContain("noeviction");
  });
});

/** Changes a stored job and makes it one that was handed back as often as a job is before it is parked. */
async function spoil(stack: Stack, id: string, change: Readonly<Record<string, unknown>>): Promise<string> {
  const key = `sluice:probe.r1:${id}`;
  const envelope = JSON.parse((await stack.redis.hget(key, "data")) ?? "{}");
  const record = { attempts: [], failures: 0, handBacks: 8 };
  const data = JSON.stringify({ ...envelope, ...change });
  await stack.redis.hset(key, "data", data, "progress", JSON.stringify(record));
  return key;
}
