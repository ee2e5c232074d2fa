/**
 * Redis' memory over more jobs than are kept, and the door when it is full: it closes with the reason, what is queued
 * is run, and it opens again by itself.
 */
import { describe, expect } from "vitest";
import { type Stack, stackTest } from "#test/support/stack";
import { finishedIn, probeJob, show, untilEmpty } from "./door.ts";

/** Finished jobs that a lane keeps. */
const KEPT_MAX = 100_000;

async function usedMiB(stack: Stack): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await stack.redis.info("memory"))?.[1]) / 2 ** 20;
}

/** Hands in `count` jobs as one stream. */
async function stream(stack: Stack, count: number): Promise<void> {
  const body = `${probeJob(0)}\n`.repeat(count);
  const response = await fetch(`${stack.apiUrl}/v1/jobs/batch`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body,
    signal: AbortSignal.timeout(120_000),
  });
  const refused = (await response.text()).split("\n").find((line) => line.includes('"problem"'));
  if (refused !== undefined) throw new Error(`refused: ${refused}`);
}

describe("Redis' memory", () => {
  stackTest("is flat once as many finished jobs are kept as may be", async ({ stack }) => {
    await stack.publish("probe-v1");
    await stack.startProducer();
    await stack.startWorker("probe-v1", { slots: 100 });
    const rows: { readonly handedIn: number; readonly kept: number; readonly mib: number }[] = [];
    let handedIn = 0;
    while (handedIn < 1.5 * KEPT_MAX) {
      await stream(stack, 25_000);
      handedIn += 25_000;
      await untilEmpty(stack);
      rows.push({ handedIn, kept: await finishedIn(stack), mib: Math.round(await usedMiB(stack)) });
    }
    show("finished jobs", rows);
    const [full, last] = [rows.find(({ handedIn: n }) => n === 1.25 * KEPT_MAX), rows.at(-1)];
    expect(last?.kept).toBeLessThanOrEqual(KEPT_MAX);
    expect(last?.mib).toBeLessThan(1.05 * (full?.mib ?? 0));
  });

  stackTest(
    "when it is 85 % full closes the door until the fleet has worked off what is queued",
    async ({ stack }) => {
      await stack.publish("probe-v1");
      await stack.redis.config("SET", "maxmemory", "48mb");
      await stack.startProducer();
      let n = 0;
      const post = () => {
        n += 1;
        const padding = "x".repeat(100_000);
        const event = {
          specversion: "1.0",
          id: `full-${n}`,
          source: "/full",
          type: "probe.task",
          schemaversion: 1,
        };
        const body = JSON.stringify({ ...event, padding, data: { n, ms: 5 } });
        return stack.post(body, "application/cloudevents+json");
      };
      let accepted = 0;
      let answer = await post();
      while (answer.status === 202 && accepted < 2_000) {
        accepted += 1;
        answer = await post();
      }
      show("the door closes", [{ accepted, mib: Math.round(await usedMiB(stack)), ...answer.body }]);
      expect([answer.status, answer.body.code]).toEqual([503, "MEMORY_LOW"]);
      expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
      // The fleet, and the leader that cleans finished jobs away.
      await stack.startAutoscaler(["probe-v1"], { workersMin: 1 });
      await untilEmpty(stack);
      await expect.poll(async () => (await post()).status, { timeout: 60_000, interval: 250 }).toBe(202);
      show("the door is open again", [
        { mib: Math.round(await usedMiB(stack)), kept: await finishedIn(stack) },
      ]);
    },
  );
});
