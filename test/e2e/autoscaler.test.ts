/** The fleet follows the work: from zero, up, back to zero, without losing or repeating a job. */
import { describe, expect } from "vitest";
import { stackTest } from "#test/support/stack";

const WAIT = { timeout: 40_000, interval: 200 };

interface WorkerRow {
  readonly worker: string;
  readonly release: string;
  readonly state: string;
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("the autoscaler", () => {
  stackTest(
    "takes the fleet from zero up and back to zero with every job done once",
    { timeout: 240_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      await stack.startAutoscaler(["probe-v1"]);
      await expect.poll(async () => (await stack.control("/readyz")).status, WAIT).toBe("ready");
      expect((await stack.control("/v1/fleet")).workers).toEqual([]);

      const sizes = new Set<number>();
      const ids: string[] = [];
      for (let n = 0; n < 300; n += 1) ids.push(await stack.enqueue({ n, ms: 50 }));
      const ended = () => stack.ledger().filter((it) => it.event === "end").length;
      await expect
        .poll(async () => {
          sizes.add((await stack.control("/v1/fleet")).workers.length);
          return ended();
        }, WAIT)
        .toBe(ids.length);
      // The last one stays while the burst counts as coming on more than one occasion a minute.
      const workers = async () => (await stack.control("/v1/fleet")).workers;
      await expect.poll(workers, { ...WAIT, timeout: 150_000 }).toEqual([]);

      const starts = stack.ledger().filter((it) => it.event === "start");
      expect(new Set(starts.map((it) => it.jobId))).toEqual(new Set(ids));
      expect(starts).toHaveLength(ids.length);
      expect(Math.max(...sizes)).toBeGreaterThan(1);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
      const { decisions } = await stack.control("/v1/scaling/decisions?limit=200");
      const acts = decisions.flatMap((it: { actions: { act: string }[] }) =>
        it.actions.map(({ act }) => act),
      );
      expect(new Set(acts)).toEqual(new Set(["start", "drain", "stop"]));
      const [newest] = decisions;
      expect(newest).toMatchObject({
        queue: "probe",
        sentence: expect.any(String),
        inputs: { lanes: expect.any(Array) },
      });
    },
  );

  stackTest(
    "replaces a killed worker, whose job runs again within 21 s",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      await stack.startAutoscaler(["probe-v1"], { workersMax: 1, slotsPerWorker: 1 });
      const id = await stack.enqueue({ n: 1, ms: 3_000 });
      await expect.poll(() => stack.ledger().length, WAIT).toBe(1);
      const killedAtMs = Date.now();
      process.kill(stack.ledger()[0]?.pid ?? 0, "SIGKILL");
      await expect.poll(() => stack.ledger().length, WAIT).toBeGreaterThan(1);
      expect((stack.ledger()[1]?.atMs ?? 0) - killedAtMs).toBeLessThan(21_000);
      await expect
        .poll(() => stack.job(id), WAIT)
        .toMatchObject({ state: "succeeded", attempts: { crashes: 1 } });
    },
  );

  stackTest("sizes each release for the lane it owns", { timeout: 60_000 }, async ({ stack }) => {
    await stack.publish("probe-v1", "probe-v2");
    await stack.openGate();
    await stack.startProducer();
    await stack.startAutoscaler(["probe-v1", "probe-v2"], { workersMax: 2, scaleInHoldMs: 5_000 });
    const total = { value: 1, currency: "EUR" };
    for (let n = 0; n < 60; n += 1) {
      await stack.enqueue({ n, ms: 100 });
      await stack.enqueue({ n: 100 + n, ms: 100, total }, 2);
    }
    const releases = async () =>
      new Set((await stack.control("/v1/fleet")).workers.map((it: WorkerRow) => it.release));
    await expect.poll(releases, WAIT).toEqual(new Set(["probe-v1", "probe-v2"]));
    await expect.poll(() => stack.ledger().filter((it) => it.event === "end").length, WAIT).toBe(120);
    const newer = stack.ledger().filter((it) => it.n >= 100);
    expect(newer.every((it) => it.release === "probe-v2" && it.starts === 1)).toBe(true);
  });

  stackTest(
    "stops its workers when it is stopped, and takes over those of one that was killed",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      const first = await stack.startAutoscaler(["probe-v1"], { workersMin: 2, workersMax: 2 });
      const healthy = async () => {
        const { workers } = await stack.control("/v1/fleet");
        return workers
          .filter((it: WorkerRow) => it.state === "ok")
          .map((it: WorkerRow) => it.worker)
          .sort();
      };
      await expect.poll(healthy, WAIT).toHaveLength(2);
      const before = await healthy();
      first.kill("SIGKILL");
      await first.exited;
      const second = await stack.startAutoscaler(["probe-v1"], { workersMin: 2, workersMax: 2 });
      await expect.poll(() => second.output, WAIT).toContain("this autoscaler leads");
      await expect.poll(healthy, WAIT).toEqual(before);
      const pids = (await stack.control("/v1/fleet")).workers.map((it: { pid: number }) => it.pid);

      second.kill("SIGTERM");
      expect(await second.exited).toEqual({ code: 0, signal: null });
      // They were the first one's children: whoever has inherited them may take a moment to notice their end.
      await expect.poll(() => pids.filter(isThere), WAIT).toEqual([]);
    },
  );
});
