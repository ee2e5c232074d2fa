import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import type { InjectOptions } from "fastify";
import { describe, expect, test } from "vitest";
import type { ServerPorts } from "#producer/server";
import { RedisUnavailableError } from "#shared/errors";
import type { JobView } from "#shared/redis/job-lookup";
import type { JobNews } from "#shared/redis/job-watch";
import { serve } from "./server-builder.ts";

const host = "127.0.0.1:7700";
const JOB = "/v1/jobs/shop~1";

function view(changes: Partial<JobView> = {}): JobView {
  return {
    id: "shop~1",
    type: "receipt.render",
    state: "waiting",
    tenant: "default",
    queue: "shop",
    lane: "shop.r1",
    schemaversion: 1,
    minreaderversion: 1,
    source: "/test",
    acceptedAt: "2026-01-31T12:00:00.000Z",
    dueAt: null,
    startedAt: null,
    finishedAt: null,
    release: null,
    worker: null,
    attempts: { failed: 0, starts: 0, crashes: 0, entries: [] },
    progress: null,
    result: null,
    resultBytesDropped: null,
    error: null,
    ...changes,
  };
}

const ended = view({ state: "succeeded", result: { pages: 2 } });
const resultOfEnded = {
  id: "shop~1",
  state: "succeeded",
  result: { pages: 2 },
  resultBytesDropped: null,
  error: null,
};

/** A watch in which a wait ends as it is told. */
function watchThat(untilEnded: ServerPorts["watch"]["untilEnded"]): ServerPorts["watch"] {
  return { hasRoom: true, isStopped: false, untilEnded, subscribe: () => null, stop: () => undefined };
}

/** Something that a test waits for. */
function once() {
  let happens: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => {
    happens = resolve;
  });
  return { happened, happens: () => happens() };
}

/** The answer to a request, when its head is there; on a connection of its own. */
function opened(url: string, agent: Agent | false = false): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // A test breaks some off itself.
    const begun = (answer: IncomingMessage) => resolve(answer.on("error", () => undefined));
    request(url, { agent }, begun).on("error", reject).end();
  });
}

function get(url: string, headers: Record<string, string> = {}): InjectOptions {
  return { method: "GET", url, headers: { host, ...headers } };
}

function post(url: string, payload?: string): InjectOptions {
  const headers = { host, ...(payload !== undefined && { "content-type": "application/json" }) };
  return { method: "POST", url, headers, ...(payload !== undefined && { payload }) };
}

describe("another tenant's job", () => {
  test.each([
    get(JOB),
    get(JOB, { prefer: "wait=5" }),
    get(`${JOB}/result`),
    get(`${JOB}/result?wait=5`),
    get(`${JOB}/events`),
    post(`${JOB}/cancel`),
    post(`${JOB}/cancel`, '{"why":"x"}'),
  ])("is answered as one that does not exist by $method $url", async (injected) => {
    const asked: string[] = [];
    const answers = [];
    for (const job of [view({ tenant: "another" }), null]) {
      const { server } = serve({
        findJob: async (id) => {
          asked.push(id);
          return job;
        },
        canceller: { cancel: () => Promise.reject(new Error("must not be asked")) },
      });
      const answer = await server.inject(injected);
      answers.push([answer.statusCode, answer.body, { ...answer.headers, date: "" }]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]).toBe(404);
    // The same work: one look each.
    expect(asked).toEqual(["shop~1", "shop~1"]);
  });
});

describe("GET /v1/jobs/{id}/result", () => {
  test("answers 200 with the end of a job that has ended, waiting for nothing", async () => {
    const watch = watchThat(() => Promise.reject(new Error("must not wait")));
    const { server } = serve({ findJob: async () => ended, watch });
    const answer = await server.inject(get(`${JOB}/result?wait=60`));
    expect([answer.statusCode, answer.json()]).toEqual([200, resultOfEnded]);
  });

  test("answers 202 with the state and when to ask again otherwise", async () => {
    const { server } = serve({ findJob: async () => view({ state: "running" }) });
    const answer = await server.inject(get(`${JOB}/result`));
    expect([answer.statusCode, answer.json()]).toEqual([202, { id: "shop~1", state: "running" }]);
    expect(answer.headers["retry-after"]).toBe("1");
  });

  test.each([
    ["?wait=7", {}, 7_000, undefined],
    ["", { prefer: "wait=7" }, 7_000, "wait=7"],
    // What stands in the query is meant.
    ["?wait=3", { prefer: "wait=7" }, 3_000, undefined],
  ])("waits as long as it is asked to by %j and %j", async (query, headers, timeoutMs, applied) => {
    const waits: number[] = [];
    const watch = watchThat(async (_id, options) => {
      waits.push(options.timeoutMs);
      return ended;
    });
    const { server } = serve({ findJob: async () => view(), watch });
    const answer = await server.inject(get(`${JOB}/result${query}`, headers));
    expect([answer.statusCode, answer.json()]).toEqual([200, resultOfEnded]);
    expect(waits).toEqual([timeoutMs]);
    expect(answer.headers["preference-applied"]).toBe(applied);
  });

  test("answers 202 with the job as it is when the wait is over", async () => {
    const looks = [view(), view({ state: "running" })];
    const { server } = serve({
      findJob: async () => looks.shift() ?? null,
      watch: watchThat(async () => null),
    });
    const answer = await server.inject(get(`${JOB}/result?wait=1`));
    expect([answer.statusCode, answer.json()]).toEqual([202, { id: "shop~1", state: "running" }]);
  });

  test("answers 503 when the wait ends and Redis does not say how the job is", async () => {
    let looks = 0;
    const findJob = async () => {
      looks += 1;
      if (looks > 1) throw new RedisUnavailableError();
      return view();
    };
    const { server } = serve({ findJob, watch: watchThat(async () => null) });
    const answer = await server.inject(get(`${JOB}/result?wait=1`));
    expect([answer.statusCode, answer.json().code]).toEqual([503, "REDIS_UNAVAILABLE"]);
  });

  test("answers 503 when no more may wait, and one that need not wait all the same", async () => {
    const { server } = serve({ findJob: async () => view() });
    const answer = await server.inject(get(`${JOB}/result?wait=1`));
    expect([answer.statusCode, answer.json().code, answer.headers["retry-after"]]).toEqual([
      503,
      "TOO_MANY_WAITING",
      "5",
    ]);
    expect((await server.inject(get(`${JOB}/result?wait=0`))).statusCode).toBe(202);
  });

  test.each(["wait=61", "wait=-1", "wait=x", "wait=", "wait=1&wait=2", "other=1"])(
    "answers 422 to ?%s",
    async (query) => {
      const { server } = serve({ findJob: async () => view() });
      const answer = await server.inject(get(`${JOB}/result?${query}`));
      expect([answer.statusCode, answer.json().code]).toEqual([422, "QUERY_INVALID"]);
      expect(answer.json().errors).toHaveLength(1);
    },
  );
});

describe("GET /v1/jobs/{id} with Prefer: wait", () => {
  test("shows the whole job, 200 once it has ended and 202 before", async () => {
    for (const [result, status, shown] of [
      [ended, 200, ended],
      [null, 202, view()],
    ] as const) {
      const { server } = serve({ findJob: async () => view(), watch: watchThat(async () => result) });
      const answer = await server.inject(get(JOB, { prefer: "wait=5" }));
      expect([answer.statusCode, answer.json()]).toEqual([status, shown]);
      expect(answer.headers["preference-applied"]).toBe("wait=5");
    }
  });
});

describe("a client that goes away while it waits", () => {
  test("frees its place at once", async () => {
    let signal: AbortSignal | undefined;
    const waiting = once();
    const watch = watchThat((_id, options) => {
      signal = options.signal;
      waiting.happens();
      return new Promise((resolve) => options.signal.addEventListener("abort", () => resolve(null)));
    });
    const { server } = serve({ findJob: async () => view(), watch, loopbackOnly: false });
    const url = await server.listen({ host: "127.0.0.1", port: 0 });
    const client = request(`${url}${JOB}/result?wait=60`, { agent: false }).end();
    client.on("error", () => undefined);
    await waiting.happened;
    client.destroy();
    await expect.poll(() => signal?.aborted).toBe(true);
  });
});

test("a request that waits when the server closes is answered, and its connection holds up nothing", async () => {
  const waiting = once();
  const stopped = once();
  const watch: ServerPorts["watch"] = {
    ...watchThat(() => {
      waiting.happens();
      return stopped.happened.then(() => null);
    }),
    isStopped: true,
    stop: () => stopped.happens(),
  };
  const { server } = serve({ findJob: async () => view(), watch, loopbackOnly: false });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  const agent = new Agent({ keepAlive: true });
  const answered = opened(`${url}${JOB}/result?wait=60`, agent);
  await waiting.happened;
  const closed = server.close();
  const answer = await answered;
  expect([answer.statusCode, answer.headers.connection]).toEqual([202, "close"]);
  answer.resume();
  await closed;
  agent.destroy();
});

describe("POST /v1/jobs/{id}/cancel", () => {
  test.each([
    [{ kind: "cancelled" }, 200, { id: "shop~1", state: "cancelled" }],
    [{ kind: "running", workerId: "w-1" }, 202, { id: "shop~1", state: "running", cancelling: true }],
  ] as const)("answers %j with %i", async (outcome, status, body) => {
    const asked: unknown[] = [];
    const canceller = {
      cancel: async (...args: unknown[]) => {
        asked.push(args);
        return outcome;
      },
    };
    const { server, acts } = serve({ findJob: async () => view(), canceller });
    const answer = await server.inject(post(`${JOB}/cancel`, '{"why":" ordered twice "}'));
    expect([answer.statusCode, answer.json()]).toEqual([status, body]);
    expect(asked).toEqual([["shop~1", { tenant: "default", why: "ordered twice" }]]);
    expect(acts).toMatchObject([
      { action: "job.cancel", target: "shop~1", why: "ordered twice", outcome: "done" },
    ]);
  });

  test("answers 409 with the state of one that has ended", async () => {
    const canceller = { cancel: async () => ({ kind: "ended", state: "failed" }) as const };
    const { server } = serve({ findJob: async () => view(), canceller });
    const answer = await server.inject(post(`${JOB}/cancel`));
    expect([answer.statusCode, answer.json()]).toMatchObject([409, { code: "JOB_ENDED", state: "failed" }]);
  });

  test.each([
    ["a reason that is no text", '{"why":7}'],
    ["a reason that is too long", `{"why":"${"x".repeat(257)}"}`],
    ["a reason of two lines", '{"why":"a\\nb"}'],
    ["another field", '{"reason":"x"}'],
    ["a list", "[]"],
    ["half an object", "{"],
    ["a text", '"x"'],
  ])("answers 422 to %s, and asks nobody", async (_what, body) => {
    const { server } = serve({ findJob: () => Promise.reject(new Error("must not be asked")) });
    const answer = await server.inject(post(`${JOB}/cancel`, body));
    expect([answer.statusCode, answer.json().code]).toEqual([422, "BODY_INVALID"]);
  });
});

describe("GET /v1/jobs", () => {
  test("asks for the caller's own, and links to the next page", async () => {
    const asked: unknown[] = [];
    const lister: ServerPorts["lister"] = {
      list: async (question) => {
        asked.push(question);
        return { jobs: [], next: { after: ["1700000000000", "shop~1"], parts: [] } };
      },
    };
    const { server } = serve({ lister });
    const first = await server.inject(get("/v1/jobs?state=failed&type=receipt.render&limit=7"));
    const { nextCursor } = first.json();
    expect(first.headers.link).toBe(
      `</v1/jobs?state=failed&type=receipt.render&limit=7&cursor=${nextCursor}>; rel="next"`,
    );
    await server.inject(get(`/v1/jobs?state=failed&type=receipt.render&cursor=${nextCursor}`));
    const question = { tenant: "default", state: "failed", type: "receipt.render" };
    expect(asked).toEqual([
      { ...question, limit: 7, position: null },
      { ...question, limit: 50, position: { after: ["1700000000000", "shop~1"], parts: [] } },
    ]);
    expect((await server.inject(get(`/v1/jobs?cursor=${nextCursor}`))).statusCode).toBe(422);
  });

  test.each([
    "state=done",
    "state=failed&state=waiting",
    "type=Receipt",
    "limit=0",
    "limit=201",
    "limit=1e1",
    "limit=",
    "cursor=x",
    "cursor=",
    "tenant=another",
  ])("answers 422 to ?%s", async (query) => {
    const { server } = serve({ lister: { list: () => Promise.reject(new Error("must not be asked")) } });
    const answer = await server.inject(get(`/v1/jobs?${query}`));
    expect([answer.statusCode, answer.json().code]).toEqual([422, "QUERY_INVALID"]);
  });
});

describe("GET /v1/jobs/{id}/events", () => {
  test("tells the present state, each change, and the end", async () => {
    let tell: (news: JobNews) => void = () => undefined;
    const subscribed = once();
    const watch: ServerPorts["watch"] = {
      ...watchThat(async () => null),
      subscribe: (_id, listener) => {
        tell = listener;
        subscribed.happens();
        return () => undefined;
      },
    };
    const { server } = serve({ findJob: async () => view(), watch });
    const asking = server.inject(get(`${JOB}/events`, { "last-event-id": "41" }));
    await subscribed.happened;
    await turn();
    tell({ kind: "changed", job: view() });
    tell({ kind: "changed", job: view({ state: "running", release: "v1", worker: "w-1" }) });
    tell({ kind: "changed", job: ended });
    const answer = await asking;
    expect(answer.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(answer.headers["cache-control"]).toBe("no-store");
    const parts = answer.body.split("\n\n").map((it) => it.split("\n"));
    // What was told already is not told again.
    expect(parts.map(([first, second]) => [first, second])).toEqual([
      ["retry: 2000", undefined],
      ["event: state", "id: 42"],
      ["event: state", "id: 43"],
      ["event: state", "id: 44"],
      ["event: end", "id: end"],
      ["", undefined],
    ]);
    const data = parts.flatMap((lines) => lines.filter((it) => it.startsWith("data: ")));
    expect(data.map((it) => JSON.parse(it.slice(6)).state)).toEqual([
      "waiting",
      "running",
      "succeeded",
      "succeeded",
    ]);
    expect(data[0]).not.toContain("entries");
  });

  test("tells the end of a job that has ended, and nothing to whoever has seen it", async () => {
    const { server } = serve({ findJob: async () => ended });
    const first = await server.inject(get(`${JOB}/events`));
    expect(first.body).toMatch(/event: end\nid: end\ndata: \{"id":"shop~1","state":"succeeded"\}\n\n$/);
    expect((await server.inject(get(`${JOB}/events`, { "last-event-id": "end" }))).statusCode).toBe(204);
  });

  test("has no room for more than 20 of a caller", async () => {
    const watch = { ...watchThat(async () => null), subscribe: () => () => undefined };
    const { server } = serve({ findJob: async () => view(), watch, loopbackOnly: false });
    const url = await server.listen({ host: "127.0.0.1", port: 0 });
    const open = await Promise.all(Array.from({ length: 20 }, () => opened(`${url}${JOB}/events`)));
    expect(new Set(open.map((it) => it.statusCode))).toEqual(new Set([200]));
    const refused = await opened(`${url}${JOB}/events`);
    expect([refused.statusCode, JSON.parse(await text(refused)).code]).toEqual([429, "TOO_MANY_STREAMS"]);
    open[0]?.destroy();
    await expect.poll(async () => (await opened(`${url}${JOB}/events`)).resume().statusCode).toBe(200);
    // Ends them all; else this would wait for the clients to go.
    await server.close();
    for (const stream of open.slice(1)) expect(await text(stream)).toMatch(/^retry: 2000\n\nevent: state\n/);
  });

  test("has no room where the watch has none", async () => {
    const { server } = serve({ findJob: async () => view() });
    const answer = await server.inject(get(`${JOB}/events`));
    expect([answer.statusCode, answer.json().code]).toEqual([503, "TOO_MANY_WAITING"]);
  });
});
