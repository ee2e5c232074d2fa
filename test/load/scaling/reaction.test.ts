/**
 * How soon a spike is answered, process start included: spikes at random phases of the tick, on real processes.
 *
 * Measured from the spike's request to the first job that is taken by a worker that was not there before it. Most of the
 * time goes into the waits for the pool to be idle again, two to four ticks each, so both pools are measured side by side
 * and the suite has few spikes; `npm run bench:reaction` has 20 of each.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, type ExpectStatic } from "vitest";
import { type Stack, stackTest } from "#test/support/stack";

const SPIKES = Number(process.env.SPIKES ?? 3);
const TICK_MS = 5_000;
const WAIT = { timeout: 120_000, interval: 100 };

/** A stack of its own, and the test's own `expect`: tests that run side by side share none. */
interface Place {
  readonly stack: Stack;
  readonly expect: ExpectStatic;
}

interface WorkerRow {
  readonly state: string;
  readonly busy: number;
}

async function idleAt({ stack, expect }: Place, workers: number): Promise<void> {
  await expect
    .poll(async () => {
      const fleet: readonly WorkerRow[] = (await stack.control("/v1/fleet")).workers;
      return fleet.map(({ state, busy }) => `${state} ${busy}`);
    }, WAIT)
    .toEqual(Array.from({ length: workers }, () => "ok 0"));
}

/** Milliseconds from the spike to the first start by a process that was not there before. */
async function spike({ stack, expect }: Place, jobs: number): Promise<number> {
  const before = stack.ledger();
  // Whoever is there now may not have run a job yet.
  const known: readonly { readonly pid: number | null }[] = (await stack.control("/v1/fleet")).workers;
  const old = new Set([...before.map((it) => it.pid), ...known.map((it) => it.pid)]);
  const atMs = Date.now();
  const body = Array.from({ length: jobs }, (_, n) => ({
    type: "probe.task",
    schemaversion: 1,
    data: { n, ms: 500 },
  }));
  const { status } = await stack.api("/v1/jobs/batch", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(status).toBeLessThan(300);
  const first = () =>
    stack
      .ledger()
      .slice(before.length)
      .find((it) => !old.has(it.pid));
  await expect.poll(first, { timeout: 60_000, interval: 50 }).toBeDefined();
  const ended = () => stack.ledger().filter((it) => it.event === "end").length;
  await expect.poll(ended, WAIT).toBe(before.filter((it) => it.event === "end").length + jobs);
  return (first()?.atMs ?? Number.POSITIVE_INFINITY) - atMs;
}

async function spikes(place: Place, idle: number, jobs: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (let count = 0; count < SPIKES; count += 1) {
    await idleAt(place, idle);
    await sleep(Math.random() * TICK_MS);
    found.push(await spike(place, jobs));
  }
  return found.toSorted((a, b) => a - b);
}

/** The smallest value that at least 95 % do not exceed. */
function p95(sorted: readonly number[]): number {
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? Number.NaN;
}

function tell(what: string, sorted: readonly number[]): void {
  const p50 = sorted[Math.floor(sorted.length / 2)];
  process.stdout.write(`${what}: p50 ${p50} ms, p95 ${p95(sorted)} ms, max ${sorted.at(-1)} ms\n`);
}

async function start(stack: Stack, workersMin: number): Promise<void> {
  await stack.publish("probe-v1");
  await stack.startProducer();
  await stack.startAutoscaler(["probe-v1"], { workersMin, workersMax: 3, scaleInHoldMs: 1_000 });
}

describe.concurrent("a pool that is idle", () => {
  stackTest(
    "has a new worker taking jobs within 5 s of a spike",
    { timeout: 900_000 },
    async ({ stack, expect }) => {
      await start(stack, 1);
      const found = await spikes({ stack, expect }, 1, 60);
      tell("spike from idle", found);
      expect(p95(found)).toBeLessThan(5_000);
    },
  );

  stackTest("and at zero takes the first job within 3 s", { timeout: 900_000 }, async ({ stack, expect }) => {
    await start(stack, 0);
    const found = await spikes({ stack, expect }, 0, 1);
    tell("from zero", found);
    expect(p95(found)).toBeLessThan(3_000);
  });
});
