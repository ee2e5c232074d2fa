import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type OverridesChange,
  withBounds,
  withFreeze,
  withoutBounds,
  withoutFreeze,
} from "#shared/scaling/change-overrides";
import { scalingOverrides } from "#shared/scaling/overrides-document";
import { boundsInForce, overridesOf } from "#shared/scaling/resolve-overrides";
import { aBounds, aFreeze, HOUR_MS, NOON_MS, someOverrides } from "./overrides-builder.ts";

const configured = { workersMin: 1, workersMax: 4 };

function documentOf(change: OverridesChange) {
  if (change.kind !== "changed") throw new Error(`it is ${change.kind}`);
  return change.document;
}

describe("a freeze", () => {
  test("holds its pool, and one of all pools holds every pool, until it ends", () => {
    const own = someOverrides({ freezes: [aFreeze()] });
    expect(overridesOf(own, "shop", NOON_MS + HOUR_MS - 1).freeze).toEqual(aFreeze());
    expect(overridesOf(own, "shop", NOON_MS + HOUR_MS).freeze).toBeNull();
    expect(overridesOf(own, "mail", NOON_MS).freeze).toBeNull();
    const all = someOverrides({ freezes: [aFreeze({ pool: "*" })] });
    expect(overridesOf(all, "mail", NOON_MS).freeze).toEqual(aFreeze({ pool: "*" }));
  });

  test("of the pool comes before that of all, unless that one is harder", () => {
    const own = aFreeze();
    const soft = aFreeze({ pool: "*" });
    const hard = aFreeze({ pool: "*", hard: true });
    expect(overridesOf(someOverrides({ freezes: [soft, own] }), "shop", NOON_MS).freeze).toEqual(own);
    expect(overridesOf(someOverrides({ freezes: [own, hard] }), "shop", NOON_MS).freeze).toEqual(hard);
  });

  test("that is set again keeps the number that was frozen first, and takes the new end", () => {
    const first = someOverrides({ freezes: [aFreeze()] });
    const again = aFreeze({ held: { shop: { "shop-1": 1 } }, expiresAt: "2026-03-01T20:00:00.000Z" });
    const change = withFreeze(first, again, NOON_MS);
    expect(change).toMatchObject({ replaced: aFreeze(), set: { ...again, held: aFreeze().held } });
    expect(documentOf(change)).toMatchObject({ revision: 4, freezes: [{ expiresAt: again.expiresAt }] });
  });

  test("that has ended is set anew with the number of now, and cannot be thawed", () => {
    const ended = someOverrides({ freezes: [aFreeze()] });
    const later = NOON_MS + HOUR_MS;
    const again = aFreeze({ held: { shop: { "shop-1": 1 } }, expiresAt: "2026-03-01T20:00:00.000Z" });
    expect(withFreeze(ended, again, later)).toMatchObject({ replaced: null, set: again });
    expect(withoutFreeze(ended, "shop", later)).toEqual({ kind: "not-found" });
  });

  test("is thawed by the name it was frozen by", () => {
    const both = someOverrides({ freezes: [aFreeze(), aFreeze({ pool: "*" })] });
    expect(documentOf(withoutFreeze(both, "*", NOON_MS)).freezes).toEqual([aFreeze()]);
    expect(withoutFreeze(both, "mail", NOON_MS)).toEqual({ kind: "not-found" });
  });
});

describe("bounds", () => {
  const bound = (changes: Parameters<typeof aBounds>[0]) =>
    withBounds(someOverrides(), { override: aBounds(changes), configured }, NOON_MS);

  test.each([
    [{ workersMin: null, workersMax: null }, "", "required"],
    [{ workersMax: 5 }, "/workersMax", "beyond-config"],
    [{ workersMax: 0 }, "/workersMax", "min-above-max"],
    [{ workersMin: 3, workersMax: 2 }, "/workersMin", "min-above-max"],
    [{ workersMin: 5, workersMax: null }, "/workersMin", "min-above-max"],
    [{ workersMin: 5, workersMax: null, beyondConfig: true }, "/workersMin", "min-above-max"],
  ])("of %j are refused at %j by the rule %s", (changes, pointer, rule) => {
    expect(bound(changes)).toMatchObject({ kind: "refused", issue: { pointer, rule } });
  });

  test.each([
    [{ workersMax: 2 }, { workersMin: 1, workersMax: 2 }],
    [
      { workersMin: 0, workersMax: 0 },
      { workersMin: 0, workersMax: 0 },
    ],
    [
      { workersMin: 4, workersMax: null },
      { workersMin: 4, workersMax: 4 },
    ],
    [
      { workersMax: 40, beyondConfig: true },
      { workersMin: 1, workersMax: 40 },
    ],
  ])("of %j make %j", (changes, inForce) => {
    const document = documentOf(bound(changes));
    expect(boundsInForce(configured, overridesOf(document, "shop", NOON_MS).bounds)).toEqual(inForce);
    expect(boundsInForce(configured, overridesOf(document, "shop", NOON_MS + HOUR_MS).bounds)).toEqual(
      configured,
    );
    expect(documentOf(withoutBounds(document, "shop", NOON_MS)).bounds).toEqual([]);
  });

  test("never lie outside of what the configuration allows, however it has changed, unless they may", () => {
    const count = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(
        fc.option(count),
        fc.option(count),
        fc.boolean(),
        count,
        count,
        (min, max, beyondConfig, a, b) => {
          const file = { workersMin: Math.min(a, b), workersMax: Math.max(a, b) };
          const it = boundsInForce(file, aBounds({ workersMin: min, workersMax: max, beyondConfig }));
          expect(it.workersMin).toBeLessThanOrEqual(it.workersMax);
          if (!beyondConfig) expect(it.workersMax).toBeLessThanOrEqual(file.workersMax);
        },
      ),
    );
  });
});

test("what a change makes can be read back, and holds nothing that has ended", () => {
  const before = someOverrides({
    freezes: [aFreeze({ pool: "old", expiresAt: "2026-03-01T11:00:00.000Z" })],
    bounds: [aBounds({ pool: "old", expiresAt: "an hour ago" })],
  });
  const document = documentOf(withFreeze(before, aFreeze(), NOON_MS));
  expect(document).toEqual(someOverrides({ revision: 4, freezes: [aFreeze()] }));
  expect(scalingOverrides.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
});
