/** What the model of version evolution says of a fleet is what a real Redis and real workers do. */
import fc from "fast-check";
import { describe, expect, inject } from "vitest";
import { acts } from "#test/model/act";
import { addPoison, enqueue, enqueueInvalid, refresh, repeat } from "#test/model/acts-of-clients";
import {
  deploy,
  deployFork,
  migrate,
  misplace,
  moveGate,
  retireByForce,
  retireRelease,
  rollBack,
} from "#test/model/acts-of-operators";
import { drain, startWorker } from "#test/model/acts-of-workers";
import { type Entry, JournalFleet } from "#test/model/journal-fleet";
import { Coverage, Ledger } from "#test/model/ledger";
import { RedisFleet } from "#test/model/redis-fleet";
import { deployFirst, publishReaderOfAll } from "#test/model/run-world";
import { World } from "#test/model/world";
import { redisTest } from "#test/support/redis-test";

const MONTH_MS = 30 * 24 * 3_600_000;

const COMMANDS_MAX = 60;

const commands = fc.commands<World, World, false>(
  [
    ...acts(3, { ...deploy, parameters: deploy.parameters.map((it) => ({ ...it, upcasters: "right" as const, workers: it.workers % 2 })) }),
    ...acts(1, rollBack),
    ...acts(1, deployFork),
    ...acts(3, moveGate),
    ...acts(3, retireRelease),
    ...acts(1, retireByForce),
    ...acts(3, migrate),
    ...acts(10, { ...enqueue, parameters: enqueue.parameters.map((it) => ({ ...it, delayMs: it.delayMs > 0 ? MONTH_MS : 0 })) }),
    ...acts(1, repeat),
    ...acts(1, enqueueInvalid),
    ...acts(3, refresh),
    ...acts(2, startWorker),
    ...acts(3, drain),
    ...acts(1, misplace),
    ...acts(1, addPoison),
  ],
  { maxCommands: COMMANDS_MAX, size: "max" },
);

async function journalOf(seed: number): Promise<{ readonly entries: readonly Entry[]; readonly world: World }> {
  const world = new World(new Coverage(), [seed, seed + 1, seed + 3], JournalFleet);
  const fleet = world.fleet as JournalFleet;
  fleet.world = world;
  await deployFirst(world);
  const [those] = fc.sample(commands, { seed, numRuns: 1 });
  await fc.asyncModelRun(() => ({ model: world, real: world }), those ?? []);
  const release = await publishReaderOfAll(world);
  if (release !== null) await fleet.startWorker(release, 4);
  return { entries: fleet.entries, world };
}

describe("a trace of the model", () => {
  redisTest.for([1,2,3,4,5,6])("seed %i ends on a real Redis as it ends in the model", async (seed, { redis, prefix }) => {
    const t0 = performance.now();
    const { entries, world } = await journalOf(seed);
    const ledger = new Ledger(new Coverage());
    for (const job of world.ledger.jobs.values()) ledger.accept(job);
    console.log(seed, entries.length, performance.now() - t0, JSON.stringify(world.coverage.all));
    const broken: unknown[] = [];
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
      for (const [index, { asked, verdict, after }] of entries.entries()) {
        console.log(index, asked.ask, JSON.stringify(asked).slice(0,150), verdict);
        expect(await fleet.perform(asked), `${index}: ${asked.ask}`).toBe(verdict);
        await fleet.untilStored(after);
      }
      expect(broken).toEqual([]);
      const last = entries.at(-1)?.after ?? {};
      const starts = Object.fromEntries([...world.ledger.jobs.values()].map((it) => [it.jobId, it.starts]));
      expect(await fleet.startsOf(last)).toEqual(starts);
    } finally {
      await fleet.stop();
    }
    console.log("took", performance.now() - t0);
  }, 200_000);
});
