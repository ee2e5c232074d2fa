/** What people may skip, and what nobody can. */
import { describe, expect } from "vitest";
import { requestJson } from "#cli/http-client";
import { standTest } from "#test/support/stand-test";

describe("promote --full", () => {
  standTest.override({
    standOptions: { ratePerSecond: 100, rollout: { soakMs: 600_000, emissionSoakMs: 600_000 } },
  });

  standTest("skips the soaks, and neither the contract check nor any drain", async ({ stand }) => {
    const id = await stand.begin("demo-v2");
    await stand.director.until("its first soak", ({ rollout }) => rollout.stage?.phase === "soaking", 90_000);
    await stand.director.act("promote-full", { why: "it cannot wait" });
    const { view, records } = await stand.untilOver(id);
    const { count } = await stand.load.close();
    expect(view.progress.verdict).toBe("finished");
    const codes = records.map((it) => it.code);
    // Ten minutes of soak were not waited for, and each share that was opened was drained before anything else.
    expect(codes.filter((it) => it === "started").length).toBeGreaterThanOrEqual(2);
    expect(codes.filter((it) => it === "drained").length).toBeGreaterThanOrEqual(
      codes.filter((it) => it === "started").length,
    );
    // The contract check is what leads from the one to the other.
    expect(codes.slice(0, 2)).toEqual(["start", "verify"]);
    expect(count).toMatchObject({ succeeded: count.accepted, lost: 0, burnt: 0, stalls: 0 });
  });

  standTest("is nothing that a jump over a breaking version can be asked for", async ({ stand }) => {
    await expect(stand.begin("demo-v3")).rejects.toMatchObject({ failure: { code: "ROLLOUT_BLOCKED" } });
    await expect(stand.director.act("promote-full", { why: "it cannot wait" })).rejects.toMatchObject({
      failure: { code: "ROLLOUT_NOT_FOUND" },
    });
  });

  standTest("and force leave who, why and an end in the audit", async ({ stand }) => {
    await stand.begin("demo-v2");
    await stand.director.until("its first step", ({ rollout }) => rollout.state === "soaking", 90_000);
    await stand.director.act("force", { why: "the shop is down", expiresInMs: 600_000 });
    const baseUrl = stand.platform.controlUrl;
    const audit = (await requestJson({ method: "GET", baseUrl, path: "/v1/audit" })) as {
      entries?: readonly Record<string, unknown>[];
    };
    expect(JSON.stringify(audit)).toContain("rollout.force");
    const entry = (audit.entries ?? Object.values(audit).flat()).find(
      (it) => (it as { action?: string }).action === "rollout.force",
    );
    expect(entry).toMatchObject({
      why: "the shop is down",
      outcome: "done",
      after: { by: "demo", expiresAt: expect.stringMatching(/^\d{4}-/) },
    });
  });
});
