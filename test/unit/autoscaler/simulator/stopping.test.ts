import { expect, test } from "vitest";
import { simulate } from "#autoscaler/simulator/simulate";
import { fleet, policy, simulation, workload } from "./simulation-builder.ts";

test("a worker that is ending its process takes no job, whatever it is told", () => {
  const outcome = simulate(
    simulation({
      // The second comes while the worker, told to stop between 6 s and 7 s, needs 3 s to end.
      workload: workload(
        [
          [1.5, 0.1],
          [8.5, 5],
        ],
        60,
      ),
      // One worker, none from 5 s to 7 s, then one again: it is told to go on when it has been told to stop.
      policy: policy(({ nowMs }) => (nowMs >= 5_000 && nowMs < 7_000 ? 0 : 1), { tickMs: 1_000 }),
      fleet: fleet({ startDelayMs: 100, stopDelayMs: 3_000, workersMax: 1 }),
    }),
  );
  expect([...outcome.settled]).toEqual([1, 1]);
  expect([...outcome.starts]).toEqual([1, 1]);
  // It ends between 9 s and 10 s; the next one is ready 100 ms after the look that follows.
  expect(outcome.pickupMs[1]).toBeGreaterThan(500);
});
