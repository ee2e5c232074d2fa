import { describe, expect, onTestFinished, test } from "vitest";
import { buildControlServer } from "#autoscaler/control-api/server";
import type { AuditPage } from "#shared/redis/audit-store";
import { calmPorts } from "./build-ports.ts";

/** A server whose list answers every page with this one, and the pages that were asked for. */
async function serve(page: AuditPage | Error) {
  const asked: (readonly [number, number | null])[] = [];
  const audit = {
    ...calmPorts().audit,
    page: async (limit: number, before: number | null) => {
      asked.push([limit, before]);
      if (page instanceof Error) throw page;
      return page;
    },
  };
  const server = await buildControlServer(calmPorts({ audit }));
  onTestFinished(() => server.close());
  return { asked, get: (query: string) => server.inject(`/v1/audit${query}`) };
}

const empty: AuditPage = { entries: [], unreadable: 0, nextBefore: null };

describe("GET /v1/audit", () => {
  test("gives the newest acts and where the next page begins", async () => {
    const entry = {
      seq: 9,
      at: "2026-01-31T12:00:00.000Z",
      keyId: null,
      name: "anonymous",
      tenant: "default",
      action: "gate.move",
      target: "receipt.render",
      requestId: "req-1",
      outcome: "done",
    } as const;
    const { asked, get } = await serve({ entries: [entry], unreadable: 1, nextBefore: 9 });
    expect((await get("")).json()).toEqual({ entries: [entry], unreadable: 1, nextCursor: "9" });
    await get("?limit=500&cursor=9");
    expect(asked).toEqual([
      [50, null],
      [500, 9],
    ]);
  });

  test("has no cursor on the last page", async () => {
    const { get } = await serve(empty);
    expect((await get("?limit=1")).json().nextCursor).toBeNull();
  });

  test.each([
    ["?limit=0", "/limit"],
    ["?limit=501", "/limit"],
    ["?limit=1&limit=2", "/limit"],
    ["?limit=ten", "/limit"],
    ["?cursor=0", "/cursor"],
    ["?cursor=-1", "/cursor"],
    ["?cursor=9999999999999999", "/cursor"],
    ["?cursor=", "/cursor"],
    ["?tenant=acme", "/tenant"],
  ])("refuses %s and asks for no page", async (query, pointer) => {
    const { asked, get } = await serve(empty);
    const answer = await get(query);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: "QUERY_INVALID", errors: [{ pointer }] });
    expect(asked).toEqual([]);
  });

  test("is 503 while Redis is away", async () => {
    const { get } = await serve(new Error("away"));
    expect((await get("")).json()).toMatchObject({ status: 503, code: "REDIS_UNAVAILABLE" });
  });
});
