import { describe, expect, test, vi } from "vitest";
import type { Throttle } from "#shared/limits/limits-document";
import type { ThrottleStore } from "#shared/redis/throttle-store";
import type { Counted } from "#shared/throttle/counted";
import { type ThrottleRequest, Throttler } from "#shared/throttle/throttler";
import { aThrottle } from "../limits/limits-builder.ts";

const PASSES: Counted = { verdict: "passes", first: 0, previous: 0, elapsedMs: 0 };

/** A throttler whose store answers the same to every throttle. */
function throttlerOf(throttles: readonly Throttle[], counted: Counted | Error = PASSES) {
  const take = vi.fn<ThrottleStore["take"]>(async ({ terms }) => {
    if (counted instanceof Error) throw counted;
    return terms.map(() => counted);
  });
  const limits = { queues: {}, throttles, nextExpiryMs: null, states: [] };
  return { take, throttler: new Throttler({ store: { take }, limits: () => limits }) };
}

function request(changes: Partial<ThrottleRequest> = {}): ThrottleRequest {
  return { tenant: "acme", keyId: null, type: "receipt.render", cost: 1, excess: "reject", ...changes };
}

const cap = aThrottle({ name: "cap", algorithm: "concurrency", limit: 2 });

describe("a request that no throttle applies to", () => {
  test("asks Redis nothing", async () => {
    const { throttler, take } = throttlerOf([
      aThrottle({ value: "other" }),
      aThrottle({ name: "k", per: "key" }),
    ]);
    expect(await throttler.take(request())).toMatchObject({ kind: "pass", fields: [] });
    expect(throttler.costMax(request())).toBe(Number.POSITIVE_INFINITY);
    expect(take).not.toHaveBeenCalled();
  });
});

describe("a concurrency cap", () => {
  test("lets in as many requests at once, and the next when one has ended", async () => {
    const { throttler, take } = throttlerOf([cap]);
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => throttler.take(request())));
    expect([first?.kind, second?.kind]).toEqual(["pass", "pass"]);
    expect(third).toMatchObject({ kind: "reject", violated: ["cap"], retryAfterMs: 1_000, costMax: null });
    if (first?.kind !== "pass") throw new Error("the first passes");
    first.release();
    first.release();
    expect((await throttler.take(request())).kind).toBe("pass");
    // Released twice, freed once.
    expect((await throttler.take(request())).kind).toBe("reject");
    expect(take).not.toHaveBeenCalled();
  });

  test("counts requests and not jobs, each tenant by itself", async () => {
    const { throttler } = throttlerOf([{ ...cap, limit: 1 }]);
    const kinds = [];
    for (const tenant of ["a", "b", "a"])
      kinds.push((await throttler.take(request({ tenant, cost: 50 }))).kind);
    expect(kinds).toEqual(["pass", "pass", "reject"]);
  });

  test("of several that one refuses holds none", async () => {
    const { throttler } = throttlerOf([
      { ...cap, name: "wide" },
      { ...cap, name: "one", per: "type", limit: 1 },
    ]);
    const first = await throttler.take(request());
    expect((await throttler.take(request())).kind).toBe("reject");
    expect((await throttler.take(request({ type: "csv.summarise" }))).kind).toBe("pass");
    if (first.kind === "pass") first.release();
    expect((await throttler.take(request())).kind).toBe("pass");
  });

  test("is not held by a request that a counted throttle refuses, or that Redis did not answer", async () => {
    for (const outcome of [{ ...PASSES, verdict: "refused" as const }, new Error("away")]) {
      const { throttler } = throttlerOf([{ ...cap, limit: 1 }, aThrottle()], outcome);
      for (let n = 0; n < 3; n += 1) {
        const answer = await throttler.take(request()).catch((error: unknown) => error);
        // The cap would answer with its own name.
        expect(answer).not.toMatchObject({ violated: ["cap"] });
      }
    }
  });

  test("with degrade lets the rest in at low priority", async () => {
    const { throttler } = throttlerOf([{ ...cap, limit: 1, excess: "degrade" }]);
    const kinds = [];
    for (let n = 0; n < 3; n += 1) kinds.push((await throttler.take(request())).kind);
    expect(kinds).toEqual(["pass", "degrade", "degrade"]);
  });

  test("with delay refuses: nobody knows when one will have ended", async () => {
    const { throttler } = throttlerOf([{ ...cap, limit: 1 }]);
    const kinds = [];
    for (let n = 0; n < 2; n += 1) kinds.push((await throttler.take(request({ excess: "delay" }))).kind);
    expect(kinds).toEqual(["pass", "reject"]);
  });

  test("says how many are free and asks the counted ones nothing when it refuses", async () => {
    const { throttler, take } = throttlerOf([cap, aThrottle()]);
    const { fields } = await throttler.take(request());
    expect(fields).toMatchObject([
      { name: "cap", unit: "concurrent-requests", quota: 2, remaining: 1, windowMs: null },
      { name: "free", unit: "jobs", quota: 10, remaining: 9, windowMs: 1_000 },
    ]);
    await throttler.take(request());
    expect((await throttler.take(request())).fields).toMatchObject([
      { name: "cap", remaining: 0, violated: true },
      { name: "free", remaining: null, violated: false },
    ]);
    expect(take).toHaveBeenCalledTimes(2);
  });
});

describe("while Redis cannot be asked", () => {
  test("a throttled request is certainly not enqueued", async () => {
    const { throttler } = throttlerOf([aThrottle()], new Error("away"));
    await expect(throttler.take(request())).rejects.toMatchObject({ code: "NOT_ENQUEUED" });
  });
});
