import { describe, expect, test } from "vitest";
import { renderPage } from "#autoscaler/control-api/page";
import { shownView } from "#autoscaler/control-api/rollout-answer";
import type { RolloutRecord } from "#autoscaler/rollout/decide-transition";
import type { Rollout } from "#autoscaler/rollout/rollout-document";
import { aPolicy, aRollout, aStage, START_MS } from "../rollout/rollout-builder.ts";
import { lookOf } from "./build-look.ts";

const HOSTILE = `"><script>alert('x')</script>`;
const DAY_MS = 86_400_000;

const record: RolloutRecord = {
  atMs: START_MS,
  rollout: "mail-12",
  revision: 2,
  from: "soaking",
  to: "soaking",
  code: "soaking",
  sentence: "540 s of the soak are left",
  wouldChange: "the end of the soak",
  by: "rollout",
  evaluations: [
    {
      gate: "failures",
      outcome: "pass",
      value: 0.004,
      limit: 0.015,
      sample: 1_212,
      othersSample: 9_000,
      sentence: "it fails 0.4 % of 1212, the others 0.5 % of 9000",
      wouldChange: "failures above 1.5 %",
    },
  ],
};

function pageOf(over: Partial<Rollout>, { last = record as RolloutRecord | null, afterMs = 60_000 } = {}) {
  const view = { rollout: aRollout(over), policy: aPolicy(), lastRecord: last, observation: null };
  const rollouts = [shownView(view, START_MS + afterMs)];
  return renderPage(lookOf({ rollouts }), { refreshes: false, open: false });
}

const soaking = { state: "soaking" as const, stage: aStage({ step: 1 }) };

describe("the page's rollouts", () => {
  test("tell step, share, time left, gates with sample sizes, and what would change it", () => {
    const page = pageOf(soaking);
    expect(page).toContain("mail: mail-1 → mail-2");
    expect(page).toContain("soaking, 25 % of slots, since 1 min ago");
    expect(page).toContain("soak: 9 min left");
    expect(page).toContain("(1,212 jobs, others 9,000)");
    expect(page).toContain("would change it: the end of the soak");
  });

  test("name the suspects of a halt, and workers that are quarantined", () => {
    const suspects = [{ kind: "tenant" as const, name: "acme", rate: 0.5, restRate: 0.011, finished: 40 }];
    const halt = { atMs: START_MS, gate: "failures", why: "it fails", suspects };
    const quarantined = [{ worker: "w9", release: "mail-2", atMs: START_MS, step: 0, why: "it stalls" }];
    const page = pageOf({ ...soaking, state: "halted", halt, quarantined });
    expect(page).toContain("tenant acme <small>fails 50 %, the rest 1.1 %");
    expect(page).toContain("worker w9 <small>it stalls");
  });

  test("say who bypasses what", () => {
    const bypass = { kind: "force" as const, by: "ada", why: "incident", atMs: 0, expiresAtMs: START_MS };
    expect(pageOf({ ...soaking, bypass })).toContain("by ada: incident");
  });

  test("say of facts that are missing that nothing goes on", () => {
    const unknown = { ...soaking, state: "unknown" as const, knownState: "soaking" as const };
    expect(pageOf({ ...unknown, missingSinceMs: START_MS })).toContain("not known: held as it is");
    expect(pageOf(soaking, { last: null })).toContain("not looked at yet");
  });

  test("are shown for a day after they are over, and no longer", () => {
    expect(pageOf({ state: "retired" }, { afterMs: DAY_MS - 1 })).toContain("mail-1 → mail-2");
    expect(pageOf({ state: "retired" }, { afterMs: DAY_MS + 1 })).toContain("No release takes a pool over.");
  });

  test("show hostile text as text", () => {
    const halt = {
      atMs: 0,
      gate: HOSTILE,
      why: HOSTILE,
      suspects: [{ kind: "type" as const, name: HOSTILE, rate: 1, restRate: 0, finished: 1 }],
    };
    const hostile = { pool: HOSTILE, id: HOSTILE, from: HOSTILE, to: HOSTILE, halt };
    const bypass = { kind: "force" as const, by: HOSTILE, why: HOSTILE, atMs: 0, expiresAtMs: null };
    const last = { ...record, sentence: HOSTILE, wouldChange: HOSTILE };
    const page = pageOf({ ...soaking, ...hostile, bypass }, { last });
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;alert(&#39;x&#39;)");
  });
});
