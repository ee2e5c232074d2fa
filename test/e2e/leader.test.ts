/** Two autoscalers of one machine: one leads, whatever becomes of the other, and nothing of the past takes effect. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { Child } from "#test/support/child";
import { CuttableLink } from "#test/support/cuttable-link";
import { type Stack, stackTest } from "#test/support/stack";

const WAIT = { timeout: 40_000, interval: 100 };
const MIN = 2;
const POOL = { workersMin: MIN, workersMax: 3 };

/** The lease, and the look of a standby that waits for its end. */
const TAKEOVER_MS_MAX = 17_000;

/** How long the fleet may be below its minimum: until somebody notices, and the start of a worker. */
const BELOW_MS_MAX = 12_000 + 5_000;

interface JournalLine {
  readonly atMs: number;
  readonly what: string;
  readonly epoch: number;
  readonly newest?: number;
}

function journalOf(stack: Stack): readonly JournalLine[] {
  const path = join(stack.directory, "executor", "journal.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return lines.filter((it) => it !== "").map((line) => JSON.parse(line) as JournalLine);
}

/** Effects in the order in which they were done: none of a lower epoch after one of a higher. */
function expectFenced(stack: Stack): void {
  const epochs = journalOf(stack)
    .filter(({ what }) => what !== "refused")
    .map((it) => it.epoch);
  expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
}

async function leaderOf(stack: Stack): Promise<{ id: string; epoch: number; pid: number } | null> {
  const { id, epoch, facts } = await stack.redis.hgetall("sluice:leader");
  return id === undefined ? null : { id, epoch: Number(epoch), pid: JSON.parse(facts ?? "{}").pid };
}

async function pidsOf(stack: Stack): Promise<number[]> {
  const root = join(stack.directory, "executor", "workers");
  const workers = readdirSync(root).filter((it) => it.endsWith(".json"));
  const pids = workers.map((it) => {
    try {
      return JSON.parse(readFileSync(join(root, it), "utf8")).pid as number;
    } catch {
      return 0;
    }
  });
  return pids.filter((pid) => {
    try {
      return pid > 0 && process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}

async function twoAutoscalers(stack: Stack, redisOfFirst?: string): Promise<[Child, Child]> {
  await stack.publish("probe-v1");
  await stack.startProducer();
  const first = await stack.startAutoscaler(
    ["probe-v1"],
    POOL,
    redisOfFirst === undefined ? {} : { SLUICE_REDIS_URL: `unix://${redisOfFirst}` },
  );
  await first.said(/this autoscaler leads/);
  const second = await stack.startAutoscaler(["probe-v1"], POOL);
  await expect.poll(() => pidsOf(stack), WAIT).toHaveLength(MIN);
  return [first, second];
}

/** Enqueues `count` jobs and expects each to have been done once. */
async function expectWorkDone(stack: Stack, count: number): Promise<void> {
  const before = stack.ledger().filter((it) => it.event === "end").length;
  for (let n = 0; n < count; n += 1) await stack.enqueue({ n: before + n, ms: 20 });
  const ended = () => stack.ledger().filter((it) => it.event === "end");
  await expect.poll(() => ended().length, WAIT).toBe(before + count);
  const ids = ended().map((it) => it.jobId);
  expect(new Set(ids).size).toBe(ids.length);
}

describe("a leader that is", () => {
  stackTest(
    "killed is replaced within 17 s, its workers go on, and one that dies with it is replaced in time",
    { timeout: 90_000 },
    async ({ stack }) => {
      const [first, second] = await twoAutoscalers(stack);
      const before = await leaderOf(stack);
      const [victim = 0, other = 0] = await pidsOf(stack);
      const killedAtMs = performance.now();
      first.kill("SIGKILL");
      process.kill(victim, "SIGKILL");
      await expect.poll(async () => (await leaderOf(stack))?.pid, WAIT).toBe(second.pid);
      const tookOverMs = performance.now() - killedAtMs;
      await expect.poll(() => pidsOf(stack), WAIT).toHaveLength(MIN);
      const belowMs = performance.now() - killedAtMs;
      expect((await leaderOf(stack))?.epoch).toBe((before?.epoch ?? 0) + 1);
      expect(await pidsOf(stack)).toContain(other);
      expect(tookOverMs).toBeLessThan(TAKEOVER_MS_MAX);
      expect(belowMs).toBeLessThan(BELOW_MS_MAX);
      await expectWorkDone(stack, 40);
      expectFenced(stack);
    },
  );

  stackTest(
    "stopped hands over at once and leaves the workers; the last one takes them with it",
    { timeout: 60_000 },
    async ({ stack }) => {
      const [first, second] = await twoAutoscalers(stack);
      const pids = await pidsOf(stack);
      const stoppedAtMs = performance.now();
      first.kill("SIGTERM");
      await expect.poll(async () => (await leaderOf(stack))?.pid, WAIT).toBe(second.pid);
      const tookOverMs = performance.now() - stoppedAtMs;
      expect(tookOverMs).toBeLessThan(3_000);
      expect(await first.exited).toEqual({ code: 0, signal: null });
      expect(first.output).toContain("goes on with the workers");
      expect(await pidsOf(stack)).toEqual(pids);
      await expectWorkDone(stack, 20);
      second.kill("SIGTERM");
      expect(await second.exited).toEqual({ code: 0, signal: null });
      expect(await pidsOf(stack)).toEqual([]);
    },
  );

  stackTest(
    "paused past its lease has no effect when it wakes, and stands by",
    { timeout: 90_000 },
    async ({ stack }) => {
      const [first, second] = await twoAutoscalers(stack);
      first.kill("SIGSTOP");
      await expect.poll(async () => (await leaderOf(stack))?.pid, WAIT).toBe(second.pid);
      const epoch = (await leaderOf(stack))?.epoch ?? 0;
      const [victim = 0] = await pidsOf(stack);
      // The new leader's first command is on disk when it has replaced a worker.
      process.kill(victim, "SIGKILL");
      await expect.poll(() => pidsOf(stack), WAIT).toHaveLength(MIN);
      const effects = () => journalOf(stack).filter(({ what }) => what !== "refused");
      const seen = effects().length;
      first.kill("SIGCONT");
      await first.said(/this autoscaler leads no more/);
      await expectWorkDone(stack, 20);
      expect((await leaderOf(stack))?.pid).toBe(second.pid);
      expect(
        effects()
          .slice(seen)
          .filter((it) => it.epoch < epoch),
      ).toEqual([]);
      expectFenced(stack);
    },
  );

  stackTest("cut from Redis stops by itself, and another leads", { timeout: 90_000 }, async ({ stack }) => {
    const link = await CuttableLink.open(join(stack.directory, "cut.sock"), stack.redisSocket);
    const [first, second] = await twoAutoscalers(stack, link.path);
    const before = await leaderOf(stack);
    expect(before?.pid).toBe(first.pid);
    const cutAtMs = performance.now();
    // Its workers came up by the same link and are cut off with it: their jobs run again elsewhere.
    link.cut();
    await expect.poll(async () => (await leaderOf(stack))?.pid, WAIT).toBe(second.pid);
    const tookOverMs = performance.now() - cutAtMs;
    expect(tookOverMs).toBeLessThan(TAKEOVER_MS_MAX);
    expect(first.output).toContain("this autoscaler leads no more");
    link.mend();
    await expectWorkDone(stack, 20);
    expect((await leaderOf(stack))?.pid).toBe(second.pid);
    expectFenced(stack);
    link.close();
  });

  stackTest(
    "robbed of its lease lets go, and nothing of its term takes effect after",
    { timeout: 90_000 },
    async ({ stack }) => {
      const [first, second] = await twoAutoscalers(stack);
      for (let round = 0; round < 3; round += 1) {
        const before = await leaderOf(stack);
        // Both may believe that they lead until the first renews.
        await stack.redis.del("sluice:leader");
        await expect
          .poll(async () => (await leaderOf(stack))?.epoch ?? 0, WAIT)
          .toBeGreaterThan(before?.epoch ?? 0);
        const [victim = 0] = await pidsOf(stack);
        process.kill(victim, "SIGKILL");
        await expect.poll(() => pidsOf(stack), WAIT).toHaveLength(MIN);
      }
      await stack.redis.set("sluice:leader", "nonsense");
      await expect.poll(() => leaderOf(stack).catch(() => null), WAIT).not.toBeNull();
      await expectWorkDone(stack, 20);
      expectFenced(stack);
      for (const child of [first, second]) expect(child.ended).toBe(false);
    },
  );
});
