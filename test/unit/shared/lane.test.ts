import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TYPE_PATTERN } from "#shared/envelope";
import {
  arrivalCounterName,
  deadName,
  generationOf,
  laneName,
  parkedName,
  parseArrivalCounterName,
  QUEUE_NAME_PATTERN,
} from "#shared/lane";

const anyQueue = fc.stringMatching(/^[a-z][a-z0-9-]{0,63}$/);
const anyGeneration = fc.integer({ min: 1, max: 1_000_000 });
const anyType = fc.stringMatching(/^[a-z][a-z0-9]{0,5}(\.[a-z][a-z0-9-]{0,5}){1,7}$/);

describe("lane names", () => {
  test("are the queue's name and a suffix", () => {
    expect([laneName("shop", 3), parkedName("shop"), deadName("shop")]).toEqual([
      "shop.r3",
      "shop.parked",
      "shop.dead",
    ]);
  });

  test("give back their generation", () => {
    fc.assert(fc.property(anyQueue, anyGeneration, (queue, k) => generationOf(laneName(queue, k)) === k));
  });

  test("never collide between queues, generations, parked and dead", () => {
    const place = fc.tuple(anyQueue, fc.oneof(anyGeneration, fc.constantFrom("parked", "dead")));
    const nameOf = ([queue, what]: [string, number | string]) =>
      typeof what === "number"
        ? laneName(queue, what)
        : what === "dead"
          ? deadName(queue)
          : parkedName(queue);
    fc.assert(
      fc.property(place, place, (one, other) => {
        expect(nameOf(one) === nameOf(other)).toBe(one[0] === other[0] && one[1] === other[1]);
      }),
    );
  });

  test.each(["shop.parked", "shop.dead", "shop", "shop.r0", "shop.r01", "shop.r-1", "shop.r1x", "r1", ""])(
    "%s has no generation",
    (name) => {
      expect(generationOf(name)).toBeNull();
    },
  );
});

describe("QUEUE_NAME_PATTERN", () => {
  test.each(["a", "shop", "shop-2", "a".repeat(64)])("allows %s", (name) => {
    expect(QUEUE_NAME_PATTERN.test(name)).toBe(true);
  });

  test.each([
    "",
    "Shop",
    "2shop",
    "-shop",
    "shop.r1",
    "shop:r1",
    "shop_2",
    "a".repeat(65),
    "shop\n",
    "späti",
  ])("refuses %j", (name) => {
    expect(QUEUE_NAME_PATTERN.test(name)).toBe(false);
  });
});

describe("arrival counters", () => {
  test("give back their type and generation", () => {
    fc.assert(
      fc.property(anyType, anyGeneration, (type, generation) => {
        expect(TYPE_PATTERN.test(type)).toBe(true);
        expect(parseArrivalCounterName(arrivalCounterName(type, generation))).toEqual({ type, generation });
      }),
    );
  });

  test.each(["", "receipt.render", "receipt.render|r0", "|r1", "receipt.render|finished"])(
    "%j is none",
    (name) => {
      expect(parseArrivalCounterName(name)).toBeNull();
    },
  );
});
