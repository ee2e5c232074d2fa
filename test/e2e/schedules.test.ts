/** Schedules and handlers' own jobs with real processes, some of which are killed. */
import { describe, expect } from "vitest";
import { jobIdOf } from "#shared/job-id";
import { idOfOccurrence, sourceOfSchedule } from "#shared/schedules/schedule";
import { fromRfc3339 } from "#shared/system-clock";
import { type Answer, type Stack, stackTest } from "#test/support/stack";

const WAIT = { timeout: 40_000, interval: 100 };

async function put(stack: Stack, name: string, schedule: object): Promise<Answer["body"]> {
  const { status, body } = await stack.api(`/v1/schedules/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "probe.task", schemaversion: 1, ...schedule }),
  });
  if (status !== 201) throw new Error(`not taken: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** The job of an occurrence, worked out as anybody can. */
function jobOf(name: string, occurrenceMs: number): string {
  const id = idOfOccurrence(name, occurrenceMs);
  return jobIdOf({ queue: "probe", tenant: "default", source: sourceOfSchedule(name), id });
}

describe("schedules whose autoscaler is killed", () => {
  stackTest(
    "come each second, none twice, and those of the outage as their policies say",
    { timeout: 90_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.startProducer();
      const first = await stack.startAutoscaler(["probe-v1"], { workersMax: 1 });
      const every = { intervalMs: 1_000 };
      const graceMs = 1_500;
      const all = await put(stack, "all", { data: { n: 1 }, every, graceMs, missed: "all" });
      await put(stack, "skip", { data: { n: 2 }, every, graceMs, missed: "skip" });
      const enqueued = async (name: string) =>
        (await stack.api(`/v1/schedules/${name}`)).body.status.enqueued;
      await expect.poll(() => enqueued("all"), WAIT).toBeGreaterThan(2);

      first.kill("SIGKILL");
      await first.exited;
      // Away for at least five seconds: by the clock of the schedules, which is Redis'.
      const killedAtS = Number((await stack.redis.time())[0]);
      await expect
        .poll(async () => Number((await stack.redis.time())[0]) - killedAtS, WAIT)
        .toBeGreaterThan(5);
      const before = await enqueued("all");
      await stack.startAutoscaler(["probe-v1"], { workersMax: 1 });
      await expect.poll(() => enqueued("all"), WAIT).toBeGreaterThan(before + 8);

      const [doneAll, doneSkip] = await Promise.all(
        ["all", "skip"].map(async (name) => {
          await stack.api(`/v1/schedules/${name}/pause`, { method: "POST" });
          return (await stack.api(`/v1/schedules/${name}`)).body.status;
        }),
      );
      const jobs = doneAll.enqueued + doneSkip.enqueued;
      const ends = () => stack.ledger().filter((it) => it.event === "end");
      await expect.poll(() => ends().length, WAIT).toBe(jobs);

      const started = stack.ledger().filter((it) => it.event === "start");
      expect(new Set(started.map((it) => it.jobId)).size).toBe(started.length);
      const beganMs = fromRfc3339(all.createdAt) ?? Number.NaN;
      const lastMs = fromRfc3339(doneAll.lastOccurrence) ?? Number.NaN;
      const expected = Array.from({ length: (lastMs - beganMs) / 1_000 }, (_, k) =>
        jobOf("all", beganMs + (k + 1) * 1_000),
      );
      expect(
        started
          .filter((it) => it.n === 1)
          .map((it) => it.jobId)
          .sort(),
      ).toEqual(expected.sort());
      expect(doneAll).toMatchObject({ enqueued: expected.length, missed: 0, health: "ok" });
      // Five seconds of outage, of which those within the grace were on time.
      expect(doneSkip.missed).toBeGreaterThanOrEqual(3);
      expect(doneSkip.lastMissed.code).toBe("LATE");
    },
  );

  stackTest(
    "enqueue through the gate of the moment, and say what refuses them",
    { timeout: 60_000 },
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2");
      await stack.startProducer();
      await stack.openGate(2);
      // The producer sees it within a second or so.
      const gate = async () => {
        const { types } = (await stack.api("/v1/types")).body;
        return types.find((it: { type: string }) => it.type === "probe.task").activeversion;
      };
      await expect.poll(gate, WAIT).toBe(2);
      await put(stack, "second", {
        schemaversion: 2,
        data: { n: 3, total: { value: 1, currency: "USD" } },
        every: { intervalMs: 1_000 },
        graceMs: 30_000,
        missed: "all",
      });
      const status = async () => (await stack.api("/v1/schedules/second")).body.status;
      await stack.openGate(1);
      await stack.startAutoscaler(["probe-v1", "probe-v2"], { workersMax: 2 });
      await expect
        .poll(status, WAIT)
        .toMatchObject({ health: "refused", refused: { code: "VERSION_NOT_ACTIVE" }, enqueued: 0 });
      const waiting = (await status()).refused.occurrence;
      await stack.openGate(2);
      await expect.poll(status, WAIT).toMatchObject({ health: "ok", missed: 0 });
      const firstJob = await stack.job(jobOf("second", fromRfc3339(waiting) ?? 0));
      expect(firstJob).toMatchObject({ source: "/schedules/second", schemaversion: 2 });
    },
  );
});

describe("a handler that enqueues", () => {
  stackTest("adds nothing twice when its job runs again", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    await stack.startWorker("probe-v1");
    const parent = await stack.enqueue({ n: 1, spawn: 3, fail: "once" });
    await expect
      .poll(() => stack.job(parent), WAIT)
      .toMatchObject({ state: "succeeded", attempts: { starts: 2 } });
    const childStarts = () => stack.ledger().filter((it) => it.event === "start" && it.n > 100);
    await expect.poll(() => childStarts().length, WAIT).toBe(3);
    expect(
      childStarts()
        .map((it) => it.n)
        .sort(),
    ).toEqual([101, 102, 103]);
    const child = await stack.job(childStarts()[0]?.jobId ?? "");
    expect(child).toMatchObject({ source: `/jobs/${parent}`, type: "probe.task" });
    await expect.poll(() => stack.redis.hget("sluice:service:probe", "probe.task|created"), WAIT).toBe("3");
  });
});
