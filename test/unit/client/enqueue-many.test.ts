import { describe, expect, test } from "vitest";
import { data, receipt } from "./receipt.ts";
import { type Asked, refused, scriptedClient, type Told } from "./scripted-server.ts";

interface SentJob {
  readonly id: string;
  readonly data: { readonly orderId: string };
}

const jobsIn = ({ body }: Asked): readonly SentJob[] => JSON.parse(body);

function created(index: number) {
  return { index, outcome: "created", id: `shop~${index}`, state: "waiting" };
}

function notNow(index: number, more: Readonly<Record<string, unknown>> = {}) {
  const problem = { status: 429, code: "THROTTLED", detail: "Too many.", retryAfterMs: 100, ...more };
  return { index, outcome: "refused", problem };
}

function answered(results: readonly unknown[]): Told {
  return { status: 200, body: { results } };
}

const orders = (count: number) =>
  Array.from({ length: count }, (_it, index) => ({ data: { ...data, orderId: `o-${index}` } }));

describe("enqueueMany", () => {
  test("sends batches of 1,000 and tells of each job in order", async () => {
    const { client, asked } = await scriptedClient((it) =>
      answered(jobsIn(it).map((_job, index) => created(index))),
    );
    const results = await client.enqueueMany(receipt, orders(2_300));
    expect(asked.map((it) => [it.url, jobsIn(it).length])).toEqual([
      ["/v1/jobs/batch", 1_000],
      ["/v1/jobs/batch", 1_000],
      ["/v1/jobs/batch", 300],
    ]);
    expect(results.map((it) => it.index)).toEqual(Array.from({ length: 2_300 }, (_it, index) => index));
    expect(results.every((it) => it.outcome === "created" && it.error === null)).toBe(true);
  });

  test("gives each job an id of its own and keeps those that have one", async () => {
    const { client, asked } = await scriptedClient((it) =>
      answered(jobsIn(it).map((_job, index) => created(index))),
    );
    await client.enqueueMany(receipt, [{ data, id: "mine" }, { data }, { data }]);
    const ids = asked.flatMap(jobsIn).map((it) => it.id);
    expect(ids[0]).toBe("mine");
    expect(new Set(ids).size).toBe(3);
    expect(asked[0]?.headers["idempotency-key"]).toBeUndefined();
  });

  test("sends again only what was refused for now, under the same ids, after the longest wait asked", async () => {
    const { client, asked, clock } = await scriptedClient((it, count) => {
      if (count === 2) return answered(jobsIn(it).map((_job, index) => created(index)));
      const wrong = { status: 422, code: "DATA_INVALID", detail: "Wrong.", errors: [] };
      return answered([
        created(0),
        notNow(1),
        { index: 2, outcome: "refused", problem: wrong },
        notNow(3, { retryAfterMs: 4_000 }),
      ]);
    });
    const results = await client.enqueueMany(receipt, orders(4));
    expect(asked.map((it) => jobsIn(it).map((job) => job.data.orderId))).toEqual([
      ["o-0", "o-1", "o-2", "o-3"],
      ["o-1", "o-3"],
    ]);
    const [first = [], second = []] = asked.map((it) => jobsIn(it).map((job) => job.id));
    expect(second).toEqual([first[1], first[3]]);
    // 4,000 and half of a fifth of it.
    expect(clock.slept).toEqual([4_400]);
    expect(results.map((it) => [it.index, it.outcome, it.error?.code ?? null])).toEqual([
      [0, "created", null],
      [1, "created", null],
      [2, "refused", "DATA_INVALID"],
      [3, "created", null],
    ]);
  });

  test("says what is left when the attempts are used up, and forgets no doubt", async () => {
    const { client, asked } = await scriptedClient(
      (_it, count) =>
        answered([
          count === 1
            ? { index: 0, outcome: "unknown", problem: { status: 503, code: "ENQUEUE_UNKNOWN", detail: "?" } }
            : notNow(0),
        ]),
      { retry: { attempts: 3 } },
    );
    const results = await client.enqueueMany(receipt, orders(1));
    expect(asked).toHaveLength(3);
    expect(results).toMatchObject([
      { index: 0, outcome: "unknown", error: { code: "THROTTLED", outcome: "unknown" } },
    ]);
  });

  test("does not reject when a whole request fails: each job shares its fate", async () => {
    const { client } = await scriptedClient((it, count) =>
      count === 1
        ? answered(jobsIn(it).map((_job, index) => created(index)))
        : refused(401, "UNAUTHENTICATED"),
    );
    const results = await client.enqueueMany(receipt, orders(1_001));
    expect(results[999]).toMatchObject({ outcome: "created" });
    expect(results[1_000]).toMatchObject({
      index: 1_000,
      outcome: "refused",
      error: { code: "UNAUTHENTICATED", outcome: "not_enqueued" },
    });
  });

  test("says unknown of every job of a request that was cut", async () => {
    const { client } = await scriptedClient(() => "cut", { retry: { attempts: 2 } });
    const results = await client.enqueueMany(receipt, orders(2));
    expect(results).toMatchObject([
      { index: 0, outcome: "unknown", error: { code: "NO_ANSWER" } },
      { index: 1, outcome: "unknown", error: { code: "NO_ANSWER" } },
    ]);
  });

  test("believes no answer that does not speak of each job", async () => {
    const { client } = await scriptedClient(() => answered([created(0)]), { retry: { attempts: 1 } });
    const results = await client.enqueueMany(receipt, orders(2));
    expect(results.map((it) => [it.outcome, it.error?.code])).toEqual([
      ["unknown", "ANSWER_UNREADABLE"],
      ["unknown", "ANSWER_UNREADABLE"],
    ]);
  });

  test("of nothing asks nobody", async () => {
    const { client, asked } = await scriptedClient(() => answered([]));
    expect(await client.enqueueMany(receipt, [])).toEqual([]);
    expect(asked).toEqual([]);
  });
});

describe("single jobs that are gathered", () => {
  const batch = { maxItems: 3, maxWaitMs: 10 };

  test("share a request, and each gets its own answer", async () => {
    const { client, asked } = await scriptedClient(
      (it) =>
        answered(
          jobsIn(it).map((job, index) =>
            job.data.orderId === "o-1"
              ? {
                  index,
                  outcome: "refused",
                  problem: { status: 422, code: "DATA_INVALID", detail: "Wrong." },
                }
              : { index, outcome: "created", id: job.data.orderId, state: "waiting" },
          ),
        ),
      { batch },
    );
    const settled = await Promise.allSettled(orders(3).map((it) => client.enqueue(receipt, it.data)));
    expect(asked.map((it) => [it.url, jobsIn(it).length])).toEqual([["/v1/jobs/batch", 3]]);
    expect(settled).toMatchObject([
      { status: "fulfilled", value: { id: "o-0", outcome: "created" } },
      { status: "rejected", reason: { code: "DATA_INVALID", outcome: "not_enqueued" } },
      { status: "fulfilled", value: { id: "o-2" } },
    ]);
  });

  test("leave when the first has waited long enough", async () => {
    const { client, asked, clock } = await scriptedClient(
      (it) => answered(jobsIn(it).map((_job, index) => created(index))),
      { batch },
    );
    await client.enqueue(receipt, data);
    expect([asked.length, clock.slept]).toEqual([1, [10]]);
  });

  test("are not gathered when they have a key of their own or wait for the end", async () => {
    const { client, asked } = await scriptedClient(
      () => ({ status: 202, body: { id: "shop~a", state: "waiting", outcome: "created" } }),
      { batch },
    );
    await client.enqueue(receipt, data, { idempotencyKey: "k" });
    await client.enqueue(receipt, data, { waitMs: 1_000 });
    expect(asked.map((it) => it.url)).toEqual(["/v1/jobs", "/v1/jobs"]);
  });

  test("are not sent when they are aborted while they wait for company", async () => {
    const { client, asked } = await scriptedClient(
      (it) => answered(jobsIn(it).map((_job, index) => created(index))),
      { batch },
    );
    const abort = new AbortController();
    const given = client.enqueue(receipt, { ...data, orderId: "gone" }, { signal: abort.signal });
    abort.abort();
    const kept = client.enqueue(receipt, { ...data, orderId: "kept" });
    await expect(given).rejects.toMatchObject({ code: "ABORTED", outcome: "not_enqueued" });
    await kept;
    expect(asked.flatMap(jobsIn).map((it) => it.data.orderId)).toEqual(["kept"]);
  });
});
