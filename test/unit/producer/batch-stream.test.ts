/** A stream of jobs over a real socket: results as they come, back-pressure both ways, and clients that go away. */
import { once } from "node:events";
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { batchStream } from "#producer/batch-stream";
import type { EnqueueResult } from "#shared/enqueue/enqueuer";
import { type Faults, request, serve } from "./server-builder.ts";

const ndjson = { "content-type": "application/x-ndjson" };

interface Opened {
  readonly sending: ClientRequest;
  readonly answer: Promise<IncomingMessage>;
}

/** A server that listens, and requests to it. */
async function listening(faults: Faults = {}) {
  const started = serve(faults);
  await started.server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = started.server.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const open = (path = "/v1/jobs/batch", headers: Record<string, string> = {}): Opened => {
    const options = {
      host: "127.0.0.1",
      port,
      path,
      method: "POST",
      agent,
      headers: { ...ndjson, ...headers },
    };
    const sending = httpRequest(options);
    sending.flushHeaders();
    const answer = once(sending, "response").then(([it]) => it as IncomingMessage);
    answer.catch(() => undefined);
    sending.on("error", () => undefined);
    return { sending, answer };
  };
  return { ...started, port, open };
}

function line(n: number, more: object = {}): string {
  return `${JSON.stringify({ ...request, id: `${n}`, ...more })}\n`;
}

async function* linesOf(
  answer: IncomingMessage,
): AsyncGenerator<{ readonly index: number; readonly outcome: string }> {
  let held = "";
  for await (const piece of answer.setEncoding("utf8")) {
    const lines = (held + piece).split("\n");
    held = lines.pop() ?? "";
    for (const text of lines) yield JSON.parse(text);
  }
  expect(held).toBe("");
}

async function allOf(answer: IncomingMessage) {
  const results = [];
  for await (const it of linesOf(answer)) results.push(it);
  return results;
}

/** Waits for what the event loop brings by itself, without a length of time. */
async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns += 1) {
    if (turns > 200_000) throw new Error("it never came to be");
    await turn();
  }
}

describe("a stream of jobs", () => {
  test("is counted by the outcomes of its jobs", async () => {
    const { open, counts } = await listening();
    const { sending, answer } = open();
    sending.end([line(0), "{\n", line(1)].join(""));
    await allOf(await answer);
    const told = await counts.registry.metrics();
    expect(told).toMatch(/sluice_enqueue_batch_jobs_total\{outcome="created"\} 2/);
    expect(told).toMatch(/sluice_enqueue_batch_jobs_total\{outcome="refused"\} 1/);
  });

  test("has a result for each, in order, whatever was wrong with some", async () => {
    const { open, added } = await listening();
    const { sending, answer } = open();
    const texts = [line(0), "{\n", "\n", line(1, { data: {} }), "[]\n", `${"x".repeat(300_000)}\n`, line(2)];
    sending.end(texts.join(""));
    const { statusCode, headers } = await answer;
    expect([statusCode, headers["content-type"]]).toEqual([200, "application/x-ndjson"]);
    expect(await allOf(await answer)).toEqual([
      { index: 0, outcome: "created", id: expect.any(String), state: "waiting" },
      { index: 1, outcome: "refused", problem: expect.objectContaining({ code: "ENVELOPE_INVALID" }) },
      { index: 2, outcome: "refused", problem: expect.objectContaining({ code: "DATA_INVALID" }) },
      { index: 3, outcome: "refused", problem: expect.objectContaining({ code: "ENVELOPE_INVALID" }) },
      {
        index: 4,
        outcome: "refused",
        problem: expect.objectContaining({ errors: [expect.objectContaining({ rule: "size" })] }),
      },
      { index: 5, outcome: "created", id: expect.any(String), state: "waiting" },
    ]);
    expect(added).toHaveLength(2);
  });

  test("of 5,000 has 5,000 results in order", async () => {
    const { open, added } = await listening();
    const { sending, answer } = open();
    for (let n = 0; n < 5_000; n += 1) sending.write(line(n));
    sending.end();
    const results = await allOf(await answer);
    expect(results.map((it) => it.index)).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
    expect(added).toHaveLength(5_000);
  });

  test("tells each result before the next job is sent, to a client that waits for it", async () => {
    const { open } = await listening();
    const { sending, answer } = open();
    sending.write(line(0));
    const results = linesOf(await answer);
    for (let n = 0; n < 5; n += 1) {
      const { value } = await results.next();
      expect(value).toMatchObject({ index: n, outcome: "created" });
      if (n < 4) sending.write(line(n + 1));
    }
    sending.end();
    expect((await results.next()).done).toBe(true);
  });

  test("that is empty is answered by nothing", async () => {
    const { open } = await listening();
    const { sending, answer } = open();
    sending.end("\n \n");
    expect(await allOf(await answer)).toEqual([]);
  });

  test("may take longer than a request may", async () => {
    const started = serve();
    // Node takes the longer of the two for the request.
    started.server.server.requestTimeout = 40;
    started.server.server.headersTimeout = 40;
    // Read when it begins to listen.
    (
      started.server.server as unknown as { connectionsCheckingInterval: number }
    ).connectionsCheckingInterval = 5;
    const clientErrors: string[] = [];
    started.server.server.on("clientError", (error: NodeJS.ErrnoException) =>
      clientErrors.push(error.code ?? ""),
    );
    await started.server.listen({ host: "127.0.0.1", port: 0 });
    const { port } = started.server.server.address() as AddressInfo;
    const sending = httpRequest({
      host: "127.0.0.1",
      port,
      path: "/v1/jobs/batch",
      method: "POST",
      headers: ndjson,
    });
    const answered = once(sending, "response");
    sending.write(line(0));
    const [answer] = (await answered) as [IncomingMessage];
    const results = linesOf(answer);
    await results.next();
    await until(() => clientErrors.includes("ERR_HTTP_REQUEST_TIMEOUT"));
    sending.end(line(1));
    expect((await results.next()).value).toMatchObject({ index: 1, outcome: "created" });
    expect((await results.next()).done).toBe(true);
  });

  test("leaves its connection to the next request, which may idle no longer than any", async () => {
    const { open, server } = await listening();
    const sockets: { timeout?: number }[] = [];
    server.server.on("connection", (socket) => sockets.push(socket));
    for (let round = 0; round < 2; round += 1) {
      const { sending, answer } = open();
      sending.end(line(round));
      expect(await allOf(await answer)).toHaveLength(1);
      await turn();
    }
    expect(sockets).toHaveLength(1);
    await until(() => (sockets[0]?.timeout ?? 0) >= server.server.keepAliveTimeout);
    expect(sockets[0]?.timeout).toBeLessThan(server.server.keepAliveTimeout + 2_000);
  });

  test.each([
    ["?atomic=true", {}, 422, "QUERY_INVALID"],
    ["?x=1", {}, 422, "QUERY_INVALID"],
    ["", { "idempotency-key": "a b" }, 400, "IDEMPOTENCY_KEY_INVALID"],
  ] as const)(
    "with %s and %j is refused at once, and the rest of it is not read",
    async (query, headers, status, code) => {
      const { open } = await listening();
      const { sending, answer } = open(`/v1/jobs/batch${query}`, headers);
      sending.write(line(0));
      const refused = await answer;
      expect([refused.statusCode, refused.headers.connection]).toEqual([status, "close"]);
      let text = "";
      for await (const piece of refused) text += piece;
      expect(JSON.parse(text)).toMatchObject({ code, outcome: "not_enqueued" });
      await once(sending, "close");
    },
  );

  test("is taken by no other route", async () => {
    const { open } = await listening();
    const { sending, answer } = open("/v1/jobs");
    sending.end(line(0));
    expect((await answer).statusCode).toBe(415);
  });
});

describe("a client that does not read its results", () => {
  test("is not read from either, beyond what is on its way", async () => {
    let pulled = 0;
    let asked = 0;
    async function* body(): AsyncGenerator<Buffer> {
      for (; pulled < 1_000; pulled += 1) yield Buffer.from(line(pulled));
    }
    const enqueueMany = async (requests: readonly unknown[]): Promise<readonly EnqueueResult[]> => {
      asked += requests.length;
      return requests.map(() => ({ error: new Error("x") }));
    };
    const results = batchStream(Readable.from(body(), { highWaterMark: 1 }), {
      enqueuer: { enqueueMany },
      byOf: () => ({ tenant: "acme" }),
      onAnswered: () => undefined,
    });
    await results.next();
    for (let turns = 0; turns < 100; turns += 1) await turn();
    // The one that was told, three groups of a line each, and what the pieces between them hold.
    expect(asked).toBeLessThanOrEqual(5);
    expect(pulled).toBeLessThanOrEqual(12);
    await results.return(undefined);
    for (let turns = 0; turns < 100; turns += 1) await turn();
    expect(pulled).toBeLessThanOrEqual(12);
  });

  test("over a socket is not read from for ever, and reading lets it go on", async () => {
    const { open } = await listening();
    const { sending, answer } = open();
    // Some 500 bytes of result each: several times what two sockets hold.
    const total = 60_000;
    let sent = 0;
    Readable.from(
      (function* () {
        for (; sent < total; sent += 1) yield line(sent, { data: {} });
      })(),
    ).pipe(sending);
    const response = await answer;
    let seen = -1;
    let still = 0;
    await until(() => {
      still = sent === seen ? still + 1 : 0;
      seen = sent;
      return still > 3_000;
    });
    expect(sent).toBeLessThan(total);
    expect(await allOf(response)).toHaveLength(total);
  });
});

describe("a client that goes away in the middle", () => {
  test("ends the work, lets its key go, and breaks nothing", async () => {
    const held: string[] = [];
    const claims: Faults["claims"] = {
      hold: async (_tenant, key) => {
        held.push(key);
        return async () => {
          held.splice(held.indexOf(key), 1);
        };
      },
    };
    const { open, lines, server } = await listening({ claims });
    for (let round = 0; round < 10; round += 1) {
      const { sending, answer } = open("/v1/jobs/batch", { "idempotency-key": `k${round}` });
      for (let n = 0; n < 50; n += 1) sending.write(line(n));
      const response = await answer;
      response.on("error", () => undefined);
      await once(response, "data");
      expect(held).toEqual([`k${round}`]);
      sending.destroy();
      await until(() => held.length === 0);
    }
    const connections = () =>
      new Promise<number>((resolve) => server.server.getConnections((_error, count) => resolve(count)));
    let open_ = await connections();
    while (open_ > 0) {
      await turn();
      open_ = await connections();
    }
    expect(lines.filter((it) => it.includes('"level":50'))).toEqual([]);
  });

  test("before anything came is no error either", async () => {
    const { open, lines, added } = await listening();
    const { sending } = open();
    sending.write(line(0));
    await until(() => added.length === 1);
    sending.destroy();
    for (let turns = 0; turns < 100; turns += 1) await turn();
    expect(lines.filter((it) => it.includes('"level":50'))).toEqual([]);
  });
});
