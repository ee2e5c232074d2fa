import { defineConfig } from "vitest/config";

const source = {
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["node"] } },
};

/** What every suite has, the long one included. */
export const base = {
  ...source,
  test: {
    globalSetup: ["test/support/redis-server.global.ts"],
    reporters: ["default", "./test/support/closing-line.reporter.ts"],
    // Two cores: more files at once only make the timeouts of the real-process tests tell lies.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
};

/** One after the other: beside tests that keep a core busy, real processes miss their deadlines. */
const groups = [
  { name: "parts", include: ["test/{unit,integration,model}/**/*.test.ts"] },
  { name: "processes", include: ["test/e2e/**/*.test.ts"] },
];

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    projects: groups.map(({ name, include }, groupOrder) => ({
      extends: true as const,
      test: { name, include, sequence: { groupOrder } },
    })),
  },
});
