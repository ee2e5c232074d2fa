import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideFreeze } from "#autoscaler/scaling/decide-freeze";
import type { PoolRelease } from "#autoscaler/scaling/decide-lane-owners";
import { aFreeze } from "../shared/scaling/overrides-builder.ts";

function release(changes: Partial<PoolRelease> = {}): PoolRelease {
  return {
    release: "shop-1",
    generation: 1,
    readsGenerations: [1],
    trippedGenerations: [],
    publishedOrder: 1,
    live: true,
    workers: 3,
    draining: 0,
    ...changes,
  };
}

const freezeOf = (
  releases: readonly PoolRelease[],
  changes: Parameters<typeof aFreeze>[0] = {},
  appliedTotal = 9,
) => decideFreeze({ appliedTotal }, { pool: "shop", freeze: aFreeze(changes), releases });

describe("a frozen pool", () => {
  test("keeps who is there, whatever the lanes want, and says by whom, until when and why", () => {
    expect(freezeOf([release()])).toEqual({
      desired: { "shop-1": 3 },
      clamp: {
        by: "frozen",
        from: 9,
        to: 3,
        sentence: "frozen by ada until 2026-03-01 13:00 UTC: 'checkout incident'",
      },
    });
  });

  test("replaces a worker that died, up to the number at the freeze", () => {
    expect(freezeOf([release({ workers: 1 })]).desired).toEqual({ "shop-1": 3 });
  });

  test("replaces nobody when it is frozen hard", () => {
    const { desired, clamp } = freezeOf([release({ workers: 1 })], { hard: true, pool: "*" });
    expect(desired).toEqual({ "shop-1": 1 });
    expect(clamp.sentence).toMatch(/^frozen hard with all pools by ada until/);
  });

  test("drains nobody who came after the freeze, and starts nobody of a release that did", () => {
    const later = release({ release: "shop-2", workers: 0 });
    expect(freezeOf([release({ workers: 5 }), later]).desired).toEqual({ "shop-1": 5, "shop-2": 0 });
  });

  test("gives a release that cannot be started nobody back", () => {
    expect(freezeOf([release({ workers: 1, live: false })]).desired).toEqual({ "shop-1": 1 });
  });

  test("that was not looked at when all pools were frozen keeps who is there", () => {
    expect(freezeOf([release({ workers: 2 })], { held: {} }).desired).toEqual({ "shop-1": 2 });
  });

  test("never loses a worker to the freeze, and never gets more than it was frozen at", () => {
    const count = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(count, count, fc.boolean(), fc.boolean(), (workers, held, hard, live) => {
        const { desired } = freezeOf([release({ workers, live })], {
          hard,
          held: { shop: { "shop-1": held } },
        });
        const number = desired["shop-1"] ?? -1;
        expect(number).toBeGreaterThanOrEqual(workers);
        expect(number).toBeLessThanOrEqual(Math.max(workers, held));
      }),
    );
  });
});
