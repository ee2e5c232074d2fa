/** The gate on real sockets: it refuses before the body is read, and forgets nobody who has gone. */
import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { BURST_WAIT_MS_MAX } from "#producer/decide-overload";
import { OverloadGate } from "#producer/overload-gate";
import { Flag } from "#shared/flag";
import type { Authentication } from "#shared/http/authenticate";
import { keysOnly, type TestKey, testKey } from "#test/support/api-keys";
import { FakeClock } from "#test/support/fake-clock";
import { request, serve } from "./server-builder.ts";

type Admit = NonNullable<NonNullable<Parameters<typeof serve>[0]>["admit"]>;

async function gatedServer(admit: Admit, authentication?: Authentication) {
  const refused: string[] = [];
  const clock = new FakeClock();
  const loop = { activeMs: 0 };
  const gate = new OverloadGate({
    clock,
    random: () => 0.5,
    activeMs: () => loop.activeMs,
    onRefused: (problem, priority) => refused.push(`${problem.code} ${priority}`),
  });
  const { server } = serve({ gate, admit, loopbackOnly: false, ...(authentication && { authentication }) });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  return { gate, refused, clock, loop, url: `http://127.0.0.1:${port}/v1/jobs` };
}

/** A server whose jobs are not stored before `stored` is raised. */
async function heldServer() {
  const stored = new Flag();
  const admit = () =>
    new Promise<{ readonly kind: "created" }>((resolve) =>
      stored.onRaised(() => resolve({ kind: "created" })),
    );
  return { ...(await gatedServer(admit)), stored };
}

function post(url: string, priority?: string, key?: TestKey): Promise<Response> {
  const headers = {
    "content-type": "application/json",
    ...(priority && { "sluice-priority": priority }),
    ...key?.bearer,
  };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(request) });
}

describe("a process with as many requests as it can bear", () => {
  test("lets a burst wait for its turn and takes all of it", async () => {
    const { gate, refused, stored, url } = await heldServer();
    // 85 % of the limit for normal ones; what is beyond it waits.
    const places = Math.ceil(0.85 * gate.limit);
    const sent = Array.from({ length: places + 20 }, () => post(url));
    await vi.waitUntil(() => gate.held === places && gate.waiting === 20, { timeout: 10_000 });
    const critical = post(url, "critical");
    await vi.waitUntil(() => gate.held === places + 1);
    stored.raise();
    const statuses = (await Promise.all([...sent, critical])).map(({ status }) => status);
    expect([new Set(statuses), refused]).toEqual([new Set([202]), []]);
    await vi.waitUntil(() => gate.held === 0 && gate.waiting === 0);
  });

  test("refuses those that have waited for too long, with when to come back", async () => {
    const { gate, refused, stored, clock, url } = await heldServer();
    const places = Math.ceil(0.85 * gate.limit);
    const taken = Array.from({ length: places }, () => post(url));
    await vi.waitUntil(() => gate.held === places, { timeout: 10_000 });
    const late = post(url);
    await vi.waitUntil(() => gate.waiting === 1);
    await clock.advance(BURST_WAIT_MS_MAX);
    // The next one makes the gate look at those before it: the longest wait is not over yet.
    const next = post(url);
    await vi.waitUntil(() => gate.waiting === 2);
    await clock.advance(1);
    const last = post(url);
    const answer = await late;
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await answer.json()).toMatchObject({ code: "OVERLOADED", outcome: "not_enqueued" });
    expect(refused).toEqual(["OVERLOADED normal"]);
    stored.raise();
    expect(new Set((await Promise.all([...taken, next, last])).map(({ status }) => status))).toEqual(
      new Set([202]),
    );
    expect((await post(url)).status).toBe(202);
  });

  test("holds no place for a client that has gone away", async () => {
    const { gate, url } = await heldServer();
    const gone = httpRequest(url, { method: "POST", headers: { "content-type": "application/json" } });
    gone.on("error", () => undefined);
    gone.end(JSON.stringify(request));
    await vi.waitUntil(() => gate.held === 1);
    gone.destroy();
    await vi.waitUntil(() => gate.held === 0);
  });

  test("serves nobody who has gone away while waiting", async () => {
    const { gate, stored, refused, url } = await heldServer();
    const places = Math.ceil(0.85 * gate.limit);
    const taken = Array.from({ length: places }, () => post(url));
    await vi.waitUntil(() => gate.held === places, { timeout: 10_000 });
    const gone = httpRequest(url, { method: "POST", headers: { "content-type": "application/json" } });
    const closed = new Promise((resolve) => gone.on("close", resolve));
    gone.on("error", () => undefined);
    gone.end(JSON.stringify(request));
    await vi.waitUntil(() => gate.waiting === 1);
    gone.destroy();
    await closed;
    stored.raise();
    await Promise.all(taken);
    await vi.waitUntil(() => gate.waiting === 0 && gate.held === 0);
    expect(refused).toEqual([]);
  });
});

describe("a process that refuses most of what a tenant sends", () => {
  /** One that has refused 25 between two looks of its gate. */
  async function refusingServer(keys: readonly TestKey[] = []) {
    const authentication = keys.length === 0 ? undefined : keysOnly(keys);
    const server = await gatedServer(async () => ({ kind: "refused", reason: "backlog" }), authentication);
    const stop = new AbortController();
    const run = server.gate.run(stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await run;
    });
    const codes = await Promise.all(
      Array.from({ length: 25 }, async () => codeOf(await post(server.url, undefined, keys[0]))),
    );
    expect(new Set(codes)).toEqual(new Set(["BACKLOG_FULL"]));
    await server.clock.advance(100);
    return server;
  }

  async function codeOf(answer: Response): Promise<string> {
    return ((await answer.json()) as { readonly code: string }).code;
  }

  test("refuses what has lain unread while the event loop was at work, before it reads it", async () => {
    const { loop, url, refused } = await refusingServer();
    loop.activeMs += 10;
    expect(await codeOf(await post(url))).toBe("BACKLOG_FULL");
    loop.activeMs += 10.1;
    expect(await codeOf(await post(url))).toBe("OVERLOADED");
    loop.activeMs += 5.1;
    expect(await codeOf(await post(url, "low"))).toBe("OVERLOADED");
    loop.activeMs += 1_000;
    expect(await codeOf(await post(url, "high"))).toBe("BACKLOG_FULL");
    expect(refused).toEqual(["OVERLOADED normal", "OVERLOADED low"]);
  });

  test("reads it again however old, once a look has found few refused", async () => {
    const { loop, url, clock } = await refusingServer();
    await clock.advance(100);
    loop.activeMs += 1_000;
    expect(await codeOf(await post(url))).toBe("BACKLOG_FULL");
  });

  test("reads less of it while others send, and theirs as ever", async () => {
    const [noisy, quiet] = ["noisy", "quiet"].map((tenant) => testKey(["jobs:write"], { tenant }));
    if (noisy === undefined || quiet === undefined) throw new Error("two tenants");
    const { loop, url } = await refusingServer([noisy, quiet]);
    loop.activeMs += 2.1;
    expect(await codeOf(await post(url, undefined, noisy))).toBe("BACKLOG_FULL");
    loop.activeMs += 1_000;
    expect(await codeOf(await post(url, undefined, quiet))).toBe("BACKLOG_FULL");
    loop.activeMs += 2.1;
    expect(await codeOf(await post(url, undefined, noisy))).toBe("OVERLOADED");
    loop.activeMs += 2;
    expect(await codeOf(await post(url, undefined, noisy))).toBe("BACKLOG_FULL");
  });
});
