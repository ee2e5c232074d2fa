import fc from "fast-check";
import { type Item, type List, parseList } from "structured-headers";
import { describe, expect, test } from "vitest";
import { problemFor } from "#producer/problems";
import { ThrottledError } from "#shared/errors";
import { rateLimitHeaders, retryAfterSecondsOf } from "#shared/http/rate-limit-fields";
import type { Quota } from "#shared/throttle/quota";

function aQuota(changes: Partial<Quota> = {}): Quota {
  return {
    name: "free",
    unit: "jobs",
    quota: 100,
    windowMs: 60_000,
    partition: null,
    remaining: 40,
    resetMs: 600,
    violated: false,
    ...changes,
  };
}

/** Names with their parameters, as a client's parser reads them. */
function read(list: string | undefined): Record<string, Record<string, unknown>> {
  const items = parseList(list ?? "") as List;
  return Object.fromEntries(
    (items as Item[]).map(([name, parameters]) => [String(name), Object.fromEntries(parameters)]),
  );
}

describe("RateLimit and RateLimit-Policy", () => {
  test("are left out where no throttle applied", () => {
    expect(rateLimitHeaders([])).toEqual({});
  });

  test("are lists of strings with the parameters of the draft", () => {
    expect(
      rateLimitHeaders([aQuota(), aQuota({ name: "daily", quota: 5_000, windowMs: 86_400_000, resetMs: 0 })]),
    ).toEqual({
      "ratelimit-policy": '"free";q=100;w=60, "daily";q=5000;w=86400',
      // 600 ms are rounded up: a client never comes too early.
      ratelimit: '"free";r=40;t=1, "daily";r=40',
    });
  });

  test("of a cap say that requests at once are counted, and no window", () => {
    const cap = aQuota({ name: "cap", unit: "concurrent-requests", windowMs: null, resetMs: 0 });
    expect(rateLimitHeaders([cap])["ratelimit-policy"]).toBe('"cap";q=100;qu="concurrent-requests"');
  });

  test("tell partitions apart without telling the tenant's name", () => {
    const policyOf = (partition: string) =>
      rateLimitHeaders([aQuota({ partition })])["ratelimit-policy"] ?? "";
    const acme = policyOf("tenant:acme");
    // 8 bytes are 12 characters of base64.
    expect(acme).toMatch(/^"free";q=100;w=60;pk=:[A-Za-z0-9+/]{11}=:$/);
    expect(acme).not.toContain("acme");
    expect([policyOf("tenant:acme") === acme, policyOf("key:acme") === acme]).toEqual([true, false]);
  });

  test("of a refusal tell the limits that refused alone, and of one that was not asked the policy alone", () => {
    const headers = rateLimitHeaders([
      aQuota({ resetMs: 90_000 }),
      aQuota({ name: "burst", violated: true, remaining: 0 }),
      aQuota({ name: "unasked", remaining: null }),
    ]);
    expect(Object.keys(read(headers["ratelimit-policy"]))).toEqual(["free", "burst", "unasked"]);
    expect(read(headers.ratelimit)).toEqual({ burst: { r: 0, t: 1 } });
    expect(rateLimitHeaders([aQuota({ remaining: null })]).ratelimit).toBeUndefined();
  });
});

describe("the refusal of a throttle", () => {
  const fields = [aQuota({ violated: true, remaining: 0, resetMs: 1_500 })];

  test("is a problem with the exact and the whole-second wait, and the policies' names", () => {
    const error = new ThrottledError({ retryAfterMs: 1_500, violated: ["free"], costMax: null, fields });
    expect(problemFor(error)).toEqual({
      type: "urn:sluice:problem:throttled",
      title: "Too many jobs",
      status: 429,
      code: "THROTTLED",
      detail: "Over the limit of free; try again in 1500 ms.",
      outcome: "not_enqueued",
      retryAfterSeconds: 2,
      retryAfterMs: 1_500,
      "violated-policies": ["free"],
    });
  });

  test("says how many jobs fit where more never do", () => {
    const error = new ThrottledError({ retryAfterMs: 0, violated: ["free"], costMax: 10, fields });
    expect(problemFor(error)).toMatchObject({
      costMax: 10,
      retryAfterSeconds: 1,
      detail: expect.stringContaining("At most 10 jobs fit in one request"),
    });
  });

  test("never asks a client back before a limit that it tells is free again", () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(10_000_000), (retryAfterMs, earlier) => {
        const resetMs = Math.min(earlier, retryAfterMs);
        const headers = rateLimitHeaders([aQuota({ violated: true, resetMs })]);
        const seconds = Number(read(headers.ratelimit).free?.t ?? 0);
        expect(retryAfterSecondsOf(retryAfterMs)).toBeGreaterThanOrEqual(Math.max(1, seconds));
        expect(retryAfterSecondsOf(retryAfterMs) * 1_000).toBeGreaterThanOrEqual(retryAfterMs);
      }),
    );
  });
});
