/**
 * 10,000 jobs of an older lane move into the newest while the process that moves them is killed again and
 * again: each is then there once, with its id, its due time and its record, and runs in the new version.
 */
import { Queue } from "bullmq";
import { describe, expect } from "vitest";
import { jobIdOf } from "#shared/job-id";
import { EMPTY_RECORD } from "#shared/job-record";
import { LaneQueues } from "#shared/redis/lane-queues";
import { addJob } from "#test/support/add-job";
import { type Stack, stackTest } from "#test/support/stack";

const SCHEDULED = 5_000;
const WAITING = 3_000;
const RETRYING = 2_000;
const JOBS = SCHEDULED + WAITING + RETRYING;

const HOUR_MS = 3_600_000;
const DAYS_30_MS = 30 * 24 * HOUR_MS;

const record = { ...EMPTY_RECORD, failures: 1, handBacks: 2 };

/** What is known of a job before it moves. */
interface Expected {
  readonly n: number;
  /** BullMQ's score in the set of scheduled jobs, `null` for one that waits. */
  readonly score: string | null;
  readonly retrying: boolean;
}

function idOf(n: number): string {
  return jobIdOf({ queue: "probe", tenant: "default", source: "/test", id: `${n}` });
}

function envelopeOf(n: number): object {
  return {
    specversion: "1.0",
    id: `${n}`,
    source: "/test",
    type: "probe.task",
    schemaversion: 1,
    minreaderversion: 1,
    time: "2026-01-31T11:59:00.000Z",
    tenant: "default",
    subject: `order-${n}`,
    colour: "red",
    data: { n, amount: n, unheardof: true },
  };
}

/** Jobs as the door and workers of version 1 leave them; due times repeat, as those of real jobs do. */
async function fill(stack: Stack): Promise<ReadonlyMap<string, Expected>> {
  const queues = new LaneQueues(stack.redis, "sluice");
  await stack.redis.ping();
  const acceptedAtMs = Date.now();
  const numbers = Array.from({ length: JOBS }, (_, n) => n);
  await Promise.all(
    numbers.map((n) => {
      const delayMs = n < SCHEDULED ? DAYS_30_MS + (n % 1_000) : n < SCHEDULED + WAITING ? 0 : HOUR_MS + n;
      const dataText = JSON.stringify(envelopeOf(n));
      return addJob(queues, "probe.r1", {
        jobId: idOf(n),
        name: "probe.task",
        dataText,
        acceptedAtMs,
        delayMs,
      });
    }),
  );
  const pipeline = stack.redis.pipeline();
  for (const n of numbers.slice(SCHEDULED + WAITING)) {
    const started = { ats: 2, atm: 1, stc: 1, progress: JSON.stringify(record) };
    pipeline.hset(`sluice:probe.r1:${idOf(n)}`, started);
  }
  await pipeline.exec();
  const scores = await scoresIn(stack, "probe.r1");
  return new Map(
    numbers.map((n) => {
      const retrying = n >= SCHEDULED + WAITING;
      return [idOf(n), { n, score: scores.get(idOf(n)) ?? null, retrying }];
    }),
  );
}

async function scoresIn(stack: Stack, lane: string): Promise<ReadonlyMap<string, string>> {
  const flat = await stack.redis.zrange(`sluice:${lane}:delayed`, "0", "-1", "WITHSCORES");
  return new Map(flat.flatMap((id, at) => (at % 2 === 0 ? [[id, flat[at + 1] ?? ""]] : [])));
}

async function idsIn(stack: Stack, lane: string): Promise<readonly string[]> {
  return [
    ...(await stack.redis.lrange(`sluice:${lane}:wait`, 0, -1)),
    ...(await stack.redis.zrange(`sluice:${lane}:prioritized`, "0", "-1")),
    ...(await stack.redis.zrange(`sluice:${lane}:delayed`, "0", "-1")),
    ...(await stack.redis.lrange(`sluice:${lane}:active`, 0, -1)),
  ];
}

/** Whether the lanes together hold each job once, whatever has moved so far. */
async function expectEachOnce(stack: Stack): Promise<void> {
  const ids = [...(await idsIn(stack, "probe.r1")), ...(await idsIn(stack, "probe.r2"))];
  expect(ids).toHaveLength(JOBS);
  expect(new Set(ids).size).toBe(JOBS);
}

/** Runs the migration to its end through many deaths; each comes while a batch is on its way. */
async function migrateThroughDeaths(stack: Stack): Promise<number> {
  for (let deaths = 0; ; deaths += 1) {
    const child = stack.startMigration("probe-v2", {
      SLUICE_JOBS_PER_SECOND: "2000",
      SLUICE_LOG_LEVEL: "debug",
    });
    const batches = 1 + Math.floor(Math.random() * 8);
    const enough = child
      .said(new RegExp(`(?:batch is moved[^]*?){${batches}}`), 60_000)
      .catch(() => undefined);
    await Promise.race([enough, child.exited]);
    child.kill("SIGKILL");
    const { code, signal } = await child.exited;
    await expectEachOnce(stack);
    if (signal === null) {
      expect(code, child.output).toBe(0);
      return deaths;
    }
  }
}

async function expectMoved(stack: Stack, expected: ReadonlyMap<string, Expected>): Promise<void> {
  const old = new Queue("probe.r1", { connection: stack.redis, prefix: "sluice" });
  const counts = await old.getJobCounts();
  expect(
    Object.values(counts).reduce((sum, it) => sum + it, 0),
    JSON.stringify(counts),
  ).toBe(0);
  const keys = (await stack.redis.keys("sluice:probe.r1:*")).map((key) => key.split(":")[2]);
  expect(keys.filter((name) => name?.includes("~"))).toEqual([]);

  expect(await scoresIn(stack, "probe.r2")).toEqual(
    new Map([...expected].flatMap(([id, { score }]) => (score === null ? [] : [[id, score] as const]))),
  );
  for (const [id, { n, retrying }] of expected) {
    const fields = await stack.redis.hgetall(`sluice:probe.r2:${id}`);
    expect(JSON.parse(fields.data ?? "null")).toEqual({
      ...envelopeOf(n),
      schemaversion: 2,
      minreaderversion: 2,
      data: { n, unheardof: true, total: { value: n, currency: "USD" } },
    });
    const started = retrying ? ["2", "1", JSON.stringify(record)] : [undefined, undefined, undefined];
    expect([fields.ats, fields.stc, fields.progress]).toEqual(started);
  }
}

describe("10,000 jobs of an older lane", () => {
  stackTest(
    "move into the newest through any number of kills, none lost and none doubled",
    async ({ stack }) => {
      await stack.publish("probe-v1", "probe-v2");
      await stack.openGate();
      const expected = await fill(stack);
      await expectEachOnce(stack);
      const startedAtMs = Date.now();
      const deaths = await migrateThroughDeaths(stack);
      process.stdout.write(`${JOBS} jobs moved through ${deaths} kills in ${Date.now() - startedAtMs} ms\n`);
      expect(deaths).toBeGreaterThan(5);
      await expectMoved(stack, expected);

      const queue = new Queue("probe.r2", { connection: stack.redis, prefix: "sluice" });
      const retried = [...expected].filter(([, it]) => it.retrying).slice(0, 100);
      for (const [id] of retried) await (await queue.getJob(id))?.promote();
      await stack.startWorker("probe-v2", { slots: 8 });
      const ends = () => stack.ledger().filter((it) => it.event === "end");
      await expect
        .poll(() => ends().length, { timeout: 120_000, interval: 500 })
        .toBe(WAITING + retried.length);
      const starts = stack.ledger().filter((it) => it.event === "start");
      expect(new Set(starts.map((it) => it.jobId)).size).toBe(starts.length);
      for (const { jobId, ...start } of starts) {
        // A retried job was started twice and failed once before it moved.
        const before = expected.get(jobId)?.retrying ? { starts: 3, attempt: 2 } : { starts: 1, attempt: 1 };
        expect(start).toMatchObject({ ...before, release: "probe-v2", schemaVersion: 2 });
      }
    },
  );
});
