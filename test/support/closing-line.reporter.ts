/**
 * Ends the run with `N passed, N failed, N skipped` on a line of its own.
 *
 * `.ci/run` names a file in SLUICE_CLOSING_LINE_FILE to get the same line of each of its runs, apart from all else
 * that they print.
 */
import { appendFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule, Vitest } from "vitest/node";
import { countOutcomes } from "./count-outcomes.ts";

export default class ClosingLineReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const { passed, failed, skipped } = countOutcomes(modules, unhandledErrors);
    const line = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    // Vitest's own logger: the live display of the default reporter swallows what is written past it.
    this.#vitest?.logger.log(line);
    const file = process.env.SLUICE_CLOSING_LINE_FILE;
    if (file) appendFileSync(file, `${line}\n`);
  }
}
