/** Counts how the tests of a run ended, so that nothing that went wrong is left out of the count. */
import type { TestModule } from "vitest/node";

export interface OutcomeCounts {
  readonly passed: number;
  /** Tests that failed or never ended, and every error outside of a test, each as one. */
  readonly failed: number;
  readonly skipped: number;
}

/**
 * `failed` also counts a test file that does not load, a `beforeAll` or `afterAll` that throws, and an error that
 * nobody handled: with any of them the tests that did pass prove less than they say.
 */
export function countOutcomes(
  modules: readonly TestModule[],
  unhandledErrors: readonly unknown[],
): OutcomeCounts {
  const states = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => test.result().state),
  );
  const count = (state: (typeof states)[number]) => states.filter((it) => it === state).length;
  const errorsOutsideTests = modules
    .flatMap((module) => [module, ...module.children.allSuites()])
    .reduce((sum, suite) => sum + suite.errors().length, unhandledErrors.length);
  return {
    passed: count("passed"),
    failed: count("failed") + count("pending") + errorsOutsideTests,
    skipped: count("skipped"),
  };
}
