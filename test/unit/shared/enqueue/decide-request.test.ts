import { describe, expect, test } from "vitest";
import { decideRequest, type RequestBounds } from "#shared/enqueue/decide-request";
import { withinBounds } from "#shared/enqueue/within-bounds";

const policy = { attempts: 5, timeoutMs: 60_000 };
const NOW = Date.UTC(2026, 0, 31, 12);
const DAY_MS = 86_400_000;
const nothing: RequestBounds = { dueMs: null, expiresMs: null };

function found(asked: Partial<RequestBounds>): string[] {
  return decideRequest({ ...nothing, ...asked }, policy, NOW).issues.map((it) => `${it.pointer} ${it.rule}`);
}

describe("a request", () => {
  test.each<[string, Partial<RequestBounds>, string[]]>([
    ["that asks for nothing", {}, []],
    ["for as many attempts as the policy has", { attempts: 5 }, []],
    ["for one more", { attempts: 6 }, ["/attempts policy"]],
    ["for as long a run as the policy allows", { timeoutms: 60_000 }, []],
    ["for a millisecond more", { timeoutms: 60_001 }, ["/timeoutms policy"]],
    ["30 days ahead", { dueMs: NOW + 30 * DAY_MS }, []],
    ["a millisecond further", { dueMs: NOW + 30 * DAY_MS + 1 }, ["/scheduledtime too-far"]],
    ["that was due long ago", { dueMs: NOW - 900 * DAY_MS }, []],
    ["that ends in a millisecond", { expiresMs: NOW + 1 }, []],
    ["that ends now", { expiresMs: NOW }, ["/expirytime past"]],
    ["that ends right after it is due", { dueMs: NOW + 5, expiresMs: NOW + 6 }, []],
    [
      "that ends when it is due",
      { dueMs: NOW + 5, expiresMs: NOW + 5 },
      ["/expirytime before-scheduledtime"],
    ],
    [
      "with everything wrong",
      { attempts: 9, timeoutms: 90_000, dueMs: NOW + 31 * DAY_MS, expiresMs: NOW - 1 },
      ["/attempts policy", "/timeoutms policy", "/scheduledtime too-far", "/expirytime past"],
    ],
  ])("%s has the issues it should", (_what, asked, issues) => {
    expect(found(asked)).toEqual(issues);
  });

  test("waits until it is due, and not at all when that is past", () => {
    const delayOf = (dueMs: number | null) => decideRequest({ ...nothing, dueMs }, policy, NOW).delayMs;
    expect([null, NOW - 1, NOW, NOW + 1_500].map(delayOf)).toEqual([0, 0, 0, 1_500]);
  });

  test("has its times read as they are written, in any zone", () => {
    const times = { scheduledtime: "2026-01-31T13:30:00+01:00", expirytime: "2026-01-31T12:29:59.999Z" };
    const decision = withinBounds(times, policy, NOW);
    expect(decision.delayMs).toBe(30 * 60_000);
    expect(decision.issues).toEqual([
      {
        pointer: "/expirytime",
        rule: "before-scheduledtime",
        message: expect.stringContaining("never be run"),
      },
    ]);
    expect(withinBounds({}, policy, NOW)).toEqual({ issues: [], delayMs: 0 });
    expect(withinBounds({ attempts: 6 }, policy, NOW).issues).toHaveLength(1);
  });
});
