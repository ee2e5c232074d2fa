import type { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { FleetIndex } from "#autoscaler/fleet-index";
import { GateKeeper, type GateKeeperPorts, type GateMove, type GateView } from "#autoscaler/gate-keeper";
import { LoadEstimates } from "#autoscaler/scaling/load-estimates";
import type { WorkerView } from "#autoscaler/snapshot";
import { connectPatient } from "#shared/redis/connection";
import { keysOf } from "#shared/redis/keys";
import { loadRegistry, publishRelease } from "#shared/redis/registry-store";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";
import {
  movedTo,
  PUBLICATION,
  published,
  publishedOn,
  releaseOf,
  typeOf,
  without,
} from "../shared/registry/registry-builder.ts";
import { snapshotOf, workerView } from "./control-api/build-look.ts";

const pairs = [
  [1, 1],
  [2, 2],
  [3, 3],
] as const;
const v1 = releaseOf("v1", typeOf("receipt.render", pairs.slice(0, 1)));
const v2 = releaseOf("v2", typeOf("receipt.render", pairs.slice(0, 2)));

/** The gate is at 1, and version 2 waits above it in lane 2. */
const waiting = published(v1, v2);

/** Five a second arrive, and each keeps a slot for 500 ms: a load of 2.5 slots. */
function busyEstimates(): LoadEstimates {
  const estimates = new LoadEstimates();
  const counted = (seconds: number) => ({
    readAtMs: seconds * 1_000,
    arrivals: new Map([["receipt.render|r1", 5 * seconds]]),
    service: new Map([
      ["receipt.render|finished", 5 * seconds],
      ["receipt.render|busyms", 5 * seconds * 500],
    ]),
  });
  estimates.read("shop", counted(0));
  estimates.read("shop", counted(10));
  return estimates;
}

const reader = (changes: Partial<WorkerView> = {}) =>
  workerView({ release: "v2", lanes: ["shop.r1", "shop.r2"], slots: 2, ...changes });

interface World {
  readonly document: RegistryDocument;
  readonly workers?: readonly WorkerView[];
  readonly estimates?: LoadEstimates;
}

/** Looks only: its connection is never opened. */
function keeperSeeing(observe: GateKeeperPorts["observe"], estimates = busyEstimates()): GateKeeper {
  const redis = connectPatient("redis://127.0.0.1:1", "test");
  return new GateKeeper({
    redis,
    keys: keysOf("none"),
    clock: new FakeClock(),
    estimates,
    observe,
    look: observe,
  });
}

function gatesOf({ document, workers = [], estimates }: World): Promise<readonly GateView[]> {
  const fleet = new FleetIndex(workers);
  const observation = { snapshot: snapshotOf({ workers }), document, redisNowMs: 0, heard: [], fleet };
  return keeperSeeing(async () => observation, estimates).gates();
}

async function gateOf(world: World): Promise<GateView | undefined> {
  return (await gatesOf(world)).find((it) => it.type === "receipt.render");
}

describe("a gate's view", () => {
  test("has where it stands, what waits above it, and what was published and moved", async () => {
    const view = await gateOf({ document: waiting, workers: [reader(), reader({ worker: "w2" })] });
    expect(view).toMatchObject({
      type: "receipt.render",
      queue: "shop",
      activeversion: 1,
      // Two workers with two slots each.
      readerSlots: 4,
      next: { version: 2, mayRise: true, reason: null },
      versions: [
        { version: 1, state: "active" },
        { version: 2, state: "published" },
      ],
      events: waiting.types["receipt.render"]?.events,
    });
    expect(view?.loadSlots).toBeCloseTo(2.5, 6);
  });

  test("says why the next version may not be raised", async () => {
    const view = await gateOf({ document: waiting, workers: [reader()] });
    expect(view?.next).toEqual({
      version: 2,
      mayRise: false,
      reason:
        "receipt.render keeps 3 slots busy, and the workers that read version 2 and do not drain have 2; " +
        "start more of them first",
    });
    const fresh = await gateOf({
      document: waiting,
      workers: [reader()],
      estimates: new LoadEstimates(),
    });
    expect(fresh).toMatchObject({ loadSlots: null, next: { mayRise: false } });
    expect(fresh?.next?.reason).toMatch(/is not measured yet/);
  });

  test.each<[string, Partial<WorkerView>]>([
    ["drain", { state: "draining" }],
    ["are quarantined", { state: "quarantined" }],
    ["were not heard of", { state: "suspect" }],
    ["are dead", { state: "dead" }],
    ["are only starting", { state: "starting" }],
    ["take from the older lane only", { lanes: ["shop.r1"] }],
    ["take from another queue's lane", { lanes: ["mail.r2"] }],
    ["have tripped in the lane", { lanes: ["shop.r1"], trippedLanes: ["shop.r2"] }],
  ])("counts no slots of workers that %s", async (_what, changes) => {
    const view = await gateOf({ document: waiting, workers: [reader({ slots: 50, ...changes })] });
    expect(view).toMatchObject({ readerSlots: 0, next: { mayRise: false } });
  });

  test("has nothing above it when the newest version is active, and counts the readers of that", async () => {
    const view = await gateOf({ document: movedTo(waiting, 2), workers: [reader()] });
    expect(view).toMatchObject({ activeversion: 2, next: null, readerSlots: 2 });
  });

  test("names the next version that somebody reads, not one that nobody does", async () => {
    const only3 = releaseOf("v3", typeOf("receipt.render", [pairs[0], pairs[2]]));
    const skipping = publishedOn(without(waiting, "v2"), only3);
    expect((await gateOf({ document: skipping, workers: [] }))?.next?.version).toBe(3);
    const nobody = without(skipping, "v3");
    expect((await gateOf({ document: nobody, workers: [] }))?.next).toMatchObject({
      version: 2,
      mayRise: false,
      reason: expect.stringContaining("no live release reads version 2"),
    });
  });

  test("comes for every type, by name", async () => {
    const document = publishedOn(waiting, {
      ...releaseOf("mail-1", typeOf("a.mail", [[1, 1]], "mail")),
      app: "mail",
    });
    expect((await gatesOf({ document })).map((it) => it.type)).toEqual(["a.mail", "receipt.render"]);
  });
});

describe("a move", () => {
  const move: GateMove = {
    type: "receipt.render",
    version: 2,
    expected: 1,
    force: false,
    sunset: null,
    by: "ana@ops1",
    why: "soaked",
  };

  async function keeperOn(redis: Redis, prefix: string, workers: readonly WorkerView[]) {
    const keys = keysOf(prefix);
    for (const descriptor of [v1, v2]) await publishRelease(redis, keys, { descriptor, ...PUBLICATION });
    const observe = async () => ({
      snapshot: snapshotOf({ workers }),
      document: await loadRegistry(redis, keys),
      redisNowMs: 0,
      heard: [],
      fleet: new FleetIndex(workers),
    });
    const clock = new FakeClock(Date.UTC(2026, 2, 1, 4));
    const keeper = new GateKeeper({ redis, keys, clock, estimates: busyEstimates(), observe, look: observe });
    return { keeper, keys };
  }

  redisTest("is made when the readers have the slots, and noted with its time", async ({ redis, prefix }) => {
    const { keeper, keys } = await keeperOn(redis, prefix, [reader({ slots: 3 })]);
    expect(await keeper.move(move)).toMatchObject({ kind: "moved", from: 1 });
    const { types } = await loadRegistry(redis, keys);
    expect(types["receipt.render"]).toMatchObject({
      activeVersion: 2,
      superseded: { 1: { since: "2026-03-01T04:00:00.000Z" } },
    });
    expect(types["receipt.render"]?.events.at(-1)).toEqual({
      at: "2026-03-01T04:00:00.000Z",
      by: "ana@ops1",
      change: "gate-raised",
      version: 2,
      why: "soaked",
    });
  });

  redisTest("is refused without them, and then nothing is written", async ({ redis, prefix }) => {
    const { keeper, keys } = await keeperOn(redis, prefix, [reader({ slots: 2 })]);
    const before = await loadRegistry(redis, keys);
    expect(await keeper.move(move)).toMatchObject({ kind: "refused", code: "slots-missing" });
    expect(await keeper.move({ ...move, type: "mail.send" })).toMatchObject({ code: "type-unknown" });
    expect(await loadRegistry(redis, keys)).toEqual(before);
    expect(await keeper.move({ ...move, force: true })).toMatchObject({ kind: "moved" });
  });

  redisTest("down needs no worker at all", async ({ redis, prefix }) => {
    const { keeper } = await keeperOn(redis, prefix, []);
    await keeper.move({ ...move, force: true });
    expect(await keeper.move({ ...move, version: 1, expected: 2 })).toMatchObject({ kind: "moved", from: 2 });
  });

  test("is not tried when nothing can be observed", async () => {
    const away = new Error("Redis is away");
    const keeper = keeperSeeing(() => Promise.reject(away));
    await expect(keeper.move(move)).rejects.toBe(away);
    await expect(keeper.gates()).rejects.toBe(away);
  });
});
