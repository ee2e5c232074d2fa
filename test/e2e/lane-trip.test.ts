/** A build whose own upcaster throws stops taking from that lane; nobody else does, and nothing is lost. */
import { describe, expect } from "vitest";
import { type Stack, stackTest } from "#test/support/stack";

const WAIT = { timeout: 30_000, interval: 100 };

/** The broken build's step from version 1 throws for this amount. */
const BAD = 13;

const TRIPS = "sluice:fleet:trips";
const TRIP = "probe-v2-broken|probe.r1";

interface Entry {
  readonly release: string;
  readonly worker: string;
  readonly outcome: string;
  readonly code: string;
}

function ended(stack: Stack, release?: string): number {
  return stack.ledger().filter((it) => it.event === "end" && (release ?? it.release) === it.release).length;
}

async function enqueueOld(stack: Stack, jobs: number, ms = 0): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < jobs; n += 1) ids.push(await stack.enqueue({ n, amount: BAD, ms }));
  return ids;
}

async function tripOf(stack: Stack): Promise<{ failures: number; untilMs: number } | null> {
  return JSON.parse((await stack.redis.hget(TRIPS, TRIP)) ?? "null");
}

/** Lets the time of the trip be over. */
async function passTime(stack: Stack): Promise<void> {
  const trip = await tripOf(stack);
  await stack.redis.hset(TRIPS, TRIP, JSON.stringify({ ...trip, untilMs: Date.now() - 60_000 }));
}

async function entriesOf(stack: Stack, ids: readonly string[]): Promise<Entry[]> {
  const jobs = await Promise.all(ids.map((id) => stack.job(id)));
  for (const job of jobs) expect(job.attempts).toMatchObject({ failed: 0, crashes: 0 });
  return jobs.flatMap((job) => job.attempts.entries);
}

describe("a release whose upcaster throws", () => {
  stackTest(
    "leaves the old lane to the release that reads it, and goes on with its own",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2-broken");
      await stack.startProducer();
      const broken = await stack.startWorker("probe-v2-broken", { slots: 4 });
      const old = await enqueueOld(stack, 20);
      await expect.poll(() => tripOf(stack), WAIT).toMatchObject({ failures: 1, type: "probe.task" });

      // Its own lane flows while the old one waits, by it and by a second worker of the same release.
      const second = await stack.startWorker("probe-v2-broken", { slots: 4, workerId: "second" });
      const extra: string[] = [];
      for (let n = 100; n < 120; n += 1) extra.push(await stack.enqueue({ n }, 1, "probe.extra"));
      await expect.poll(() => ended(stack, "probe-v2-broken"), WAIT).toBe(extra.length);
      expect(ended(stack)).toBe(extra.length);

      await stack.startWorker("probe-v1", { slots: 4 });
      old.push(...(await enqueueOld(stack, 20)));
      await expect.poll(() => ended(stack, "probe-v1"), WAIT).toBe(old.length);
      for (const id of [...old, ...extra]) {
        expect(await stack.job(id)).toMatchObject({ state: "succeeded", attempts: { failed: 0 } });
      }
      // Four slots, and one job that was asked for before taking had stopped.
      const entries = await entriesOf(stack, old);
      expect(entries.length).toBeLessThanOrEqual(5);
      expect(await tripOf(stack)).toMatchObject({ failures: 1 });
      const lines = `${broken.output}${second.output}`.match(/takes nothing from the lane/g);
      expect(lines).toHaveLength(1);
      for (const lane of ["probe.r1", "probe.r2"]) {
        expect(await stack.redis.zcard(`sluice:${lane}:failed`)).toBe(0);
      }
      for (const child of [broken, second]) expect(child.ended).toBe(false);
    },
  );

  stackTest(
    "hands back without an attempt, is tried again after its time, and is well once it reads a job",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2-broken");
      await stack.startProducer();
      await stack.startWorker("probe-v2-broken", { slots: 4 });
      const [id = ""] = await enqueueOld(stack, 1);
      await expect.poll(() => tripOf(stack), WAIT).toMatchObject({ failures: 1 });
      // The trip is told before the job is put back.
      await expect
        .poll(() => stack.job(id), WAIT)
        .toMatchObject({
          state: "scheduled",
          attempts: { failed: 0, entries: [{ outcome: "handed-back", code: "UPCAST_FAILED" }] },
        });

      await passTime(stack);
      await expect.poll(() => tripOf(stack), WAIT).toMatchObject({ failures: 2 });
      const lengthMs = ((await tripOf(stack))?.untilMs ?? 0) - Date.now();
      // The second in a row: 60 s, less up to a fifth and what the poll took.
      expect(lengthMs).toBeGreaterThan(48_000 - 10_000);
      expect(lengthMs).toBeLessThanOrEqual(60_000);
      await expect.poll(() => entriesOf(stack, [id]), WAIT).toHaveLength(2);

      await stack.redis.del(`sluice:probe.r1:delayed`);
      await passTime(stack);
      const good = await stack.enqueue({ n: 7, amount: 5 });
      await expect.poll(() => stack.job(good), WAIT).toMatchObject({ state: "succeeded" });
      await expect.poll(() => tripOf(stack), WAIT).toBeNull();
    },
  );

  stackTest(
    "is an alarm once it is the only one left, until a fixed build comes",
    { timeout: 90_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2-broken");
      await stack.startProducer();
      const ids = await enqueueOld(stack, 10);
      const first = await stack.startAutoscaler(["probe-v2-broken"], { workersMax: 2 });
      const lane = async () => {
        const { queues } = await stack.control("/v1/lanes");
        return queues[0].lanes.find((it: { lane: string }) => it.lane === "probe.r1");
      };
      await expect.poll(lane, WAIT).toMatchObject({
        tripped: true,
        orphaned: false,
        consumers: 0,
        trips: [
          {
            release: "probe-v2-broken",
            type: "probe.task",
            targetVersion: 2,
            jobId: expect.stringMatching(/^probe~/),
            until: expect.stringMatching(/Z$/),
          },
        ],
      });
      const page = await stack.control("/");
      expect(page).toContain(
        "probe.r1 stands still with 10 jobs: release probe-v2-broken fails at its own step",
      );
      expect(page).toContain("No job is lost and no attempt is used up.");
      await expect.poll(() => stack.control("/metrics"), WAIT).toContain("sluice_tripped_lanes 1");
      expect((await entriesOf(stack, ids)).every(({ code }) => code === "UPCAST_FAILED")).toBe(true);
      first.kill("SIGTERM");
      await first.exited;

      await stack.publish("probe-v2");
      await stack.startAutoscaler(["probe-v2-broken", "probe-v2"], { workersMax: 2 });
      await expect.poll(() => ended(stack, "probe-v2"), WAIT).toBe(ids.length);
      for (const id of ids) {
        await expect
          .poll(() => stack.job(id), WAIT)
          .toMatchObject({ state: "succeeded", release: "probe-v2", attempts: { failed: 0, crashes: 0 } });
      }
      await expect.poll(lane, WAIT).toMatchObject({ tripped: false, orphaned: false });
    },
  );
});
