/** The throttles' scripts on a real Redis, held against a model and their own promises, at a time that the test sets. */
import fc from "fast-check";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import type { Excess, Throttle } from "#shared/limits/limits-document";
import { keysOf } from "#shared/redis/keys";
import { THROTTLE_DELAY_MS_MAX, ThrottleStore } from "#shared/redis/throttle-store";
import {
  type Counted,
  type Counter,
  counterOf,
  delaysMsOf,
  remainingOf,
  waitMsOf,
} from "#shared/throttle/counted";
import { redisTest } from "#test/support/redis-test";
import { type ModelCounter, modelOf } from "#test/support/throttle-model";
import { aThrottle } from "../unit/shared/limits/limits-builder.ts";

/** The start of a window of every length used here, and about today. */
const START_MS = 1_800_000_000_000;

const COUNTED = ["token-bucket", "leaky-bucket", "fixed-window", "sliding-window"] as const;

/** A store whose clock stands still until it is set. */
function storeAt(redis: Redis, prefix: string) {
  const clock = { nowMs: START_MS };
  const store = new ThrottleStore(redis, keysOf(prefix), () => clock.nowMs);
  const take = async (throttle: Throttle, cost = 1, excess: Excess = "reject") => {
    const [counted] = await store.take({ cost, terms: [{ throttle, subject: "acme", excess }] });
    if (counted === undefined) throw new Error("a take is answered");
    return counted;
  };
  return { clock, store, take };
}

const someThrottle = fc
  .record({
    algorithm: fc.constantFrom(...COUNTED),
    limit: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(7, 1_000, 999_983, 1_000_000)),
    windowMs: fc.constantFrom(1_000, 3_000, 60_000, 2_678_400_000),
    burst: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
    excess: fc.constantFrom<Excess>("reject", "delay", "degrade"),
  })
  .map(({ burst, excess, ...rest }): { throttle: Throttle; excess: Excess } => {
    const throttle = aThrottle(rest);
    return {
      throttle: rest.algorithm === "token-bucket" && burst ? { ...throttle, burst } : throttle,
      excess,
    };
  });

/** Each under a name of its own, with the model of it. */
function withModels(some: readonly { readonly throttle: Throttle; readonly excess: Excess }[]) {
  return some.map(({ throttle, excess }, n) => ({
    throttle: { ...throttle, name: `t${n}` },
    subject: "acme",
    excess,
    model: modelOf(throttle),
  }));
}

const someSteps = fc.array(
  fc.record({
    waitMs: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 2_500 }),
      fc.constantFrom(999, 1_000, 1_001, 60_000, 86_400_000),
    ),
    cost: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(100, 400_000)),
  }),
  { minLength: 1, maxLength: 20 },
);

describe("takes", () => {
  redisTest(
    "are decided as the model decides them, several throttles in one step",
    async ({ redis, prefix }) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(someThrottle, { minLength: 1, maxLength: 3 }),
          someSteps,
          async (some, steps) => {
            run += 1;
            const { clock, store } = storeAt(redis, `${prefix}-${run}`);
            const models = withModels(some);
            for (const { waitMs, cost } of steps) {
              clock.nowMs += waitMs;
              const expected = decide(models, clock.nowMs, cost);
              const counted = await store.take({ cost, terms: models });
              expect(counted.map((it) => it.verdict)).toEqual(expected);
            }
          },
        ),
        { seed: 20_260_131, numRuns: 150 },
      );
    },
  );

  redisTest("made at the same time are decided one after the other", async ({ redis, prefix }) => {
    let run = 0;
    const someTakes = fc.array(
      fc.record({ cost: fc.integer({ min: 1, max: 6 }), left: fc.nat(), right: fc.nat() }),
      { minLength: 1, maxLength: 120 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(someThrottle, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 1_500 }), someTakes), { minLength: 1, maxLength: 3 }),
        async (some, turns) => {
          run += 1;
          const { clock, store } = storeAt(redis, `${prefix}-${run}`);
          const models = withModels(some);
          for (const [waitMs, takes] of turns) {
            clock.nowMs += waitMs;
            const met = takes.map(({ cost, left, right }) => {
              const numbers = [...new Set([left % some.length, right % some.length])];
              return { cost, models: numbers.flatMap((number) => models[number] ?? []) };
            });
            const answers = await Promise.all(
              met.map(({ cost, models: of }) => store.take({ cost, terms: of })),
            );
            const expected = met.map(({ cost, models: of }) => decide(of, clock.nowMs, cost));
            expect(answers.map((counted) => counted.map((it) => it.verdict))).toEqual(expected);
          }
        },
      ),
      { seed: 20_261_121, numRuns: 60 },
    );
  });

  redisTest(
    "by the terms of before and after a change, in one turn, each go by their own",
    async ({ redis, prefix }) => {
      const { take } = storeAt(redis, prefix);
      const before = aThrottle({ name: "t", algorithm: "fixed-window", limit: 2, windowMs: 60_000 });
      const counted = await Promise.all([
        take(before),
        take(before),
        take({ ...before, limit: 4 }),
        take({ ...before, limit: 4 }, 2),
        take(before),
      ]);
      expect(counted.map(({ verdict, first }) => [verdict, first])).toEqual([
        ["passes", 0],
        ["passes", 1],
        ["passes", 2],
        ["refused", 3],
        ["refused", 3],
      ]);
    },
  );

  redisTest(
    "are told what is left, when more is, and when they fit, to the millisecond",
    async ({ redis, prefix }) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(someThrottle, someSteps, async ({ throttle }, steps) => {
          run += 1;
          const { clock, take } = storeAt(redis, `${prefix}-${run}`);
          const counter = counterOf(throttle);
          const model = modelOf(throttle);
          for (const { waitMs, cost } of steps) {
            clock.nowMs += waitMs;
            const counted = await take(throttle, cost);
            expectExact(counter, counted, { model, nowMs: clock.nowMs, cost });
            if (counted.verdict === "passes") model.take(clock.nowMs, cost);
          }
        }),
        { seed: 20_260_201, numRuns: 150 },
      );
    },
  );

  redisTest("that are refused pass at the time told and not 1 ms earlier", async ({ redis, prefix }) => {
    const sweep = COUNTED.flatMap((algorithm) =>
      [1, 3, 7, 1_000].flatMap((limit) =>
        [0, 1, 400, 999].map((offsetMs) => ({ algorithm, limit, offsetMs })),
      ),
    );
    for (const [n, { algorithm, limit, offsetMs }] of sweep.entries()) {
      const { clock, take } = storeAt(redis, prefix);
      const throttle = aThrottle({ name: `s${n}`, algorithm, limit, windowMs: 3_000 });
      clock.nowMs += offsetMs;
      // Most of a large one at once; a leaky one refuses that and takes nothing.
      await take(throttle, Math.max(1, limit - 3));
      // Spread over two windows, so that a sliding one has something of the previous to weigh.
      const stepMs = algorithm === "sliding-window" && limit === 7 ? 390 : 0;
      const counted = await untilRefused(
        () => take(throttle),
        () => {
          clock.nowMs += stepMs;
        },
      );
      const inMs = waitMsOf(counterOf(throttle), counted, { cost: 1 });
      if (inMs === null) throw new Error("one job always fits at some time");
      clock.nowMs += inMs - 1;
      const early = await take(throttle);
      clock.nowMs += 1;
      expect([early.verdict, (await take(throttle)).verdict], JSON.stringify(throttle)).toEqual([
        "refused",
        "passes",
      ]);
    }
  });
});

/** What a count says of now and of later is what the model says. */
function expectExact(
  counter: Counter,
  counted: Counted,
  { model, nowMs, cost }: { readonly model: ModelCounter; readonly nowMs: number; readonly cost: number },
): void {
  const left = remainingOf(counter, counted);
  expect(left === 0 || model.fits(nowMs, left), "what is left fits").toBe(true);
  expect(model.fits(nowMs, left + 1), "and no more").toBe(false);
  for (const wanted of [cost, left + 1]) {
    const inMs = waitMsOf(counter, counted, { cost: wanted });
    if (inMs === null) expect(wanted).toBeGreaterThan(counter.burst);
    else {
      expect(model.fits(nowMs + inMs, wanted), "fits when told").toBe(true);
      expect(inMs === 0 || !model.fits(nowMs + inMs - 1, wanted), "not earlier").toBe(true);
    }
  }
}

/** The first count that refuses. */
async function untilRefused(take: () => Promise<Counted>, next: () => void): Promise<Counted> {
  for (let n = 0; n < 2_000; n += 1) {
    const counted = await take();
    if (counted.verdict === "refused") return counted;
    next();
  }
  throw new Error("nothing was refused");
}

/** All checks before the first take, as the answer promises. */
function decide(
  all: readonly { readonly throttle: Throttle; readonly excess: Excess; readonly model: ModelCounter }[],
  nowMs: number,
  cost: number,
): string[] {
  const verdicts = all.map(({ throttle, excess, model }) => {
    if (model.fits(nowMs, cost)) return "passes";
    if (excess === "degrade") return "degraded";
    const mayDelay = excess === "delay" && throttle.algorithm.endsWith("bucket");
    return mayDelay && model.fitsWithin(nowMs, cost, THROTTLE_DELAY_MS_MAX) ? "delayed" : "refused";
  });
  if (verdicts.includes("refused")) return verdicts;
  for (const [n, { model }] of all.entries()) if (verdicts[n] !== "degraded") model.take(nowMs, cost);
  return verdicts;
}

describe("a bucket that delays", () => {
  redisTest("reserves a time for each job, at the rate of the bucket", async ({ redis, prefix }) => {
    const { take } = storeAt(redis, prefix);
    // One each 250 ms, two at once.
    const throttle = aThrottle({ limit: 4, burst: 2 });
    const first = await take(throttle, 5, "delay");
    expect([first.verdict, delaysMsOf(counterOf(throttle), first, 5)]).toEqual([
      "delayed",
      [0, 0, 250, 500, 750],
    ]);
    const second = await take(throttle, 1, "delay");
    expect(delaysMsOf(counterOf(throttle), second, 1)).toEqual([1_000]);
  });

  redisTest(
    "refuses what would be more than an hour off, and takes it a moment later",
    async ({ redis, prefix }) => {
      const { clock, take } = storeAt(redis, prefix);
      // One a minute: the first at once and 60 within the hour.
      const throttle = aThrottle({ algorithm: "leaky-bucket", limit: 1, windowMs: 60_000 });
      expect((await take(throttle, 61, "delay")).verdict).toBe("delayed");
      const refused = await take(throttle, 1, "delay");
      const inMs = waitMsOf(counterOf(throttle), refused, { cost: 1, delayMaxMs: THROTTLE_DELAY_MS_MAX });
      expect([refused.verdict, inMs]).toEqual(["refused", 60_000]);
      clock.nowMs += 59_999;
      expect((await take(throttle, 1, "delay")).verdict).toBe("refused");
      clock.nowMs += 1;
      expect((await take(throttle, 1, "delay")).verdict).toBe("delayed");
    },
  );

  redisTest("at a raised rate owes the same jobs and works them off sooner", async ({ redis, prefix }) => {
    const { take } = storeAt(redis, prefix);
    const throttle = aThrottle({ limit: 1, windowMs: 60_000, burst: 1 });
    await take(throttle, 11, "delay");
    // 11 jobs are owed: 10 minutes off at one a minute, 10 seconds at one a second.
    const raised = { ...throttle, windowMs: 1_000 };
    expect(waitMsOf(counterOf(raised), await take(raised), { cost: 1 })).toBe(11_000);
  });
});

describe("a window", () => {
  redisTest(
    "of a fixed length lets twice its limit through at its edge, and a sliding one does not",
    async ({ redis, prefix }) => {
      const { clock, take } = storeAt(redis, prefix);
      const passesAt = async (atMs: number, algorithm: Throttle["algorithm"]) => {
        clock.nowMs = START_MS + atMs;
        const throttle = aThrottle({ name: algorithm, algorithm, limit: 10 });
        const counted = await Promise.all(Array.from({ length: 12 }, () => take(throttle)));
        return counted.filter((it) => it.verdict === "passes").length;
      };
      expect([await passesAt(999, "fixed-window"), await passesAt(1_000, "fixed-window")]).toEqual([10, 10]);
      expect([await passesAt(999, "sliding-window"), await passesAt(1_000, "sliding-window")]).toEqual([
        10, 0,
      ]);
    },
  );

  redisTest(
    "that slides never lets through more than its limit by its own weighing",
    async ({ redis, prefix }) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }), async (waits) => {
          run += 1;
          const { clock, take } = storeAt(redis, `${prefix}-${run}`);
          const throttle = aThrottle({ algorithm: "sliding-window", limit: 5 });
          const passedAtMs: number[] = [];
          for (const waitMs of waits) {
            clock.nowMs += waitMs;
            if ((await take(throttle)).verdict === "passes") passedAtMs.push(clock.nowMs);
          }
          // In any one window's length: at most the limit of the one it ends in, and of the one it begins in.
          for (const endMs of passedAtMs) {
            const within = passedAtMs.filter((it) => it > endMs - 1_000 && it <= endMs);
            expect(within.length).toBeLessThan(10);
            const aligned = passedAtMs.filter((it) => Math.floor(it / 1_000) === Math.floor(endMs / 1_000));
            expect(aligned.length).toBeLessThanOrEqual(5);
          }
        }),
        { seed: 7, numRuns: 30 },
      );
    },
  );

  redisTest(
    "whose length changes counts anew, and one whose limit changes does not",
    async ({ redis, prefix }) => {
      const { take } = storeAt(redis, prefix);
      const throttle = aThrottle({ algorithm: "fixed-window", limit: 2 });
      await take(throttle, 2);
      expect((await take({ ...throttle, limit: 3 }, 2)).verdict).toBe("refused");
      expect((await take({ ...throttle, windowMs: 2_000 }, 2)).verdict).toBe("passes");
    },
  );
});

describe("when Redis' clock goes back", () => {
  redisTest.for([...COUNTED])(
    "a %s lets no more through than before",
    async (algorithm, { redis, prefix }) => {
      const { clock, take } = storeAt(redis, prefix);
      const throttle = aThrottle({ algorithm, limit: 3 });
      while ((await take(throttle)).verdict === "passes");
      clock.nowMs -= 5_000;
      expect((await take(throttle)).verdict).toBe("refused");
      clock.nowMs += 7_000;
      expect((await take(throttle)).verdict).toBe("passes");
    },
  );
});
