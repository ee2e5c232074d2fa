/** How long workers take to come up, by whom started. */
import { expect, test } from "vitest";
import type { Observation } from "#autoscaler/observe";
import { StartDelays } from "#autoscaler/start-delays";
import { FakeClock } from "#test/support/fake-clock";

/** A look that has heard of these workers, by a Redis that is an hour ahead of us. */
function lookAt(clock: FakeClock, workers: readonly Record<string, unknown>[]): Observation {
  const redisNowMs = clock.nowMs() + 3_600_000;
  const heard = workers.map(({ startupMs, ...it }) => ({ facts: { startupMs }, ...it }));
  return { heard, redisNowMs } as unknown as Observation;
}

test("a worker of the executor's is measured from its spawn, whatever the clocks say", () => {
  const clock = new FakeClock();
  const delays = new StartDelays(clock);
  const spawned = { workerId: "w-1", release: "v1", queue: "q", startedAtMs: clock.nowMs(), pid: 1 };
  const registeredAtMs = clock.nowMs() + 3_600_000 + 1_500;
  delays.see(lookAt(clock, [{ workerId: "w-1", registeredAtMs, startupMs: 900 }]), [spawned]);
  expect(delays.estimate).toEqual({ startDelayMs: 1_500, measured: true });
});

test("a worker that somebody else has started is measured by its own word, once", () => {
  const clock = new FakeClock();
  const delays = new StartDelays(clock);
  const worker = { workerId: "w-1", registeredAtMs: 5, startupMs: 4_000 };
  delays.see(lookAt(clock, [worker]), []);
  delays.see(lookAt(clock, [worker, { workerId: "w-2", registeredAtMs: 6 }]), []);
  expect(delays.estimate).toEqual({ startDelayMs: 4_000, measured: true });
  // 4,000 x 0.7 + 8,000 x 0.3: the same id has registered anew.
  delays.see(lookAt(clock, [{ workerId: "w-1", registeredAtMs: 7, startupMs: 8_000 }]), []);
  expect(delays.estimate.startDelayMs).toBe(5_200);
});

test("nothing is measured of a worker that says nothing of it", () => {
  const clock = new FakeClock();
  const delays = new StartDelays(clock);
  delays.see(lookAt(clock, [{ workerId: "w-1", registeredAtMs: 5 }]), []);
  expect(delays.estimate.measured).toBe(false);
});
