import fc from "fast-check";
import { expect, test } from "vitest";
import { CALL_CHARS_MAX } from "#shared/redis/admission";
import { callsOf, type JobMove, MOVE_JOBS_MAX } from "#shared/redis/move-jobs";

/** Moves that write so many characters of new data each, or none. */
function movesOf(sizes: readonly (number | null)[]): JobMove[] {
  return sizes.map((size, n) => ({
    jobId: `shop~${n}`,
    lease: null,
    dataSha1: null,
    dataText: size === null ? null : "x".repeat(size),
    record: null,
  }));
}

test("moves go in calls of at most 100 jobs and 1 MiB of new data, in order, and no more calls than needed", () => {
  const size = fc.oneof(
    { weight: 100, arbitrary: fc.constantFrom(null, 0, 1) },
    { weight: 1, arbitrary: fc.constantFrom(CALL_CHARS_MAX / 4, CALL_CHARS_MAX) },
  );
  fc.assert(
    fc.property(fc.array(size, { maxLength: 350, size: "max" }), (sizes) => {
      const moves = movesOf(sizes);
      const calls = callsOf(moves);
      expect(calls.flat()).toEqual(moves);
      const charsOf = (call: readonly JobMove[]) =>
        call.reduce((sum, it) => sum + (it.dataText?.length ?? 0), 0);
      for (const [at, call] of calls.entries()) {
        expect(call.length).toBeGreaterThan(0);
        expect(call.length).toBeLessThanOrEqual(MOVE_JOBS_MAX);
        expect(charsOf(call)).toBeLessThanOrEqual(CALL_CHARS_MAX);
        const next = calls[at + 1]?.slice(0, 1) ?? [];
        const wouldFit = call.length < MOVE_JOBS_MAX && charsOf(call) + charsOf(next) <= CALL_CHARS_MAX;
        expect(wouldFit && next.length > 0).toBe(false);
      }
    }),
    { numRuns: 30 },
  );
});

test("a job that is larger than a call may be goes alone", () => {
  const calls = callsOf(movesOf([1, CALL_CHARS_MAX + 1, 1]));
  expect(calls.map((call) => call.length)).toEqual([1, 1, 1]);
});
