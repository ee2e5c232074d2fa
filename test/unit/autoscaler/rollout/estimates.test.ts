import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  highestRate,
  isAbove,
  isBelow,
  logGamma,
  lowestMean,
  lowestRate,
  type Share,
} from "#autoscaler/rollout/estimate-bounds";
import { chanceOfSoMany } from "#autoscaler/rollout/estimate-exact-chance";
import {
  boundIndexAt,
  boundIndexBelow,
  estimateQuantile,
  shareAbove,
  TIME_BOUNDS_MS,
} from "#autoscaler/rollout/estimate-quantile";
import { BUCKET_BOUNDS_MS } from "#shared/run-counters";
import { Dice } from "#test/support/dice";

describe("the logarithm of the gamma function", () => {
  // Gamma(1/2) = sqrt(pi), Gamma(1) = 1, Gamma(5) = 24, Gamma(11) = 10!
  test.each([
    { x: 0.5, value: Math.sqrt(Math.PI) },
    { x: 1, value: 1 },
    { x: 5, value: 24 },
    { x: 11, value: 3_628_800 },
  ])("of $x is that of $value", ({ x, value }) => {
    expect(logGamma(x)).toBeCloseTo(Math.log(value), 9);
  });
});

describe("the bounds of a rate", () => {
  const counts = fc
    .tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 5_000 }))
    .map(([hits, misses]) => ({ hits, trials: hits + misses }));

  test("hold what was counted between them", () => {
    fc.assert(
      fc.property(counts, (share) => {
        const rate = share.trials === 0 ? 0 : share.hits / share.trials;
        expect(lowestRate(share, 0.01)).toBeLessThanOrEqual(rate + 1e-9);
        expect(highestRate(share, 0.01)).toBeGreaterThanOrEqual(rate - 1e-9);
      }),
    );
  });

  test("are where the two tests turn", () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (share, rate) => {
        fc.pre(Math.abs(lowestRate(share, 0.01) - rate) > 1e-6);
        fc.pre(Math.abs(highestRate(share, 0.01) - rate) > 1e-6);
        expect(isAbove(share, rate, 0.01)).toBe(lowestRate(share, 0.01) > rate);
        expect(isBelow(share, rate, 0.01)).toBe(highestRate(share, 0.01) < rate);
      }),
    );
  });

  test("say nothing without evidence", () => {
    const nothing = { hits: 0, trials: 0 };
    expect([lowestRate(nothing, 0.01), highestRate(nothing, 0.01)]).toEqual([0, 1]);
    expect([isAbove(nothing, 0.5, 0.01), isBelow(nothing, 0.5, 0.01)]).toEqual([false, false]);
  });

  /**
   * 5 of 5: M(p) = B(5.5, 0.5) / B(0.5, 0.5) / p^5 = (9 x 7 x 5 x 3 x 1) / (10 x 8 x 6 x 4 x 2) / p^5 = 0.24609 / p^5.
   * It reaches 1 / 0.05 where p^5 = 0.0123047, at p = 0.415.
   */
  test("are those of Jeffreys' prior: five of five is at least 0.415 with an error of 0.05", () => {
    expect(lowestRate({ hits: 5, trials: 5 }, 0.05)).toBeCloseTo(0.0123047 ** 0.2, 4);
  });

  test("err at any look together no more often than they say", () => {
    const dice = new Dice(11);
    const crossed = Array.from({ length: 1_000 }, () => crossesOnce(dice)).filter((it) => it).length;
    // At most 20 expected; three standard deviations (4.4 each) above that is 33. And it is not idle.
    expect(crossed).toBeLessThan(33);
    expect(crossed).toBeGreaterThan(0);
  });
});

/** Whether 1,000 jobs of which 5 % fail are at any moment taken to fail more than 5 %, with an error of 0.02. */
function crossesOnce(dice: Dice): boolean {
  let hits = 0;
  for (let trials = 1; trials <= 1_000; trials += 1) {
    if (dice.chance(0.05)) hits += 1;
    if (isAbove({ hits, trials }, 0.05, 0.02)) return true;
  }
  return false;
}

describe("the chance that so many failures fall on one part", () => {
  // Fisher's lady tasting tea: all four cups of eight by luck, 1 of 70; at least three, 17 of 70.
  test.each([
    { hits: 4, chance: 1 / 70 },
    { hits: 3, chance: 17 / 70 },
    { hits: 0, chance: 1 },
  ])("is $chance for at least $hits of four among eight with four", ({ hits, chance }) => {
    expect(chanceOfSoMany({ hits, trials: 4 }, { hits: 4, trials: 8 })).toBeCloseTo(chance, 9);
  });

  test("is one where there is nobody else, or nothing", () => {
    expect(chanceOfSoMany({ hits: 9, trials: 20 }, { hits: 9, trials: 20 })).toBeCloseTo(1, 9);
    expect(chanceOfSoMany({ hits: 0, trials: 0 }, { hits: 0, trials: 0 })).toBe(1);
  });

  test("is how often it happens", () => {
    const dice = new Dice(5);
    const [part, all] = [
      { hits: 8, trials: 20 },
      { hits: 12, trials: 60 },
    ];
    const rounds = 20_000;
    const dealt = Array.from({ length: rounds }, () => dealtOn(part.trials, all, dice));
    const seen = dealt.filter((hits) => hits >= part.hits).length;
    const chance = chanceOfSoMany(part, all);
    const deviation = Math.sqrt((chance * (1 - chance)) / rounds);
    expect(Math.abs(seen / rounds - chance)).toBeLessThan(4 * deviation);
  });
});

/** How many of all hits fall on the first `places` when they are dealt at random. */
function dealtOn(places: number, { hits, trials }: Share, dice: Dice): number {
  let [left, onThem] = [hits, 0];
  for (let place = 0; place < trials; place += 1) {
    const isHit = dice.chance(left / (trials - place));
    if (isHit) left -= 1;
    if (isHit && place < places) onThem += 1;
  }
  return onThem;
}

describe("the lowest mean of events that come one by one", () => {
  test("is below what was counted, and near it with much evidence", () => {
    expect(lowestMean({ hits: 20, trials: 10 }, 0.01)).toBeLessThan(2);
    expect(lowestMean({ hits: 20_000, trials: 10_000 }, 0.01)).toBeGreaterThan(1.9);
    expect(lowestMean({ hits: 0, trials: 10 }, 0.01)).toBe(0);
  });
});

describe("a histogram of times", () => {
  test("has the buckets that the workers count by", () => {
    expect(TIME_BOUNDS_MS).toEqual([...BUCKET_BOUNDS_MS]);
  });

  const histogram = Array.from({ length: TIME_BOUNDS_MS.length + 1 }, () => 0)
    .with(0, 60)
    .with(4, 30)
    .with(21, 10);

  test("tells exactly how many took longer than a bound", () => {
    expect(shareAbove(histogram, 0)).toEqual({ hits: 40, trials: 100 });
    expect(shareAbove(histogram, 4)).toEqual({ hits: 10, trials: 100 });
    expect(shareAbove(histogram, -1)).toEqual({ hits: 100, trials: 100 });
  });

  test("spreads a percentile evenly within its bucket", () => {
    // The 75th of 100 is the 15th of 30 in the bucket from 1 s to 2 s: halfway.
    expect(estimateQuantile(histogram, 0.75)).toBeCloseTo(1_500);
    expect(estimateQuantile(histogram, 0.95)).toBe(3_600_000);
    expect(estimateQuantile([], 0.95)).toBeNull();
  });

  test("finds the bounds around a time", () => {
    expect(TIME_BOUNDS_MS[boundIndexAt(30_000)]).toBe(30_000);
    expect(TIME_BOUNDS_MS[boundIndexAt(30_001)]).toBe(45_000);
    expect(boundIndexAt(3_600_001)).toBe(TIME_BOUNDS_MS.length);
    expect(TIME_BOUNDS_MS[boundIndexBelow(29_999)]).toBe(20_000);
    expect(boundIndexBelow(99)).toBe(-1);
  });
});
