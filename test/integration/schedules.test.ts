/** Schedules on a real Redis: kept, listed, changed, and fired by a runner whose door for jobs is the test's. */
import { pino } from "pino";
import { describe, expect } from "vitest";
import { ScheduleRunner, type ScheduleRunnerPorts } from "#autoscaler/schedules/schedule-runner";
import { ScheduleKeeper } from "#producer/schedule-keeper";
import { IdempotencyMismatchError } from "#shared/admission-errors";
import type { JobRequest } from "#shared/envelope";
import { VersionNotActiveError } from "#shared/errors";
import { keysOf } from "#shared/redis/keys";
import { SCHEDULES_MAX, ScheduleStore } from "#shared/redis/schedule-store";
import { type ScheduleRequest, scheduleRequest } from "#shared/schedules/schedule";
import { toRfc3339 } from "#shared/system-clock";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";
import { registryWithReceipts } from "#test/unit/producer/server-builder";

const OWNER = { tenant: "acme", by: "ana" };

function requested(more: object = {}): ScheduleRequest {
  return scheduleRequest.parse({
    type: "receipt.render",
    schemaversion: 1,
    data: { orderId: "o-1" },
    every: { intervalMs: 60_000 },
    ...more,
  });
}

/** What was enqueued, in order; `refuses` says why the next is not. */
function door() {
  const taken: {
    readonly id: string;
    readonly source: string;
    readonly tenant: string;
    readonly data: unknown;
  }[] = [];
  const told: string[] = [];
  const it = {
    taken,
    told,
    refuses: null as Error | null,
    enqueue: async ({ id = "", source = "", data }: JobRequest, { tenant }: { tenant: string }) => {
      if (it.refuses !== null) throw it.refuses;
      const isKnown = taken.some((job) => job.id === id && job.tenant === tenant);
      if (!isKnown) taken.push({ id, source, tenant, data });
      const outcome = isKnown ? ("replayed" as const) : ("created" as const);
      return { job: { id: `shop~${id}`, type: "receipt.render", state: "waiting" as const }, outcome };
    },
  };
  return it;
}

const scheduleTest = redisTest.extend<{ world: ReturnType<typeof worldOf> }>({
  world: async ({ redis, prefix }, use) => use(worldOf(new ScheduleStore(redis, keysOf(prefix)))),
});

/** A keeper and a runner whose time the test sets: Redis' own, moved by `skewMs`. */
function worldOf(store: ScheduleStore) {
  const jobs = door();
  const time = { skewMs: 0 };
  const moved = {
    get: store.get.bind(store),
    list: store.list.bind(store),
    replace: store.replace.bind(store),
    remove: store.remove.bind(store),
    redisNowMs: async () => (await store.redisNowMs()) + time.skewMs,
  };
  const keeper = new ScheduleKeeper({ store: moved, registry: registryWithReceipts });
  const outcomes = { enqueued: 0, missed: 0, refused: 0 };
  const runner = (ports: Partial<ScheduleRunnerPorts> = {}) =>
    new ScheduleRunner({
      store,
      clock: new FakeClock(),
      log: pino({ base: null }, { write: (line: string) => jobs.told.push(line) }),
      enqueue: jobs.enqueue,
      registry: registryWithReceipts,
      onFired: ({ enqueued, missed, refusal }) => {
        outcomes.enqueued += enqueued.length;
        outcomes.missed += missed;
        outcomes.refused += refusal === null ? 0 : 1;
      },
      onLooked: () => undefined,
      ...ports,
    });
  const put = (name: string, request: ScheduleRequest, owner = OWNER) =>
    keeper.put(owner, { name, request, mayReplace: () => true });
  return { store, keeper, runner, jobs, time, put, outcomes };
}

describe("a schedule", () => {
  scheduleTest("is created, found and listed for its tenant alone", async ({ world }) => {
    const { keeper, put } = world;
    expect(await put("daily", requested())).toMatchObject({
      kind: "created",
      schedule: { revision: 1, createdBy: "ana" },
    });
    await put("hourly", requested());
    await put("other", requested(), { tenant: "globex", by: "bo" });
    expect((await keeper.get("acme", "daily"))?.schedule.name).toBe("daily");
    expect(await keeper.get("globex", "daily")).toBeNull();
    const names = async (after: string | null, max: number) =>
      (await keeper.list("acme", { after, max })).map((it) => it.schedule.name);
    expect(await names(null, 10)).toEqual(["daily", "hourly"]);
    expect(await names(null, 1)).toEqual(["daily"]);
    expect(await names("daily", 10)).toEqual(["hourly"]);
  });

  scheduleTest("is replaced only at the revision that was asked for", async ({ world }) => {
    const { keeper, put } = world;
    await put("daily", requested());
    const at = (revision: number) => (it: number) => it === revision;
    const request = requested({ graceMs: 5_000 });
    const wish = { name: "daily", request };
    expect(await keeper.put(OWNER, { ...wish, mayReplace: at(7) })).toEqual({ kind: "changed", revision: 1 });
    expect(await keeper.put(OWNER, { ...wish, mayReplace: at(1) })).toMatchObject({
      kind: "replaced",
      schedule: { revision: 2, graceMs: 5_000 },
    });
  });

  scheduleTest("that is written as it is keeps its revision", async ({ world }) => {
    await world.put("daily", requested());
    expect(await world.put("daily", requested())).toMatchObject({
      kind: "unchanged",
      schedule: { revision: 1 },
    });
  });

  scheduleTest(
    "keeps its place when only its data changes, and begins anew when its times do",
    async ({ world }) => {
      const { put, time } = world;
      const created = await put("daily", requested());
      time.skewMs = 10_000;
      const changed = await put("daily", requested({ data: { orderId: "o-2" } }));
      if (!("state" in created) || !("state" in changed)) throw new Error("it was not written");
      expect(changed.state).toEqual(created.state);
      const retimed = await put("daily", requested({ every: { intervalMs: 90_000 } }));
      if (!("state" in retimed)) throw new Error("it was not written");
      expect(retimed.state.positionMs).toBeGreaterThanOrEqual(created.state.positionMs + 10_000);
      // Its phase is still that of its creation.
      expect(retimed.state.nextMs).toBe(created.state.positionMs + 90_000);
    },
  );

  scheduleTest("that never comes is refused", async ({ world }) => {
    expect(await world.put("past", requested({ endAt: "2020-01-01T00:00:00Z" }))).toEqual({ kind: "never" });
  });

  scheduleTest("is one of at most a thousand", async ({ world, redis, prefix }) => {
    const names = Array.from({ length: SCHEDULES_MAX }, (_, n) => [0, `s${n}`]).flat();
    await redis.zadd(keysOf(prefix).scheduleNames("acme"), ...names);
    expect(await world.put("one-more", requested())).toEqual({ kind: "full" });
    expect(await world.put("one-more", requested(), { tenant: "globex", by: "bo" })).toMatchObject({
      kind: "created",
    });
  });

  scheduleTest("leaves nothing behind when it is deleted", async ({ world, redis, prefix }) => {
    await world.put("daily", requested());
    expect(await world.keeper.remove("acme", "daily")).toBe(true);
    expect(await world.keeper.remove("acme", "daily")).toBe(false);
    expect(await redis.keys(`${prefix}*`)).toEqual([]);
  });
});

describe("the runner", () => {
  scheduleTest("fires what is due, once, under an id that follows from name and time", async ({ world }) => {
    const { put, runner, jobs, time, store, outcomes } = world;
    // Begun 61 s ago, so its first occurrence was a second ago.
    time.skewMs = -61_000;
    const created = await put("daily", requested());
    if (!("state" in created)) throw new Error("it was not written");
    const dueMs = created.state.positionMs + 60_000;
    await runner().round();
    await runner().round();
    expect(jobs.taken).toEqual([
      {
        id: `daily@${toRfc3339(dueMs)}`,
        source: "/schedules/daily",
        tenant: "acme",
        data: { orderId: "o-1" },
      },
    ]);
    expect((await store.get("acme", "daily"))?.state).toMatchObject({
      positionMs: dueMs,
      nextMs: dueMs + 60_000,
      lastMs: dueMs,
      lastOutcome: "enqueued",
      enqueued: 1,
      missed: 0,
      refused: null,
    });
    expect(outcomes).toEqual({ enqueued: 1, missed: 0, refused: 0 });
  });

  scheduleTest("answers how long to wait: until the next, at most a second", async ({ world }) => {
    const { put, runner, time } = world;
    expect(await runner().round()).toBe(1_000);
    time.skewMs = -59_500;
    await put("daily", requested());
    const waitMs = await runner().round();
    expect(waitMs).toBeLessThanOrEqual(500);
    expect(waitMs).toBeGreaterThanOrEqual(20);
  });

  scheduleTest(
    "that is stopped between the job and its note repeats the same job and no other",
    async ({ world }) => {
      const { put, runner, jobs, time, store } = world;
      time.skewMs = -61_000;
      await put("daily", requested());
      const stopped = {
        due: store.due.bind(store),
        postpone: store.postpone.bind(store),
        get: async () => null,
        advance: async () => false,
      };
      await runner({ store: stopped }).round();
      await runner().round();
      expect(jobs.taken).toHaveLength(1);
      expect((await store.get("acme", "daily"))?.state.enqueued).toBe(1);
    },
  );

  scheduleTest("counts an occurrence as enqueued whose job was made from other data", async ({ world }) => {
    const { put, runner, jobs, time, store } = world;
    time.skewMs = -61_000;
    await put("daily", requested());
    jobs.refuses = new IdempotencyMismatchError();
    await runner().round();
    const state = (await store.get("acme", "daily"))?.state;
    expect(state).toMatchObject({ lastOutcome: "enqueued", refused: null });
    expect(state?.lastJobId).toMatch(/^shop~[a-z2-7]{52}$/);
  });

  scheduleTest("does what the policy says of those that nobody fired in time", async ({ world }) => {
    const { put, runner, jobs, time, store } = world;
    // Nobody ran for 5 minutes and 30 s: five occurrences, the last 30 s ago and on time by a minute's grace.
    time.skewMs = -330_000;
    for (const missed of ["skip", "last", "all"]) await put(missed, requested({ missed }));
    await put("strict", requested({ missed: "last", graceMs: 1_000 }));
    await runner().round();
    const count = (name: string) => jobs.taken.filter((it) => it.source === `/schedules/${name}`).length;
    expect(["skip", "last", "all", "strict"].map(count)).toEqual([1, 1, 5, 1]);
    expect((await store.get("acme", "skip"))?.state).toMatchObject({
      missed: 4,
      lastMissed: { code: "LATE" },
    });
    expect((await store.get("acme", "all"))?.state).toMatchObject({ missed: 0, lastMissed: null });
  });

  scheduleTest(
    "keeps a refused occurrence, tries it again, and enqueues it when it is taken",
    async ({ world }) => {
      const { put, runner, jobs, time, store, outcomes } = world;
      time.skewMs = -61_000;
      await put("daily", requested());
      jobs.refuses = new VersionNotActiveError("receipt.render", 2, 1);
      await runner().round();
      const waiting = await store.get("acme", "daily");
      expect(waiting?.state).toMatchObject({
        lastOutcome: "refused",
        refused: { code: "VERSION_NOT_ACTIVE", tries: 1 },
        enqueued: 0,
      });
      expect((await store.due(10)).refused).toBe(1);
      // Not before its second is over.
      jobs.refuses = null;
      await runner().round();
      expect(jobs.taken).toEqual([]);
      if (waiting === null) throw new Error("it is gone");
      const { refused } = waiting.state;
      if (refused === null) throw new Error("it is not refused");
      await store.advance(waiting, { ...waiting.state, refused: { ...refused, retryAtMs: 0 } });
      await runner().round();
      expect(jobs.taken).toHaveLength(1);
      expect((await store.due(10)).refused).toBe(0);
      expect(outcomes).toEqual({ enqueued: 1, missed: 0, refused: 1 });
    },
  );

  scheduleTest(
    "keeps an occurrence that a defect of ours holds up, and logs the defect",
    async ({ world }) => {
      const { put, runner, jobs, time, store } = world;
      time.skewMs = -61_000;
      await put("daily", requested());
      jobs.refuses = new TypeError("no such thing");
      await runner().round();
      expect((await store.get("acme", "daily"))?.state).toMatchObject({
        refused: { code: "INTERNAL" },
        enqueued: 0,
      });
      expect(jobs.told.some((line) => line.includes("no such thing"))).toBe(true);
    },
  );

  scheduleTest("gives a refused occurrence up after its grace, with the reason", async ({ world }) => {
    const { put, runner, jobs, time, store, outcomes } = world;
    time.skewMs = -61_000;
    await put("daily", requested({ graceMs: 30_000, missed: "all" }));
    jobs.refuses = new VersionNotActiveError("receipt.render", 2, 1);
    await runner().round();
    const waiting = await store.get("acme", "daily");
    const refused = waiting?.state.refused;
    if (!waiting || !refused) throw new Error("it is not refused");
    const longAgo = {
      ...refused,
      sinceMs: refused.sinceMs - 60_000,
      retryAtMs: 0,
      occurrenceMs: refused.occurrenceMs - 30_000,
    };
    await store.advance(waiting, {
      ...waiting.state,
      positionMs: longAgo.occurrenceMs - 1,
      refused: longAgo,
    });
    jobs.refuses = null;
    await runner().round();
    expect(outcomes.missed).toBe(1);
    expect((await store.get("acme", "daily"))?.state).toMatchObject({
      missed: 1,
      lastMissed: { code: "VERSION_NOT_ACTIVE", occurrenceMs: longAgo.occurrenceMs },
    });
    expect(jobs.told.some((line) => line.includes("schedule has missed occurrences"))).toBe(true);
  });

  scheduleTest(
    "fires nothing of a paused schedule, and makes up for nothing when it goes on",
    async ({ world }) => {
      const { put, keeper, runner, jobs, time, store } = world;
      time.skewMs = -200_000;
      await put("daily", requested({ missed: "all", paused: true }));
      await runner().round();
      expect(jobs.taken).toEqual([]);
      time.skewMs = 0;
      expect(await keeper.setPaused(OWNER, "daily", false)).toMatchObject({
        kind: "replaced",
        schedule: { paused: false },
      });
      await runner().round();
      expect(jobs.taken).toEqual([]);
      expect((await store.get("acme", "daily"))?.state.missed).toBe(0);
    },
  );

  scheduleTest(
    "counts what it enqueued of a schedule that was changed meanwhile, and leaves the change",
    async ({ world }) => {
      const { put, runner, jobs, time, store, keeper, outcomes } = world;
      time.skewMs = -61_000;
      await put("retimed", requested());
      await put("paused", requested());
      time.skewMs = 0;
      const changing = async (...args: Parameters<typeof jobs.enqueue>) => {
        const retimed = requested({ every: { intervalMs: 5_000 } });
        await keeper.put(OWNER, { name: "retimed", request: retimed, mayReplace: () => true });
        await keeper.setPaused(OWNER, "paused", true);
        return jobs.enqueue(...args);
      };
      await runner({ enqueue: changing }).round();
      expect(jobs.taken).toHaveLength(2);
      expect(outcomes).toMatchObject({ enqueued: 2 });
      const retimed = await store.get("acme", "retimed");
      expect(retimed?.schedule).toMatchObject({ revision: 2, every: { intervalMs: 5_000 } });
      expect(retimed?.state).toMatchObject({ enqueued: 1, lastOutcome: "enqueued" });
      // It goes on from its change, which was after the occurrence.
      expect(retimed?.state.positionMs).toBeGreaterThan(retimed?.state.lastMs ?? Number.POSITIVE_INFINITY);
      const paused = await store.get("acme", "paused");
      expect(paused?.schedule.paused).toBe(true);
      expect(paused?.state.positionMs).toBe(paused?.state.lastMs);
      expect((await store.due(10)).due).toEqual([]);
    },
  );

  scheduleTest("beside another that fires the same counts it once", async ({ world }) => {
    const { put, runner, jobs, time, store, outcomes } = world;
    time.skewMs = -61_000;
    await put("daily", requested());
    // Both have read the schedule before either has moved it on.
    const look = await store.due(10);
    const slow = { due: async () => look, get: store.get.bind(store), postpone: store.postpone.bind(store) };
    await runner().round();
    await runner({ store: { ...slow, advance: store.advance.bind(store) } }).round();
    expect(jobs.taken).toHaveLength(1);
    expect(outcomes.enqueued).toBe(1);
    expect((await store.get("acme", "daily"))?.state.enqueued).toBe(1);
  });

  scheduleTest("goes past a schedule that it cannot read", async ({ world, redis, prefix }) => {
    const { put, runner, jobs, time, store } = world;
    time.skewMs = -61_000;
    await put("daily", requested());
    await put("newer", requested());
    await redis.hset(keysOf(prefix).scheduleStates, "acme/newer", '{"version":9}');
    await runner().round();
    expect(jobs.taken).toHaveLength(1);
    expect((await store.due(10)).unreadable).toEqual([]);
  });
});
