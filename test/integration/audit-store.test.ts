/** The list of what operators did, on a real Redis. */
import { pino } from "pino";
import { describe, expect } from "vitest";
import { AUDIT_KEPT_MAX, type AuditAct, AuditStore } from "#shared/redis/audit-store";
import { keysOf } from "#shared/redis/keys";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";

const act: AuditAct = {
  keyId: "abcdefghijkl",
  name: "deploy",
  tenant: "acme",
  action: "gate.move",
  target: "receipt.render",
  before: { activeversion: 2 },
  after: { activeversion: 3 },
  why: "soaked for a day",
  requestId: "req-1",
  outcome: "done",
};

function auditOf(redis: ConstructorParameters<typeof AuditStore>[0]["redis"], prefix: string) {
  const lines: string[] = [];
  const clock = new FakeClock();
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const keys = keysOf(prefix);
  return { audit: new AuditStore({ redis, keys, clock, log }), lines, clock, keys };
}

describe("the audit list", () => {
  redisTest("has each act, newest first, and the log has the same", async ({ redis, prefix }) => {
    const { audit, lines, clock } = auditOf(redis, prefix);
    await audit.record(act);
    await clock.advance(1_000);
    await audit.record({ ...act, outcome: "refused" });
    const [later, earlier] = ["2026-01-31T12:00:01.000Z", "2026-01-31T12:00:00.000Z"];
    expect(await audit.page(10, null)).toEqual({
      entries: [
        { seq: 2, at: later, ...act, outcome: "refused" },
        { seq: 1, at: earlier, ...act },
      ],
      unreadable: 0,
      nextBefore: null,
    });
    expect(lines.map((line) => JSON.parse(line).audit)).toEqual([
      { at: earlier, ...act },
      { at: later, ...act, outcome: "refused" },
    ]);
    expect(clock.waiting).toBe(0);
  });

  redisTest("is read in pages that new acts do not shift", async ({ redis, prefix }) => {
    const { audit } = auditOf(redis, prefix);
    for (let n = 1; n <= 5; n += 1) await audit.record({ ...act, target: `t${n}` });
    const first = await audit.page(2, null);
    expect([first.entries.map((it) => it.target), first.nextBefore]).toEqual([["t5", "t4"], 4]);
    await audit.record({ ...act, target: "t6" });
    const second = await audit.page(2, first.nextBefore);
    expect([second.entries.map((it) => it.target), second.nextBefore]).toEqual([["t3", "t2"], 2]);
    const last = await audit.page(2, second.nextBefore);
    expect([last.entries.map((it) => it.target), last.nextBefore]).toEqual([["t1"], null]);
    expect(await audit.page(2, 1)).toEqual({ entries: [], unreadable: 0, nextBefore: null });
  });

  redisTest("keeps the newest ten thousand and goes on counting", async ({ redis, prefix }) => {
    const { audit, keys } = auditOf(redis, prefix);
    const pipeline = redis.pipeline();
    for (let n = 0; n < AUDIT_KEPT_MAX; n += 1) pipeline.lpush(keys.audit, "{}");
    pipeline.set(`${keys.audit}:count`, AUDIT_KEPT_MAX);
    await pipeline.exec();
    await audit.record(act);
    expect(await redis.llen(keys.audit)).toBe(AUDIT_KEPT_MAX);
    const page = await audit.page(2, null);
    // The one below is none that can be read, and the page says so.
    expect(page).toMatchObject({ entries: [{ seq: 10_001 }], unreadable: 1, nextBefore: 10_000 });
  });

  redisTest("leaves long facts to the log", async ({ redis, prefix }) => {
    const { audit, lines } = auditOf(redis, prefix);
    const after = { note: "x".repeat(10_000) };
    await audit.record({ ...act, after });
    const { before: _before, after: _after, ...short } = act;
    expect((await audit.page(1, null)).entries).toMatchObject([short]);
    expect((await audit.page(1, null)).entries[0]).not.toHaveProperty("after");
    expect(JSON.parse(lines[0] ?? "").audit.after).toEqual(after);
  });

  redisTest(
    "that cannot be written is said to lack the act, and nothing is undone",
    async ({ redis, prefix }) => {
      const { audit, lines, keys } = auditOf(redis, prefix);
      await redis.set(keys.audit, "not a list");
      await expect(audit.record(act)).resolves.toBeUndefined();
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { level: 30, audit: { target: "receipt.render" } },
        {
          level: 50,
          audit: { target: "receipt.render" },
          err: { message: expect.stringContaining("WRONGTYPE") },
        },
      ]);
    },
  );
});
