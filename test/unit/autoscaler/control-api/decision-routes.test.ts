import { describe, expect, onTestFinished, test } from "vitest";
import { buildControlServer } from "#autoscaler/control-api/server";
import { type DecisionRange, decisionId } from "#shared/redis/decision-store";
import { decisionRecord } from "./build-look.ts";
import { calmPorts, keptDecisions } from "./build-ports.ts";

/** A server with these records, and the ranges that were asked for. */
async function serve(records: readonly unknown[] = [], next: { id: string; atMs: number } | null = null) {
  const asked: DecisionRange[] = [];
  const kept = keptDecisions(records);
  const page = async (range: DecisionRange) => {
    asked.push(range);
    return { ...(await kept.page(range)), next };
  };
  const server = await buildControlServer(calmPorts({ decisions: { ...kept, page } }));
  onTestFinished(() => server.close());
  return { asked, get: (query: string) => server.inject(`/v1/scaling/decisions${query}`) };
}

describe("GET /v1/scaling/decisions", () => {
  test("is the newest 50 of all pools unless asked otherwise", async () => {
    const { get, asked } = await serve();
    await get("");
    await get("?limit=500&queue=mail");
    expect(asked).toEqual([
      { limit: 50, pool: null, atMs: null, after: null },
      { limit: 500, pool: "mail", atMs: null, after: null },
    ]);
  });

  test("begins with the decision in force at a moment, or with the last before one", async () => {
    const { get, asked } = await serve();
    await get("?at=2026-03-01T03:00:00Z");
    await get("?before=2026-03-01T03:00:00Z");
    await get("?at=2026-03-01T03:00:00Z&before=2026-03-01T02:00:00%2B01:00");
    const at = Date.UTC(2026, 2, 1, 3);
    expect(asked.map(({ atMs }) => atMs)).toEqual([at, at - 1, Date.UTC(2026, 2, 1, 1) - 1]);
  });

  test("gives a cursor for the next page, and takes it back", async () => {
    const next = { id: decisionId("shop", 3, 7), atMs: 1_700_000_000_000 };
    const { get, asked } = await serve([decisionRecord()], next);
    const first = (await get("")).json();
    expect(first).toEqual({
      decisions: [decisionRecord()],
      unreadable: 0,
      nextCursor: "1700000000000.shop~3-7",
    });
    await get(`?cursor=${first.nextCursor}`);
    expect(asked.at(-1)?.after).toEqual(next);
  });

  test.each([
    ["limit=0", "/limit", "whole-number-1-500"],
    ["limit=501", "/limit", "whole-number-1-500"],
    ["limit=1.5", "/limit", "whole-number-1-500"],
    ["limit=1&limit=2", "/limit", "whole-number-1-500"],
    ["queue=No.Queue", "/queue", "queue-name"],
    ["at=yesterday", "/at", "rfc3339"],
    ["at=2026-13-01T00:00:00Z", "/at", "rfc3339"],
    ["before=12", "/before", "rfc3339"],
    ["cursor=shop~1-1", "/cursor", "cursor"],
    ["cursor=1.*", "/cursor", "cursor"],
  ])("refuses ?%s and names the field and the rule", async (query, pointer, rule) => {
    const { get, asked } = await serve();
    const answer = await get(`?${query}`);
    expect([answer.statusCode, answer.json().code]).toEqual([400, "QUERY_INVALID"]);
    expect(answer.json().errors).toMatchObject([{ pointer, rule }]);
    expect(asked).toEqual([]);
  });

  test("counts records that it cannot read, and does not guess at them", async () => {
    const { get } = await serve([
      decisionRecord(),
      { id: "2" },
      null,
      { ...decisionRecord(), recordVersion: "x" },
    ]);
    expect((await get("")).json()).toEqual({
      decisions: [decisionRecord()],
      unreadable: 3,
      nextCursor: null,
    });
  });

  test("shows a record of the first version with nothing where nothing was kept", async () => {
    const { recordVersion: _v, inputs: _i, clamps: _c, holds: _h, ...rest } = decisionRecord();
    const old = {
      ...rest,
      inputs: { lanes: [{ lane: "shop.r1", waiting: 3 }], slots: {}, policy: { x: 1 } },
    };
    const { get } = await serve([old]);
    const [shown] = (await get("")).json().decisions;
    expect(shown).toMatchObject({ recordVersion: 1, clamps: [], holds: [], sentence: old.sentence });
    expect(shown.inputs).toMatchObject({ lanes: [], policy: { x: 1 }, pickupPromiseMs: null });
  });
});

describe("GET /v1/scaling/decisions/:id", () => {
  test("is one record", async () => {
    const { get } = await serve([decisionRecord({ id: "shop~1-2" }), decisionRecord()]);
    expect((await get("/shop~1-2")).json()).toEqual(decisionRecord({ id: "shop~1-2" }));
  });

  test.each(["shop~9-9", "1-1", "..%2F..", "%F0%9F%92%A9"])("of none, such as %s, is 404", async (id) => {
    const answer = await (await serve([decisionRecord()])).get(`/${id}`);
    expect([answer.statusCode, answer.json().code]).toEqual([404, "DECISION_NOT_FOUND"]);
  });
});
