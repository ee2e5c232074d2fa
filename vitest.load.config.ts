import { defineConfig } from "vitest/config";
import { base } from "./vitest.config.ts";

/** `npm run test:load`: minutes and not seconds, one file at a time. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ["test/load/**/*.test.ts"], maxWorkers: 1, testTimeout: 900_000 },
});
