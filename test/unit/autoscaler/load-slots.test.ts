/** `LoadEstimates.loadSlots`: what a gate may be raised on. */
import { describe, expect, test } from "vitest";
import { type CounterReading, LoadEstimates } from "#autoscaler/scaling/load-estimates";

interface Counted {
  /** Jobs accepted by then, by counter name. */
  readonly arrived?: Readonly<Record<string, number>>;
  /** Jobs finished by then, by type, and how long they kept a slot each. */
  readonly finished?: Readonly<Record<string, readonly [jobs: number, eachMs: number]>>;
}

function reading(atSec: number, { arrived = {}, finished = {} }: Counted = {}): CounterReading {
  const service = Object.entries(finished).flatMap(([type, [jobs, eachMs]]): [string, number][] => [
    [`${type}|finished`, jobs],
    [`${type}|busyms`, jobs * eachMs],
  ]);
  return {
    readAtMs: atSec * 1_000,
    arrivals: new Map(Object.entries(arrived)),
    service: new Map(service),
  };
}

function loadAfter(...readings: readonly CounterReading[]): number | null {
  const estimates = new LoadEstimates();
  for (const it of readings) estimates.read("shop", it);
  return estimates.loadSlots("shop", "a.b");
}

const service = { finished: { "a.b": [100, 200] } } as const;

describe("the load of a type in slots", () => {
  test("is arrivals a second times seconds a slot", () => {
    // 20 in 10 s are two a second; each keeps a slot for 0.2 s: 0.4 slots.
    expect(loadAfter(reading(0), reading(10, { arrived: { "a.b|r1": 20 }, ...service }))).toBeCloseTo(0.4, 9);
  });

  test("counts all lanes of the type together, and no other type", () => {
    const arrived = { "a.b|r1": 20, "a.b|r12": 10, "a.bc|r1": 500, "x.a.b|r1": 500 };
    // Three a second.
    expect(loadAfter(reading(0), reading(10, { arrived, ...service }))).toBeCloseTo(0.6, 9);
  });

  test("is the queue's own", () => {
    const estimates = new LoadEstimates();
    estimates.read("shop", reading(0));
    estimates.read("shop", reading(10, { arrived: { "a.b|r1": 20 }, ...service }));
    expect(estimates.loadSlots("mail", "a.b")).toBeNull();
  });

  test.each<[string, readonly CounterReading[]]>([
    ["before anything was read", []],
    ["after one reading, which has no time to it", [reading(0, { arrived: { "a.b|r1": 20 }, ...service })]],
    ["after two readings of the same moment", [reading(5), reading(5)]],
    [
      "before a tick's time was followed",
      [reading(0), reading(4.9, { arrived: { "a.b|r1": 20 }, ...service })],
    ],
    ["while jobs arrive and none has finished", [reading(0), reading(10, { arrived: { "a.b|r1": 1 } })]],
    [
      "while only jobs of other types have finished",
      [reading(0), reading(10, { arrived: { "a.b|r1": 1 }, finished: { "c.d": [9, 1] } })],
    ],
  ])("is not known %s", (_when, readings) => {
    expect(loadAfter(...readings)).toBeNull();
  });

  test.each<[string, readonly CounterReading[]]>([
    ["nothing has ever arrived", [reading(0), reading(10)]],
    [
      "nothing has arrived since the first reading",
      [
        reading(0, { arrived: { "a.b|r1": 20 }, ...service }),
        reading(10, { arrived: { "a.b|r1": 20 }, ...service }),
      ],
    ],
  ])("is nothing when %s", (_when, readings) => {
    expect(loadAfter(...readings)).toBe(0);
  });

  test("takes what had finished before the first reading for how long a job takes", () => {
    const readings = [reading(0, service), reading(10, { arrived: { "a.b|r1": 20 }, ...service })];
    expect(loadAfter(...readings)).toBeCloseTo(0.4, 9);
  });

  test("keeps what it knew when the counters went backwards, as they do when Redis is restored", () => {
    const before = [reading(0), reading(10, { arrived: { "a.b|r1": 20 }, ...service })];
    const restored = reading(20, { arrived: { "a.b|r1": 5 } });
    expect(loadAfter(...before, restored)).toBeCloseTo(0.4, 9);
  });

  test("fades once nothing arrives any more, and is none below a twentieth of a slot", () => {
    const faded = (jobs: number) => {
      const arrived = { "a.b|r1": jobs };
      return loadAfter(
        ...[0, 10, 130].map((atSec) => reading(atSec, atSec === 0 ? {} : { arrived, ...service })),
      );
    };
    // Evidence of 10 s at 4 slots and of 120 s at none; the window is 120 s:
    // 4 (1-e^(-10/120)) e^-1 / (1-e^(-130/120)) = 4 x 0.07996 x 0.36788 / 0.66149 = 0.1779.
    expect(faded(200)).toBeCloseTo(0.1779, 3);
    // A tenth of that is 0.0178.
    expect(faded(20)).toBe(0);
  });
});
