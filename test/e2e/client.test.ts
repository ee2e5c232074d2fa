/** The typed client against real processes: what it hands in is run once, whatever happens on the way. */
import { describe, expect } from "vitest";
import { z } from "zod";
import { createClient, type ItemResult, type SluiceClient } from "#producer/client/index";
import { defineContract } from "#shared/contracts/contract";
import { type Stack, stackTest } from "#test/support/stack";

const task = defineContract({
  type: "probe.task",
  queue: "probe",
  versions: [{ version: 1, schema: z.looseObject({ n: z.int(), ms: z.int().optional() }) }],
});

async function startApi(stack: Stack): Promise<string> {
  await stack.publish("probe-v1");
  const [, port] = await (await stack.startProducer()).said(/"port":(\d+)/);
  return `http://127.0.0.1:${port}`;
}

async function collected(results: AsyncIterable<ItemResult>): Promise<ItemResult[]> {
  const list: ItemResult[] = [];
  for await (const it of results) list.push(it);
  return list;
}

async function* tasks(count: number) {
  for (let n = 0; n < count; n += 1) yield { data: { n } };
}

const created = (count: number) => Array.from({ length: count }, (_it, index) => [index, "created"]);

describe("the typed client", () => {
  stackTest(
    "hands in one job, waits for it, follows, lists and cancels",
    { timeout: 60_000 },
    async ({ stack }) => {
      const client = createClient({ baseUrl: await startApi(stack) });
      await stack.startWorker("probe-v1");
      const waited = await client.enqueue(task, { n: 7 }, { waitMs: 20_000 });
      expect(waited.result).toMatchObject({ id: waited.id, state: "succeeded", result: { n: 7 } });

      const followed = await client.enqueue(task, { n: 8, ms: 500 });
      const states: (string | null)[] = [];
      for await (const { event, data } of client.events(followed.id)) states.push(`${event} ${data.state}`);
      expect(states.at(-1)).toBe("end succeeded");
      expect(states).toContain("state running");

      const later = await client.enqueue(task, { n: 9 }, { delayMs: 3_600_000, priority: "high" });
      expect(later.state).toBe("scheduled");
      expect(await client.cancel(later.id, { why: "the test needs it" })).toMatchObject({
        state: "cancelled",
      });
      await expect(client.cancel(waited.id)).rejects.toMatchObject({ code: "JOB_ENDED", status: 409 });
      expect(await client.get(`probe~${"a".repeat(52)}`)).toBeNull();

      const listed: string[] = [];
      for await (const { id } of client.list({ state: "succeeded", pageSize: 1 })) listed.push(id);
      expect(listed).toEqual([followed.id, waited.id]);
    },
  );

  stackTest(
    "hands in thousands by batches, by a stream and gathered",
    { timeout: 120_000 },
    async ({ stack }) => {
      const baseUrl = await startApi(stack);
      const client = createClient({ baseUrl });
      const items = Array.from({ length: 2_500 }, (_it, n) => ({ data: { n } }));
      const batched = await client.enqueueMany(task, items);
      expect(batched.map((it) => [it.index, it.outcome])).toEqual(created(2_500));

      const streamed = await collected(client.stream(task, tasks(5_000)));
      expect(streamed.map((it) => [it.index, it.outcome])).toEqual(created(5_000));

      const gathering = createClient({ baseUrl, batch: { maxItems: 200, maxWaitMs: 5 } });
      const single = await Promise.all(
        items.slice(0, 1_000).map(({ data }) => gathering.enqueue(task, data)),
      );
      expect(new Set([...batched, ...streamed, ...single].map((it) => it.id)).size).toBe(8_500);
    },
  );

  stackTest("makes one job of a call whose answers are lost", { timeout: 60_000 }, async ({ stack }) => {
    const baseUrl = await startApi(stack);
    const losing = losingAnswers(2);
    const client: SluiceClient = createClient({ baseUrl, fetch: losing });
    const job = await client.enqueue(task, { n: 1 });
    expect(job.outcome).toBe("replayed");
    const [many] = await createClient({ baseUrl, fetch: losingAnswers(2) }).enqueueMany(task, [
      { data: { n: 2 } },
    ]);
    expect(many?.outcome).toBe("replayed");
    expect((await stack.redis.keys("sluice:probe.r1:probe~*")).length).toBe(2);
  });
});

/** Sends each request, and loses the first answers on the way back. */
function losingAnswers(count: number): typeof fetch {
  let lost = 0;
  return async (input, init) => {
    const answer = await fetch(input, init);
    if (lost >= count) return answer;
    lost += 1;
    await answer.body?.cancel();
    throw new TypeError("fetch failed", { cause: new Error("the connection was lost") });
  };
}
