/**
 * What the model of version evolution says of a fleet is what a real Redis and real workers do: traces of the
 * model's own commands, asked of both, must get the same verdicts and leave every job in the same place.
 */
import { describe, expect, inject, test } from "vitest";
import { missing } from "#test/model/explore";
import { Coverage, Ledger } from "#test/model/ledger";
import { RedisFleet } from "#test/model/redis-fleet";
import { type Trace, traceOf } from "#test/model/replay-commands";
import { redisTest } from "#test/support/redis-test";

/** Found by looking through some thousands for those in which much happens. */
const SEEDS = [3208, 3412, 3785, 4540, 4932];

describe("a trace of the model", () => {
  for (const seed of SEEDS) {
    redisTest(
      `ends on a real Redis as it ended in the model (seed ${seed})`,
      async ({ redis, prefix }) => {
        const trace = await traceOf(seed);
        const broken: unknown[] = [];
        const ledger = ledgerLike(trace);
        const fleet = new RedisFleet({
          redis,
          prefix,
          redisUrl: `unix://${inject("redisSocketPath")}`,
          onStarted: (job, build) => {
            try {
              ledger.started(job, build);
            } catch (error) {
              broken.push(error);
            }
          },
        });
        try {
          await replay(trace, fleet);
        } finally {
          await fleet.stop();
        }
        expect(broken).toEqual([]);
      },
      120_000,
    );
  }

  test("of these lets the things happen that a replay is for", async () => {
    const happened = new Coverage();
    for (const seed of SEEDS) {
      for (const [event, times] of Object.entries((await traceOf(seed)).world.coverage.all)) {
        happened.count(event, times);
      }
    }
    expect(missing(happened, AT_LEAST)).toEqual({});
    // What waits for its time to be handed back would end as the real clock has it.
    expect(Object.keys(happened.all).filter((it) => it.startsWith("handed back"))).toEqual([]);
  });
});

const AT_LEAST = {
  steps: 150,
  "enqueue: accepted": 40,
  "enqueue: on an old copy of the registry": 20,
  "enqueue: scheduled far ahead": 10,
  "enqueue: refused, VERSION_NOT_ACTIVE": 3,
  "publish: refused": 5,
  "gate: raised": 4,
  "gate: lowered": 4,
  "retire: done": 1,
  "retire: refused, lane-without-reader": 1,
  "rolled back to a live release": 2,
  "rolled back to a retired release": 1,
  "migrated: moved": 3,
  "migrated: upcast": 1,
  "parked: FOREIGN": 1,
  "parked: TOO_NEW": 1,
  "parked: TOO_OLD": 1,
  "parked jobs released": 2,
  "dead: DATA_INVALID": 1,
  "settled: retry": 4,
  "settled: finished": 20,
  "started older data": 5,
  "started newer data": 1,
};

/** Owes what the model's owes, and has seen nothing yet. */
function ledgerLike({ world }: Trace): Ledger {
  const ledger = new Ledger(new Coverage());
  for (const job of world.ledger.jobs.values()) ledger.accept(job);
  return ledger;
}

async function replay({ entries, world }: Trace, fleet: RedisFleet): Promise<void> {
  for (const [index, { asked, verdict, after }] of entries.entries()) {
    expect(await fleet.perform(asked), `${index}: ${asked.ask}`).toBe(verdict);
    await fleet.untilStored(after);
  }
  // None was started more often than in the model: each has run once, and once more where its handler failed.
  const stored = entries.at(-1)?.after ?? {};
  const starts = [...world.ledger.jobs.values()].map((it) => [it.jobId, it.starts]);
  expect(await fleet.startsOf(stored)).toEqual(Object.fromEntries(starts));
}
