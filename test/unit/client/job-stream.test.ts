import { describe, expect, test } from "vitest";
import { createClient, type ItemResult, SluiceClientError } from "#producer/client/index";
import { settled } from "#test/support/fake-clock";
import { data, receipt } from "./receipt.ts";
import { HastyClock } from "./scripted-server.ts";
import { type LineAnswering, type LineAsked, streamingServer } from "./streaming-server.ts";

const created = ({ data: { orderId } }: LineAsked, index: number) => ({
  index,
  outcome: "created",
  id: orderId,
  state: "waiting",
});

const order = (number: number) => ({ data: { ...data, orderId: `o-${number}` } });

async function* orders(count: number, taken: number[] = []) {
  for (let number = 0; number < count; number += 1) {
    taken.push(number);
    yield order(number);
  }
}

async function streaming(answer: LineAnswering, attempts = 5) {
  const server = await streamingServer(answer);
  const clock = new HastyClock();
  const client = createClient({ baseUrl: server.baseUrl, clock, random: () => 0.5, retry: { attempts } });
  return { ...server, client, clock };
}

async function all(results: AsyncIterable<ItemResult>): Promise<ItemResult[]> {
  const list: ItemResult[] = [];
  for await (const it of results) list.push(it);
  return list;
}

describe("a stream of jobs", () => {
  test("of 5,000 is answered in order, each once", async () => {
    const { client, requests, headers } = await streaming((it, { line }) => created(it, line));
    const results = await all(client.stream(receipt, orders(5_000)));
    expect(results.map((it) => it.index)).toEqual(Array.from({ length: 5_000 }, (_it, index) => index));
    expect(results.every((it) => it.outcome === "created" && it.id === `o-${it.index}`)).toBe(true);
    expect(requests.flat()).toHaveLength(5_000);
    expect(headers[0]).toMatchObject({
      "content-type": "application/x-ndjson",
      accept: "application/x-ndjson",
    });
  });

  test("may come from a plain list, and from nothing", async () => {
    const { client, requests } = await streaming((it, { line }) => created(it, line));
    expect(await all(client.stream(receipt, [order(1), order(2)]))).toHaveLength(2);
    expect(await all(client.stream(receipt, []))).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test("is answered while it is sent: an item that waits for the answer before gets it", async () => {
    const { client } = await streaming((it, { line }) => created(it, line));
    let heard: () => void = () => undefined;
    async function* inTurns() {
      for (let number = 0; number < 5; number += 1) {
        const answered = new Promise<void>((resolve) => {
          heard = resolve;
        });
        yield order(number);
        await answered;
      }
    }
    const seen: number[] = [];
    for await (const { index } of client.stream(receipt, inTurns())) {
      seen.push(index);
      heard();
    }
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  test("takes no more items than fit in its window while nothing is answered", async () => {
    const taken: number[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { client } = await streaming(async (it, { line }) => {
      await held;
      return created(it, line);
    });
    const results = all(client.stream(receipt, orders(3_000, taken)));
    await expect.poll(() => taken.length).toBe(1_000);
    // Whatever could be taken all the same would be by now.
    for (let turn = 0; turn < 20; turn += 1) await settled();
    expect(taken.length).toBe(1_000);
    release();
    expect(await results).toHaveLength(3_000);
  });

  test("that breaks goes on with what was not answered, under the same ids", async () => {
    const known = new Set<string>();
    const { client, requests, clock } = await streaming((it, { request, line }) => {
      const outcome = known.has(it.id) ? "replayed" : "created";
      known.add(it.id);
      // Stored, and the answer is lost.
      return request === 1 && line === 40 ? null : { ...created(it, line), outcome };
    });
    const results = await all(client.stream(receipt, orders(200)));
    expect(results.map((it) => [it.index, it.error])).toEqual(
      Array.from({ length: 200 }, (_it, index) => [index, null]),
    );
    // Answers that were on their way are lost with the connection, so it may go back further than to the 40.
    const first = Number(requests[1]?.[0]?.data.orderId.slice(2));
    expect(first).toBeLessThanOrEqual(40);
    expect(results.map((it) => it.outcome)).toEqual(
      results.map((_it, index) => (index >= first && index <= 40 ? "replayed" : "created")),
    );
    expect([requests.length, known.size]).toEqual([2, 200]);
    expect(clock.slept).toHaveLength(1);
  });

  test("that cannot be brought to its end says so of each job it had sent, and throws", async () => {
    const { client } = await streaming(() => null, 2);
    const seen: ItemResult[] = [];
    const reading = (async () => {
      for await (const it of client.stream(receipt, orders(3))) seen.push(it);
    })();
    await expect(reading).rejects.toMatchObject({ code: "NO_ANSWER", outcome: "unknown" });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((it) => it.outcome === "unknown")).toBe(true);
    expect(seen.map((it) => it.index)).toEqual(seen.map((_it, index) => index));
  });

  test("hands in again what is refused for now, and keeps the order of results", async () => {
    const refusedOnce = new Set(["o-5", "o-7"]);
    const { client, requests } = await streaming((it, { line }) => {
      if (!refusedOnce.delete(it.data.orderId)) return created(it, line);
      const problem = { status: 429, code: "THROTTLED", detail: "Too many.", retryAfterMs: 100 };
      return { index: line, outcome: "refused", problem };
    });
    const results = await all(client.stream(receipt, orders(50)));
    expect(results.map((it) => [it.index, it.outcome])).toEqual(
      Array.from({ length: 50 }, (_it, index) => [index, "created"]),
    );
    const again = requests[1]?.map((it) => it.data.orderId);
    expect(again).toEqual(["o-5", "o-7"]);
  });

  test("goes on after a job that is refused for good", async () => {
    const { client } = await streaming((it, { line }) =>
      it.data.orderId === "o-1"
        ? {
            index: line,
            outcome: "refused",
            problem: { status: 422, code: "DATA_INVALID", detail: "Wrong." },
          }
        : created(it, line),
    );
    const results = await all(client.stream(receipt, orders(3)));
    expect(results.map((it) => it.outcome)).toEqual(["created", "refused", "created"]);
    expect(results[1]?.error).toBeInstanceOf(SluiceClientError);
  });

  test("passes on what its source throws, after the answers to what came before", async () => {
    const { client } = await streaming((it, { line }) => created(it, line));
    async function* failing() {
      yield order(0);
      yield order(1);
      throw new Error("the file is torn");
    }
    const seen: number[] = [];
    const reading = (async () => {
      for await (const it of client.stream(receipt, failing())) seen.push(it.index);
    })();
    await expect(reading).rejects.toThrow("the file is torn");
    expect(seen).toEqual([0, 1]);
  });

  test("ends with its signal, though its source waits for ever", async () => {
    const { client } = await streaming((it, { line }) => created(it, line));
    const abort = new AbortController();
    async function* stuck() {
      yield order(0);
      await new Promise(() => undefined);
    }
    const reading = (async () => {
      for await (const _it of client.stream(receipt, stuck(), { signal: abort.signal })) abort.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("lets its source go when nobody reads on", async () => {
    const { client } = await streaming((it, { line }) => created(it, line));
    let closed: () => void = () => undefined;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    async function* endless() {
      try {
        for (let number = 0; ; number += 1) yield order(number);
      } finally {
        closed();
      }
    }
    for await (const _it of client.stream(receipt, endless())) break;
    await isClosed;
  });
});
