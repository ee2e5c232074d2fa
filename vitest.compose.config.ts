import { defineConfig } from "vitest/config";

/** `npm run test:compose`: a Docker engine of its own, images built in the run; needs root, and minutes. */
export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["node"] } },
  test: {
    include: ["test/compose/**/*.test.ts"],
    reporters: ["verbose", "./test/support/closing-line.reporter.ts"],
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 1_200_000,
  },
});
