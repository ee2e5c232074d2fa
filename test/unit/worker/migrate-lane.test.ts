/** The pace of a migration, on queues that answer at once; what it does to jobs is tested on a real Redis. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { RedisUnavailableError } from "#shared/errors";
import { FakeClock } from "#test/support/fake-clock";
import { LaneMigration, type MigrationOptions } from "#worker/migrate-lane";
import { migratingBuildOf } from "#worker/migrating-build";
import { envelope, recordingLog } from "./job-builder.ts";

const schema = z.looseObject({});
const contract = { type: "receipt.render", versions: [{ version: 1, minReaderVersion: 1, schema }] };

/** What happens while a migration is on. */
interface Happenings {
  readonly firstMoveMs?: number;
  readonly beforeMove?: () => void;
  /** Given the ids that wait, to be changed. */
  readonly beforeCount?: (waiting: string[]) => void;
}

/** A migration of `jobs` waiting jobs, with when and how many of them were moved. */
function migrationOf(jobs: number, jobsPerSecond: number, happenings: Happenings = {}) {
  const { firstMoveMs = 0, beforeMove = () => undefined, beforeCount = () => undefined } = happenings;
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const waiting = Array.from({ length: jobs }, (_, n) => `shop~${n}`);
  const tooNew = { ...envelope, minreaderversion: 2 };
  const batches: { atMs: number; jobs: number }[] = [];
  const queues: MigrationOptions["queues"] = {
    restingIds: async (_place, state, { skip, max }) =>
      state === "wait" ? waiting.slice(skip, skip + max) : [],
    read: async (_place, ids) =>
      ids.map((jobId) => {
        const dataText = JSON.stringify(jobId === "shop~too-new" ? tooNew : envelope);
        return { jobId, dataText, recordText: null, isTied: false };
      }),
    move: async (_way, moves) => {
      if (moves.length > 0) beforeMove();
      if (batches.length === 0 && firstMoveMs > 0) await clock.sleep(firstMoveMs);
      if (moves.length > 0) batches.push({ atMs: clock.monotonicMs(), jobs: moves.length });
      waiting.splice(0, moves.length);
      return moves.map(() => "moved" as const);
    },
  };
  const migration = new LaneMigration({
    from: "shop.r1",
    to: "shop.r2",
    dead: "shop.dead",
    queues,
    build: migratingBuildOf([contract], clock),
    release: "shop-2",
    workerId: "migrate-1",
    jobsPerSecond,
    clock,
    log,
    count: async () => {
      beforeCount(waiting);
      return { waiting: waiting.length, scheduled: 0, inFlight: 0, other: 0 };
    },
  });
  return { migration, clock, batches, lines };
}

describe("a migration", () => {
  test.each([
    // Ten batches a second below 1,000 jobs, then batches of 100; the first goes at once.
    { jobs: 100, jobsPerSecond: 50, batch: 5, everyMs: 100 },
    { jobs: 20, jobsPerSecond: 7, batch: 1, everyMs: 1_000 / 7 },
    { jobs: 5, jobsPerSecond: 1, batch: 1, everyMs: 1_000 },
    { jobs: 2_500, jobsPerSecond: 1_000, batch: 100, everyMs: 100 },
    { jobs: 2_500, jobsPerSecond: 10_000, batch: 100, everyMs: 10 },
  ])("of $jobs jobs at $jobsPerSecond a second moves $batch each $everyMs ms", async (expected) => {
    const { migration, clock, batches } = migrationOf(expected.jobs, expected.jobsPerSecond);
    const running = migration.run(new AbortController().signal);
    await clock.advance((expected.jobs / expected.jobsPerSecond) * 1_000);
    expect(await running).toMatchObject({ moved: expected.jobs, remaining: 0 });
    expect(batches).toHaveLength(expected.jobs / expected.batch);
    // A page ends with a batch of what it has left; these numbers make none.
    for (const [n, { atMs, jobs }] of batches.entries()) {
      expect(jobs).toBe(expected.batch);
      expect(atMs).toBeCloseTo(n * expected.everyMs, 6);
    }
    expect(clock.waiting).toBe(0);
  });

  test("that was held up catches up a tenth of a second, not all that it has missed", async () => {
    const { migration, clock, batches } = migrationOf(500, 1_000, { firstMoveMs: 900 });
    const running = migration.run(new AbortController().signal);
    await clock.advance(2_000);
    await running;
    // The first batch ends at 900 ms; one more than is due then goes at once, and the pace is on again.
    expect(batches.map((it) => it.atMs)).toEqual([900, 900, 900, 1_000, 1_100]);
  });

  test("sits out a Redis that is away, and goes on where it was", async () => {
    const away = { moves: 3 };
    const { migration, clock, batches, lines } = migrationOf(20, 100, {
      beforeMove: () => {
        away.moves -= 1;
        if (away.moves >= 0) throw new RedisUnavailableError();
      },
    });
    const running = migration.run(new AbortController().signal);
    await clock.advance(10_000);
    expect(await running).toMatchObject({ moved: 20, remaining: 0 });
    expect(lines.filter((it) => it.msg === "looking again when Redis is back")).toHaveLength(3);
    // A look again each 500 ms: 0, 500 and 1,000 fail.
    expect(batches[0]?.atMs).toBe(1_500);
    expect(clock.waiting).toBe(0);
  });

  test("ends with an error that waiting cannot mend", async () => {
    const { migration, clock } = migrationOf(20, 100, {
      beforeMove: () => {
        throw new Error("READONLY");
      },
    });
    const running = migration.run(new AbortController().signal);
    const ended = expect(running).rejects.toThrow("READONLY");
    await clock.advance(1_000);
    await ended;
    expect(clock.waiting).toBe(0);
  });

  test("looks once more when the last look could have missed a job", async () => {
    const events = [["shop~too-new"], ["shop~back-from-its-worker"]];
    const { migration, clock } = migrationOf(0, 100, {
      beforeCount: (waiting) => {
        // After a look and before its count one job comes and another goes: the number stays as it was.
        const now = events.shift();
        if (now !== undefined) waiting.splice(0, waiting.length, ...now);
      },
    });
    const running = migration.run(new AbortController().signal);
    await clock.advance(10_000);
    const totals = await running;
    expect(totals).toMatchObject({ moved: 1, remaining: 0 });
    expect(totals.left).toEqual({});
  });

  test("says every second how far it is", async () => {
    const { migration, clock, lines } = migrationOf(50, 20);
    const running = migration.run(new AbortController().signal);
    await clock.advance(2_500);
    await running;
    const told = lines.filter((it) => it.msg === "migrating");
    // Batches of 2 at 0, 100, ... 900 ms are 20 jobs in the first second.
    expect(told.map(({ moved, waiting }) => [moved, waiting])).toEqual([
      [20, 30],
      [40, 10],
    ]);
  });
});
