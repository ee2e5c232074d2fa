/** What a worker makes of what is wanted of all workers of its release. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ReleaseOrders, releaseOrders, TAKES } from "#shared/rollout/release-orders";
import { decideObeyed, handsBackNow, isHeld, NOTHING_HEARD, type OwnReason } from "#worker/decide-taking";
import { ReleaseStanding } from "#worker/release-standing";

function wanted(changes: Partial<ReleaseOrders> = {}): ReleaseOrders {
  return releaseOrders.parse({ epoch: 1, takes: "all", ...changes });
}

describe("what was heard", () => {
  test("of an older term than one heard of is not obeyed, whatever came in between", () => {
    const heard = fc.record({ epoch: fc.integer({ min: 0, max: 5 }), takes: fc.constantFrom(...TAKES) });
    fc.assert(
      fc.property(fc.array(fc.option(heard)), (words) => {
        let obeyed = NOTHING_HEARD;
        let newest = 0;
        for (const word of words) {
          obeyed = decideObeyed(obeyed, word === null ? null : wanted(word));
          newest = Math.max(newest, word?.epoch ?? 0);
          expect(obeyed.epoch).toBe(newest);
          expect(obeyed.orders?.epoch ?? newest).toBe(newest);
        }
      }),
    );
  });

  test("that there is nothing wanted is obeyed, and gives all back", () => {
    const held = decideObeyed(NOTHING_HEARD, wanted({ epoch: 7, takes: "nothing" }));
    expect(held.orders?.takes).toBe("nothing");
    expect(decideObeyed(held, null)).toEqual({ epoch: 7, orders: null });
  });
});

describe("a lane is held", () => {
  test.each([
    ["all", [], false],
    ["nothing", ["shop.r2"], true],
    ["probe", ["shop.r2"], true],
    ["own-lanes", ["shop.r1"], true],
    ["own-lanes", [], true],
    ["own-lanes", ["shop.r1", "shop.r2"], false],
  ] as const)("when its workers take %s (%j): %s", (takes, lanes, held) => {
    expect(isHeld(wanted({ takes, lanes: [...lanes] }), "shop.r2")).toBe(held);
  });

  test("by nothing when nothing is wanted", () => {
    expect(isHeld(null, "shop.r2")).toBe(false);
  });
});

describe("what runs is handed back", () => {
  const all = { takes: "all", handBack: true } as const;
  const own = { takes: "own-lanes", lanes: ["shop.r2"], handBack: true } as const;
  test.each([
    ["a worker that stays keeps it", all, null, false],
    ["one that drains does not", all, "ordered-to-drain", true],
    ["one that stops does not", all, "stopping", true],
    ["one that is quarantined does not", all, "quarantined", true],
    ["one whose clock is off keeps it", all, "clock-skew", false],
    ["a release that takes nothing does not", { takes: "nothing", handBack: true }, null, true],
    ["a lane that is held does not", { ...own, lanes: ["shop.r1"] }, null, true],
    ["a lane that is not held keeps it", own, null, false],
    ["nothing is asked of one that drains", { takes: "all" }, "ordered-to-drain", false],
    ["nothing is asked of a release that takes nothing", { takes: "nothing" }, null, false],
  ] as const)("%s", (_what, changes, reason, handed) => {
    const orders = releaseOrders.parse({ epoch: 1, ...changes });
    expect(handsBackNow(orders, { reason: reason as OwnReason, lane: "shop.r2" })).toBe(handed);
  });

  test("never when nothing is wanted", () => {
    expect(handsBackNow(null, { reason: "ordered-to-drain", lane: "shop.r2" })).toBe(false);
  });
});

describe("a worker's standing in its release", () => {
  function standing() {
    const told: string[] = [];
    const it = new ReleaseStanding({
      onChange: () => told.push("change"),
      onProbeWanted: (attempt) => told.push(`probe ${attempt}`),
    });
    return { it, told };
  }

  test("is to take all, and to discount nobody, until something else was heard", () => {
    const { it } = standing();
    expect([it.takes, it.holds("shop.r1"), [...it.discounted]]).toEqual(["all", false, []]);
    it.hear(wanted({ takes: "probe", discounted: ["shop-v2"] }));
    expect([it.takes, it.holds("shop.r1"), [...it.discounted]]).toEqual(["probe", true, ["shop-v2"]]);
    it.hear(null);
    expect([it.takes, it.holds("shop.r1"), [...it.discounted]]).toEqual(["all", false, []]);
  });

  test("says when what it takes changes, and not when anything else does", () => {
    const { it, told } = standing();
    it.hear(wanted({ handBack: true, lanes: ["shop.r1"] }));
    expect(told).toEqual([]);
    it.hear(wanted({ takes: "own-lanes", lanes: ["shop.r1"] }));
    it.hear(wanted({ takes: "own-lanes", lanes: ["shop.r1"] }));
    it.hear(wanted({ takes: "own-lanes", lanes: ["shop.r2"] }));
    it.hear(wanted({ epoch: 0, takes: "nothing" }));
    expect(told).toEqual(["change", "change"]);
    expect(it.handsBack("shop.r1", null)).toBe(false);
  });

  test("asks for the probe for as long as it is wanted", () => {
    const { it, told } = standing();
    it.hear(wanted({ takes: "probe", probeAttempt: 2 }));
    it.hear(wanted({ takes: "probe", probeAttempt: 2 }));
    it.hear(wanted({ takes: "probe" }));
    expect(told).toEqual(["change", "probe 2", "probe 2"]);
  });
});
