/** When a worker stops by itself. */
import { expect, test } from "vitest";
import { FakeClock } from "#test/support/fake-clock";
import { Watchdog } from "#worker/watchdog";

const BUSY = { backlog: new Map([["shop.r1", 3]]), trippedLanes: [], taking: true, freeSlots: 1 };

function watched() {
  const clock = new FakeClock();
  const orphaned = new AbortController();
  const ends: [number, string, number][] = [];
  const stop = new AbortController();
  const watchdog = new Watchdog({
    clock,
    orphaned: orphaned.signal,
    onEnd: (code, reason) => {
      ends.push([code, reason, clock.monotonicMs()]);
      stop.abort();
    },
  });
  return { clock, orphaned, ends, stop, watchdog, done: watchdog.run(stop.signal) };
}

test("a worker that could take and starts nothing for 30 s is stuck; one that starts something is not", async () => {
  const { clock, ends, watchdog, done } = watched();
  watchdog.seen(BUSY);
  await clock.advance(20_000);
  watchdog.started();
  await clock.advance(20_000);
  watchdog.seen(BUSY);
  expect(ends).toEqual([]);
  await clock.advance(60_000);
  // 30 s after the start at 20 s.
  expect(ends).toMatchObject([[75, "work is waiting and nothing starts", 50_000]]);
  await done;
});

test("a worker whose lanes are held, or that takes nothing, is never stuck", async () => {
  const { clock, ends, stop, watchdog, done } = watched();
  watchdog.seen({ ...BUSY, trippedLanes: ["shop.r1"] });
  await clock.advance(120_000);
  watchdog.seen({ ...BUSY, taking: false });
  await clock.advance(120_000);
  expect(ends).toEqual([]);
  stop.abort();
  await done;
});

test("a worker whose parent is gone stops a minute after it last heard of an autoscaler", async () => {
  const { clock, orphaned, ends, watchdog, done } = watched();
  await clock.advance(100_000);
  watchdog.autoscalerSeen();
  orphaned.abort();
  await clock.advance(120_000);
  // The first look after more than 60 s.
  expect(ends).toMatchObject([[0, "the parent process and every autoscaler are gone", 161_000]]);
  await done;
});
