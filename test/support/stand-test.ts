/** `test` with a rollout stand of its own, which is gone when the test is over. */
import { test as base } from "vitest";
import { RolloutStand, type StandOptions } from "./rollout-stand.ts";

export const standTest = base.extend<{ standOptions: StandOptions; stand: RolloutStand }>({
  standOptions: [{}, { injected: true }],
  stand: async ({ standOptions }, use) => {
    const stand = await RolloutStand.start(standOptions);
    try {
      await use(stand);
    } finally {
      await stand.stop();
    }
  },
});
