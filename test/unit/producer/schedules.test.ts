/** `/v1/schedules` over HTTP, on a store that is a map: what is taken, what is refused and how it is told. */
import type { InjectOptions } from "fastify";
import { describe, expect, test } from "vitest";
import { ScheduleKeeper, type ScheduleKeeperPorts } from "#producer/schedule-keeper";
import type { StoredSchedule } from "#shared/redis/schedule-store";
import { fromRfc3339 } from "#shared/system-clock";
import { registryWithReceipts, registryWithWaitingVersion, serve } from "./server-builder.ts";

const NOON = fromRfc3339("2026-01-31T12:00:00Z") ?? 0;

/** A server with schedules that a map keeps; `fails` makes the store reject. */
function schedulesServer({ registry = registryWithReceipts(), isFull = false } = {}) {
  const kept = new Map<string, StoredSchedule>();
  const fails = { reads: false, writes: false };
  const away = <Value>(isAway: boolean, value: Value) =>
    isAway ? Promise.reject(new Error("ECONNRESET")) : Promise.resolve(value);
  const store: ScheduleKeeperPorts["store"] = {
    get: (tenant, name) => away(fails.reads, kept.get(`${tenant}/${name}`) ?? null),
    list: (tenant, { after, max }) => {
      const own = [...kept.values()].filter(({ schedule }) => schedule.tenant === tenant);
      const sorted = own.sort((a, b) => (a.schedule.name < b.schedule.name ? -1 : 1));
      return away(fails.reads, sorted.filter(({ schedule }) => schedule.name > (after ?? "")).slice(0, max));
    },
    replace: ({ schedule, state }) => {
      if (!fails.writes && !isFull) {
        kept.set(`${schedule.tenant}/${schedule.name}`, {
          schedule,
          state,
          read: { schedule: "", state: "" },
        });
      }
      return away(fails.writes, isFull ? "full" : "stored");
    },
    remove: (tenant, name) => away(fails.writes, !fails.writes && kept.delete(`${tenant}/${name}`)),
    redisNowMs: () => away(fails.reads, NOON),
  };
  const schedules = new ScheduleKeeper({ store, registry: () => registry });
  const { server } = serve({ schedules, registry });
  const ask = async (
    method: NonNullable<InjectOptions["method"]>,
    path: string,
    more: InjectOptions = {},
  ) => {
    const answer = await server.inject({
      method,
      url: path,
      ...more,
      headers: { host: "127.0.0.1", ...more.headers },
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  };
  const put = (name: string, body: unknown, headers: Record<string, string> = {}) =>
    ask("PUT", `/v1/schedules/${name}`, {
      payload: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  return { ask, put, fails, kept };
}

const hourly = {
  type: "receipt.render",
  schemaversion: 1,
  data: { orderId: "o-1" },
  every: { intervalMs: 3_600_000 },
};

describe("PUT /v1/schedules/{name}", () => {
  test("makes a schedule and shows when it comes", async () => {
    const { put } = schedulesServer();
    const { status, headers, body } = await put("hourly", hourly);
    expect(status).toBe(201);
    expect(headers).toMatchObject({ location: "/v1/schedules/hourly", etag: '"1"' });
    // From noon on, an hour apart.
    expect(body).toEqual({
      ...hourly,
      name: "hourly",
      every: { intervalMs: 3_600_000, anchor: null },
      cron: null,
      missed: "last",
      graceMs: 60_000,
      priority: null,
      attempts: null,
      timeoutms: null,
      startAt: null,
      endAt: null,
      paused: false,
      createdAt: "2026-01-31T12:00:00.000Z",
      createdBy: "anonymous",
      changedAt: "2026-01-31T12:00:00.000Z",
      changedBy: "anonymous",
      revision: 1,
      status: {
        state: "active",
        health: "ok",
        nextOccurrence: "2026-01-31T13:00:00.000Z",
        lastOccurrence: null,
        lastJobId: null,
        lastOutcome: null,
        enqueued: 0,
        missed: 0,
        lastMissed: null,
        refused: null,
      },
      nextOccurrences: [13, 14, 15, 16, 17].map((hour) => `2026-01-31T${hour}:00:00.000Z`),
    });
  });

  test("takes cron in a time zone, and moments with an offset as UTC", async () => {
    const { put } = schedulesServer();
    const { every: _every, ...rest } = hourly;
    const cron = { expression: "0 9 * * 1-5", timeZone: "Europe/Berlin" };
    const { status, body } = await put("work", { ...rest, cron, endAt: "2026-02-03T12:00:00+01:00" });
    expect(status).toBe(201);
    // The 31st is a Saturday; nine in Berlin is eight in winter's UTC.
    expect(body.nextOccurrences).toEqual(["2026-02-02T08:00:00.000Z", "2026-02-03T08:00:00.000Z"]);
    expect(body.endAt).toBe("2026-02-03T11:00:00.000Z");
  });

  test("keeps a pause that it says nothing of", async () => {
    const { put, ask } = schedulesServer();
    await put("hourly", { ...hourly, paused: true });
    const { body } = await put("hourly", { ...hourly, data: { orderId: "o-2" } });
    expect(body).toMatchObject({
      paused: true,
      revision: 2,
      status: { state: "paused", nextOccurrence: null },
    });
    expect((await ask("POST", "/v1/schedules/hourly/resume")).body).toMatchObject({
      paused: false,
      revision: 3,
    });
  });

  test.each<[string, object, string, string]>([
    ["no time at all", { every: undefined }, "", "either every or cron"],
    ["two times", { cron: { expression: "* * * * *" } }, "", "either every or cron"],
    ["a field that is none", { evry: 1 }, "/evry", "remove it"],
    ["an interval below a second", { every: { intervalMs: 999 } }, "/every/intervalMs", "from 1,000"],
    [
      "an anchor that is no time",
      { every: { intervalMs: 1_000, anchor: "noon" } },
      "/every/anchor",
      "RFC 3339",
    ],
    [
      "an anchor before all time",
      { every: { intervalMs: 1_000, anchor: "0001-01-01T00:00:00Z" } },
      "/every/anchor",
      "RFC",
    ],
    ["a grace below a second", { graceMs: 10 }, "/graceMs", "from 1,000"],
    ["a policy that is none", { missed: "some" }, "/missed", "skip, last, all"],
    [
      "an end before its start",
      { startAt: "2026-02-02T00:00:00Z", endAt: "2026-02-01T00:00:00Z" },
      "/endAt",
      "before",
    ],
    ["an end that is past", { endAt: "2026-01-31T11:00:00Z" }, "", "comes never"],
    ["data of 17 KiB", { data: { orderId: "x".repeat(17 * 1024) } }, "/data", "16384 bytes"],
    ["a type that is none", { type: "receipt" }, "/type", "dotted"],
  ])("refuses %s", async (_what, wrong, pointer, message) => {
    const { put, kept } = schedulesServer();
    const { status, body } = await put("hourly", { ...hourly, ...wrong });
    expect({ status, code: body.code }).toEqual({ status: 422, code: "SCHEDULE_INVALID" });
    expect(body.errors[0]).toMatchObject({ pointer, message: expect.stringContaining(message) });
    expect(kept.size).toBe(0);
  });

  test.each([
    ["a cron expression that is none", { expression: "61 * * * *" }, "/cron/expression"],
    ["a time zone that is none", { expression: "0 9 * * *", timeZone: "Mars/Olympus" }, "/cron/timeZone"],
  ])("refuses %s", async (_what, cron, pointer) => {
    const { every: _every, ...rest } = hourly;
    const { status, body } = await schedulesServer().put("x", { ...rest, cron });
    expect(status).toBe(422);
    expect(body.errors.map((it: { pointer: string }) => it.pointer)).toEqual([pointer]);
  });

  test.each([
    ["data with an unknown field", { data: { orderId: "o-1", x: 1 } }, 422, "DATA_INVALID"],
    ["a type nobody has", { type: "nobody.has" }, 422, "TYPE_UNKNOWN"],
    ["a version nobody has", { schemaversion: 9 }, 422, "VERSION_UNKNOWN"],
    ["a version above the gate", { schemaversion: 2 }, 409, "VERSION_NOT_ACTIVE"],
    ["more attempts than its type allows", { attempts: 6 }, 422, "ENVELOPE_INVALID"],
  ])("refuses %s as the door does", async (_what, wrong, status, code) => {
    const { put, kept } = schedulesServer({ registry: registryWithWaitingVersion() });
    const answer = await put("hourly", { ...hourly, ...wrong });
    expect(answer.status).toBe(status);
    expect(answer.body.code).toBe(code);
    expect(kept.size).toBe(0);
  });

  test("replaces only the revision that If-Match names", async () => {
    const { put } = schedulesServer();
    const at = (ifMatch: string, data = { orderId: ifMatch }) =>
      put("hourly", { ...hourly, data }, { "if-match": ifMatch });
    expect((await at("*")).status).toBe(412);
    expect((await at('"1"')).body).toMatchObject({ code: "SCHEDULE_CHANGED" });
    await put("hourly", hourly);
    expect((await at('"7"')).status).toBe(412);
    expect((await at('"7", "1"')).body.revision).toBe(2);
    expect((await at("*")).body.revision).toBe(3);
  });

  test("refuses names that are none, and a body that is none", async () => {
    const { put } = schedulesServer();
    for (const name of ["Nightly", "1st", "a".repeat(64), "a%2Fb", "a.b"]) {
      const { status, body } = await put(name, hourly);
      expect({ status, pointer: body.errors?.[0]?.pointer }).toEqual({ status: 422, pointer: "/name" });
    }
    expect((await put("x", "{")).status).toBe(422);
    expect((await put("x", '{"__proto__":1}')).status).toBe(422);
  });

  test("says that a tenant has too many", async () => {
    const { status, body } = await schedulesServer({ isFull: true }).put("one-more", hourly);
    expect({ status, code: body.code }).toEqual({ status: 409, code: "SCHEDULES_FULL" });
  });
});

describe("GET /v1/schedules", () => {
  test("lists by name, a page at a time", async () => {
    const { put, ask } = schedulesServer();
    for (const name of ["c", "a", "b"]) await put(name, hourly);
    const names = (body: { schedules: { name: string }[] }) => body.schedules.map((it) => it.name);
    const first = (await ask("GET", "/v1/schedules?limit=2")).body;
    expect(names(first)).toEqual(["a", "b"]);
    expect(first.nextCursor).toBe("b");
    const second = (await ask("GET", "/v1/schedules?limit=2&cursor=b")).body;
    expect(names(second)).toEqual(["c"]);
    expect(second.nextCursor).toBeNull();
  });

  test.each(["limit=0", "limit=101", "limit=x", "cursor=A", "more=1", "limit=1&limit=2"])(
    "refuses %s",
    async (query) => {
      const { status, body } = await schedulesServer().ask("GET", `/v1/schedules?${query}`);
      expect({ status, code: body.code }).toEqual({ status: 422, code: "SCHEDULE_INVALID" });
    },
  );
});

describe("a schedule that is not there", () => {
  test.each([
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/pause"],
    ["POST", "/resume"],
  ] as const)("is 404 to %s%s", async (method, act) => {
    const { status, body } = await schedulesServer().ask(method, `/v1/schedules/none${act}`);
    expect({ status, code: body.code }).toEqual({ status: 404, code: "SCHEDULE_NOT_FOUND" });
  });
});

describe("a Redis that is away", () => {
  test("is said before anything is written", async () => {
    const { put, ask, fails } = schedulesServer();
    fails.reads = true;
    for (const answer of [
      await put("hourly", hourly),
      await ask("GET", "/v1/schedules"),
      await ask("GET", "/v1/schedules/hourly"),
      await ask("DELETE", "/v1/schedules/hourly"),
      await ask("POST", "/v1/schedules/hourly/pause"),
    ]) {
      expect(answer).toMatchObject({ status: 503, body: { code: "REDIS_UNAVAILABLE" } });
    }
  });

  test("leaves it unknown whether a write took effect", async () => {
    const { put, ask, fails } = schedulesServer();
    await put("hourly", hourly);
    fails.writes = true;
    for (const answer of [
      await put("hourly", { ...hourly, graceMs: 5_000 }),
      await ask("DELETE", "/v1/schedules/hourly"),
      await ask("POST", "/v1/schedules/hourly/pause"),
    ]) {
      expect(answer).toMatchObject({ status: 503, body: { code: "SCHEDULE_CHANGE_UNKNOWN" } });
      expect(answer.headers["retry-after"]).toBe("1");
    }
  });
});
