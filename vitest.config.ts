import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["node"] } },
  test: {
    include: ["test/{unit,integration,e2e,model}/**/*.test.ts"],
    globalSetup: ["test/support/redis-server.global.ts"],
    reporters: ["default", "./test/support/closing-line.reporter.ts"],
    // Two cores: more files at once only make the timeouts of the real-process tests tell lies.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
