/** What a rollout's orders come to beside shares, for one order at a time. No Redis. */
import { describe, expect, test } from "vitest";
import { type ActsInput, RolloutActs } from "#autoscaler/releases/rollout-acts";
import type { WorkerView } from "#autoscaler/snapshot";
import type { StandingOrder } from "#shared/redis/fleet-store";
import { snapshotOf, workerView } from "../control-api/build-look.ts";

async function quarantined(state: WorkerView["state"]): Promise<readonly StandingOrder[]> {
  const given: StandingOrder[] = [];
  const acts = new RolloutActs({
    fleet: {
      order: async (_worker: string, order: StandingOrder) => {
        given.push(order);
      },
    },
    log: { info: () => undefined, warn: () => undefined },
  } as unknown as ConstructorParameters<typeof RolloutActs>[0]);
  const snapshot = snapshotOf({ workers: [workerView({ worker: "w-1", state })] });
  const input = {
    rollout: { id: "r-1" },
    observation: { snapshot },
    term: { epoch: 3, require: () => undefined },
  };
  await acts.carryOut([{ kind: "quarantine", worker: "w-1" }], input as unknown as ActsInput);
  return given;
}

describe("a worker that is to be quarantined", () => {
  test("is told so while it takes jobs, or is not heard of", async () => {
    for (const state of ["starting", "ok", "suspect"] as const) {
      expect(await quarantined(state)).toEqual([{ epoch: 3, order: "quarantine" }]);
    }
  });

  test("is not told once it is, is dead, or drains: a person's order to drain would be undone each round", async () => {
    for (const state of ["quarantined", "dead", "draining"] as const) {
      expect(await quarantined(state)).toEqual([]);
    }
  });
});
