/** The fuzzer can fail: it finds each kind of defect in a small API, and none where there is none. */
import { describe, expect, test } from "vitest";
import { runFuzz, shownDefects, shownTable } from "#test/fuzz/run-fuzz";
import { type Fault, smallApi } from "./small-api.ts";

async function fuzz(fault: Fault | null, more: { readonly trueCodes?: readonly string[] } = {}) {
  return runFuzz({ baseUrl: await smallApi(fault), requests: 600, seed: 1, connections: 4, ...more });
}

describe("a run of the fuzzer", () => {
  test("finds nothing in an API that does as it says", async () => {
    const report = await fuzz(null);
    expect(shownDefects(report)).toBe("");
    expect(report.sent).toBe(600);
    const table = shownTable(report);
    // What is right is taken, what is wrong is refused, what is there is found again.
    expect(table).toMatch(/^POST \/notes\n {2}valid +201×\d+$/m);
    expect(table).toMatch(/missing +.*422×/);
    expect(table).toMatch(/GET \/notes\/\{id\}\n {2}valid +200×\d+/);
  });

  test.each([
    ["fails", "server-error"],
    ["undocumented-status", "undocumented-status"],
    ["undocumented-type", "undocumented-type"],
    ["extra-field", "wrong-body"],
    ["takes-anything", "accepted-invalid"],
    ["no-outcome", "wrong-body"],
    ["no-retry-after", "no-retry-after"],
    ["hangs-up", "no-answer"],
  ] as const)("finds an API that %s, and shows it by a small request", async (fault, kind) => {
    const report = await fuzz(fault, { trueCodes: ["BUSY"] });
    const found = [...report.defects.values()].filter((it) => it.kind === kind);
    expect(found.length, shownDefects(report)).toBeGreaterThan(0);
    expect(new Set([...report.defects.values()].map((it) => it.kind))).toEqual(new Set([kind]));
    expect(found[0]?.request.headers.length).toBeLessThanOrEqual(2);
  });

  test("takes a 5xx for a defect unless it is said to be true", async () => {
    expect([...(await fuzz("no-retry-after")).defects.values()].map((it) => it.kind)).toContain(
      "server-error",
    );
  });
});
