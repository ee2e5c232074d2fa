/** 2,000 requests of the fuzzer against a real producer, Redis and worker; `npm run test:fuzz` sends more. */
import { expect, test } from "vitest";
import { runFuzz, shownDefects, shownTable } from "#test/fuzz/run-fuzz";
import { startTarget } from "#test/fuzz/start-target";

test("no request makes the API fail, or answer what its document does not say", {
  timeout: 120_000,
}, async () => {
  const target = await startTarget();
  try {
    const report = await runFuzz({ baseUrl: target.baseUrl, requests: 2_000, seed: 1, connections: 8 });
    expect(shownDefects(report)).toBe("");
    expect(report.sent).toBe(2_000);
    // It got past the first look-ups: jobs were taken, found again, followed and listed.
    const table = shownTable(report);
    expect(table).toMatch(/^POST \/v1\/jobs\n {2}valid +202×/m);
    expect(table).toMatch(/^GET \/v1\/jobs\/\{id\}\/result\n {2}valid +200×/m);
    expect(table).toMatch(/^GET \/v1\/jobs\/\{id\}\/events\n {2}valid +200×/m);
  } finally {
    await target.stop();
  }
});
