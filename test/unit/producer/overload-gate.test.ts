/** The gate on real sockets: it refuses before the body is read, and forgets nobody who has gone. */
import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test, vi } from "vitest";
import { OverloadGate } from "#producer/overload-gate";
import { Flag } from "#shared/flag";
import { FakeClock } from "#test/support/fake-clock";
import { request, serve } from "./server-builder.ts";

/** A server whose jobs are not stored before `stored` is raised. */
async function heldServer() {
  const refused: string[] = [];
  const clock = new FakeClock();
  const gate = new OverloadGate({
    clock,
    random: () => 0.5,
    onRefused: (problem, priority) => refused.push(`${problem.code} ${priority}`),
  });
  const stored = new Flag();
  const admit = () =>
    new Promise<{ readonly kind: "created" }>((resolve) =>
      stored.onRaised(() => resolve({ kind: "created" })),
    );
  const { server } = serve({ gate, admit, loopbackOnly: false });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  return { gate, refused, stored, url: `http://127.0.0.1:${port}/v1/jobs` };
}

function post(url: string, priority?: string): Promise<Response> {
  const headers = { "content-type": "application/json", ...(priority && { "sluice-priority": priority }) };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(request) });
}

describe("a process with as many requests as it can bear", () => {
  test("refuses the next with when to come back, takes a critical one, and all again once it can", async () => {
    const { gate, refused, stored, url } = await heldServer();
    // 85 % of the limit for normal ones.
    const places = Math.ceil(0.85 * gate.limit);
    const taken = Array.from({ length: places }, () => post(url));
    await vi.waitUntil(() => gate.held === places, { timeout: 10_000 });
    const answer = await post(url);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await answer.json()).toMatchObject({ code: "OVERLOADED", outcome: "not_enqueued" });
    const critical = post(url, "critical");
    await vi.waitUntil(() => gate.held === places + 1);
    expect((await post(url, "low")).status).toBe(503);
    expect(refused).toEqual(["OVERLOADED normal", "OVERLOADED low"]);
    stored.raise();
    const statuses = (await Promise.all([...taken, critical])).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([202]));
    await vi.waitUntil(() => gate.held === 0);
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
});
