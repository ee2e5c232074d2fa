import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeClock, settled } from "#test/support/fake-clock";

describe("FakeClock", () => {
  test("stands still until it is advanced", async () => {
    const clock = new FakeClock(1_000);
    await settled();
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000, 0]);
    await clock.advance(250);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_250, 250]);
  });

  test("runs what falls due in the order it falls due, each at its own moment", async () => {
    const clock = new FakeClock();
    const seen: [string, number][] = [];
    for (const [name, afterMs] of [
      ["third", 30],
      ["first", 10],
      ["second", 20],
      ["later", 31],
    ] as const) {
      clock.after(afterMs, () => seen.push([name, clock.monotonicMs()]));
    }
    await clock.advance(30);
    expect(seen).toEqual([
      ["first", 10],
      ["second", 20],
      ["third", 30],
    ]);
    expect(clock.waiting).toBe(1);
  });

  test("runs what falls due together in the order it was asked for", async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(5, () => seen.push("a"));
    clock.after(5, () => seen.push("b"));
    await clock.advance(5);
    expect(seen).toEqual(["a", "b"]);
  });

  test("lets woken code sleep again inside the time that passes", async () => {
    const clock = new FakeClock();
    const ticksMs: number[] = [];
    const ticking = (async () => {
      while (ticksMs.length < 3) {
        await clock.sleep(100);
        ticksMs.push(clock.monotonicMs());
      }
    })();
    await clock.advance(1_000);
    await ticking;
    expect(ticksMs).toEqual([100, 200, 300]);
  });

  test("wakes a sleeper of no time only when it is advanced", async () => {
    const clock = new FakeClock();
    let woken = false;
    const sleeping = clock.sleep(0).then(() => {
      woken = true;
    });
    await settled();
    expect(woken).toBe(false);
    await clock.advance(0);
    await sleeping;
    expect(woken).toBe(true);
  });

  test("ends a sleep when its signal aborts, and keeps nothing of it", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const sleeping = clock.sleep(1_000, stop.signal);
    stop.abort();
    expect(await sleeping).toBe("aborted");
    expect(await clock.sleep(1_000, stop.signal)).toBe("aborted");
    expect(clock.waiting).toBe(0);
  });

  test("says that a sleep elapsed although its signal aborts afterwards", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const sleeping = clock.sleep(10, stop.signal);
    await clock.advance(10);
    stop.abort();
    expect(await sleeping).toBe("elapsed");
  });

  test("calls back once, and never after being cancelled", async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(10, () => seen.push("kept"));
    const cancel = clock.after(10, () => seen.push("cancelled"));
    cancel();
    cancel();
    await clock.advance(100);
    await clock.advance(100);
    expect(seen).toEqual(["kept"]);
  });

  test("steps the wall clock without touching lengths of time", () => {
    const clock = new FakeClock(10_000);
    clock.stepWall(-4_000);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([6_000, 0]);
  });

  test("refuses a length of time that is none", () => {
    expect(() => new FakeClock().after(-1, () => undefined)).toThrow(RangeError);
    expect(() => new FakeClock().after(Number.NaN, () => undefined)).toThrow(RangeError);
  });

  test("advancing in pieces does the same as advancing at once", async () => {
    const run = async (lengthsMs: readonly number[], piecesMs: readonly number[]) => {
      const clock = new FakeClock();
      const seen: number[] = [];
      lengthsMs.forEach((ms, index) => {
        clock.after(ms, () => seen.push(index));
      });
      for (const ms of piecesMs) await clock.advance(ms);
      return seen;
    };
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(50)),
        fc.array(fc.nat(30), { minLength: 1 }),
        async (lengths, pieces) => {
          expect(await run(lengths, pieces)).toEqual(await run(lengths, [sum(pieces)]));
        },
      ),
      { numRuns: 50 },
    );
  });
});
