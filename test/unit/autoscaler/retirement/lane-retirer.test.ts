/** Lanes that are empty for good, on a clock that the test moves and in a real registry. */
import type { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect } from "vitest";
import { FleetIndex } from "#autoscaler/fleet-index";
import { LaneRetirer } from "#autoscaler/retirement/lane-retirer";
import type { LaneView } from "#autoscaler/snapshot";
import { type Keys, keysOf } from "#shared/redis/keys";
import { loadRegistry, publishRelease, retireRelease } from "#shared/redis/registry-store";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";
import { PUBLICATION, releaseOf, typeOf } from "../../shared/registry/registry-builder.ts";
import { laneView, OBSERVED_AT, queueView, snapshotOf } from "../control-api/build-look.ts";

const v1 = releaseOf("v1", typeOf("receipt.render", [[1, 1]]));
const v2 = releaseOf(
  "v2",
  typeOf("receipt.render", [
    [1, 1],
    [2, 2],
  ]),
);

/** A registry in which lane 1 of the shop is nobody's own, and a retirer that has seen nothing yet. */
async function retirerOn(redis: Redis, prefix: string) {
  const keys = keysOf(prefix);
  for (const descriptor of [v1, v2]) await publishRelease(redis, keys, { descriptor, ...PUBLICATION });
  await retireRelease(redis, keys, "v1");
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(line) });
  const retirer = new LaneRetirer({ redis, keys, clock, log });
  const see = (changes: Partial<LaneView> = {}) => seenBy(retirer, { redis, keys, changes });
  return { keys, clock, retirer, lines, see, retiredAt: () => retiredAtIn(redis, keys) };
}

interface Seen {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly changes: Partial<LaneView>;
}

/** Shows lane 1 as the registry has it, with these numbers, beside a lane 2 that is in use. */
async function seenBy(retirer: LaneRetirer, { redis, keys, changes }: Seen): Promise<void> {
  const document = await loadRegistry(redis, keys);
  const retiredAt = await retiredAtIn(redis, keys);
  const lanes = [laneView({ retiredAt, ...changes }), laneView({ lane: "shop.r2", generation: 2 })];
  const snapshot = snapshotOf({ queues: [queueView({ lanes })] });
  await retirer.see({ snapshot, document, redisNowMs: 0, heard: [], fleet: new FleetIndex([]) });
}

async function retiredAtIn(redis: Redis, keys: Keys): Promise<string | null> {
  const { queues } = await loadRegistry(redis, keys);
  expect(queues.shop?.generations[1]?.retired).toBeUndefined();
  return queues.shop?.generations[0]?.retired?.at ?? null;
}

describe("a lane", () => {
  redisTest("retires once it was seen empty for 21 s, and not before", async ({ redis, prefix }) => {
    const { clock, see, retiredAt } = await retirerOn(redis, prefix);
    await see();
    for (const ms of [5_000, 5_000, 5_000, 5_000, 999]) {
      await clock.advance(ms);
      await see();
    }
    expect(await retiredAt()).toBeNull();
    await clock.advance(1);
    await see();
    expect(await retiredAt()).toBe(OBSERVED_AT);
  });

  redisTest("starts anew when it held a job in between", async ({ redis, prefix }) => {
    const { clock, see, retiredAt } = await retirerOn(redis, prefix);
    await see();
    await clock.advance(20_000);
    // A worker was lost, and the stalled check has put its job back.
    await see({ waiting: 1 });
    await clock.advance(5_000);
    await see();
    await clock.advance(20_999);
    await see();
    expect(await retiredAt()).toBeNull();
    await clock.advance(1);
    await see();
    expect(await retiredAt()).toBe(OBSERVED_AT);
  });

  redisTest("with a job does not retire, however long", async ({ redis, prefix }) => {
    const { clock, see, retiredAt } = await retirerOn(redis, prefix);
    for (let look = 0; look < 5; look += 1) {
      await see({ scheduled: 1 });
      await clock.advance(60_000);
    }
    expect(await retiredAt()).toBeNull();
  });

  redisTest("is retired once, and told of once", async ({ redis, prefix }) => {
    const { keys, clock, lines, see } = await retirerOn(redis, prefix);
    await see();
    await clock.advance(21_000);
    await see();
    const { revision } = await loadRegistry(redis, keys);
    // A look that was taken before shows it as it was.
    await see({ retiredAt: null });
    await clock.advance(60_000);
    await see();
    expect((await loadRegistry(redis, keys)).revision).toBe(revision);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { queue: "shop", generation: 1, msg: "lane is empty for good and is retired" },
    ]);
  });

  redisTest("whose release has just come back stays, and nothing is told", async ({ redis, prefix }) => {
    const { keys, clock, retirer, lines, see, retiredAt } = await retirerOn(redis, prefix);
    await see();
    await clock.advance(21_000);
    // The look is older than the release's return.
    const document = await loadRegistry(redis, keys);
    const snapshot = snapshotOf({ queues: [queueView({ lanes: [laneView()] })] });
    await publishRelease(redis, keys, { descriptor: v1, ...PUBLICATION });
    await retirer.see({ snapshot, document, redisNowMs: 0, heard: [], fleet: new FleetIndex([]) });
    expect(await retiredAt()).toBeNull();
    expect(lines).toEqual([]);
  });

  redisTest("that came back and is empty again waits its 21 s once more", async ({ redis, prefix }) => {
    const { keys, clock, see, retiredAt } = await retirerOn(redis, prefix);
    await see();
    await clock.advance(21_000);
    await see();
    expect(await retiredAt()).toBe(OBSERVED_AT);
    // The release comes and goes between two looks.
    await publishRelease(redis, keys, { descriptor: v1, ...PUBLICATION });
    await retireRelease(redis, keys, "v1");
    expect(await retiredAt()).toBeNull();
    await see();
    await clock.advance(20_999);
    await see();
    expect(await retiredAt()).toBeNull();
    await clock.advance(1);
    await see();
    expect(await retiredAt()).toBe(OBSERVED_AT);
  });
});
