import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** `npm run test:load`: minutes and not seconds, one file at a time. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({ test: { include: ["test/load/**/*.test.ts"], maxWorkers: 1, testTimeout: 900_000 } }),
);
