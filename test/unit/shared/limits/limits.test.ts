import { describe, expect, test } from "vitest";
import { withBase, withOverride, withoutOverride } from "#shared/limits/change-limits";
import {
  DEFAULT_QUEUE_LIMITS,
  EMPTY_LIMITS,
  limitsBase,
  OVERRIDES_MAX,
  type Throttle,
  throttle,
} from "#shared/limits/limits-document";
import { limitsFor, throttlesFor } from "#shared/limits/limits-for";
import { resolveLimits } from "#shared/limits/resolve-limits";
import { aDocument, anOverride, aThrottle, inMs, NOW_MS } from "./limits-builder.ts";

const at = (changes: Parameters<typeof aDocument>[0], nowMs = NOW_MS) =>
  resolveLimits(aDocument(changes), nowMs);

describe("a throttle", () => {
  test.each([
    ["burst", { algorithm: "leaky-bucket", burst: 2 }],
    ["burst", { algorithm: "fixed-window", burst: 2 }],
    ["excess", { algorithm: "fixed-window", excess: "delay" }],
    ["excess", { algorithm: "sliding-window", excess: "delay" }],
    ["excess", { algorithm: "concurrency", excess: "delay" }],
    ["except", { value: "acme", except: ["b"] }],
    ["name", { name: "Free" }],
    ["name", { name: "a/b" }],
    ["value", { value: "" }],
    ["value", { value: "a\nb" }],
    ["limit", { limit: 0 }],
    ["limit", { limit: 1_000_001 }],
    ["windowMs", { windowMs: 1_500 }],
    ["windowMs", { windowMs: 0 }],
    ["windowMs", { windowMs: 2_678_401_000 }],
  ])("is refused for its %s in %o", (field, changes) => {
    const result = throttle.safeParse({ ...aThrottle(), ...changes });
    expect(result.error?.issues.map((it) => it.path.join("."))).toEqual([field]);
  });

  test.each<Partial<Throttle>>([
    { algorithm: "token-bucket", burst: 1_000_000, excess: "delay" },
    { algorithm: "leaky-bucket", excess: "delay" },
    { algorithm: "concurrency", excess: "degrade" },
    { algorithm: "sliding-window", limit: 1_000_000, windowMs: 2_678_400_000 },
    { except: ["acme"] },
  ])("may be %o", (changes) => {
    expect(throttle.parse({ ...aThrottle(), ...changes })).toMatchObject(changes);
  });

  test("has a name of its own", () => {
    const two = limitsBase.safeParse({ queues: {}, throttles: [aThrottle(), aThrottle({ limit: 5 })] });
    expect(two.error?.issues).toMatchObject([{ path: ["throttles", 1, "name"] }]);
  });
});

describe("limits in force", () => {
  test("are the base where nobody set anything", () => {
    const limits = at({});
    expect(limitsFor(limits, { queue: "shop" })).toEqual(DEFAULT_QUEUE_LIMITS);
    expect(limits).toMatchObject({ throttles: [aThrottle()], nextExpiryMs: null, states: [] });
  });

  test("are the defaults of a queue that nobody configured, whatever it is called", () => {
    for (const queue of ["csv", "constructor"])
      expect(limitsFor(at({}), { queue })).toBe(DEFAULT_QUEUE_LIMITS);
    expect(DEFAULT_QUEUE_LIMITS).toEqual({
      depthMax: 100_000,
      scheduledMax: 1_000_000,
      bytesMax: 256 * 1024 * 1024,
      waitMaxMs: 86_400_000,
      tenantDepthMax: 50_000,
      priorities: false,
      raiseAfterMs: 60_000,
    });
  });

  test("have an override until it expires, and not at that moment any more", () => {
    const overrides = [anOverride({ expiresAt: inMs(10) })];
    const depthAt = (ms: number) => limitsFor(at({ overrides }, NOW_MS + ms), { queue: "shop" }).depthMax;
    expect([depthAt(0), depthAt(9), depthAt(10)]).toEqual([5, 5, 100_000]);
    expect(at({ overrides }).nextExpiryMs).toBe(NOW_MS + 10);
    expect(at({ overrides }, NOW_MS + 10)).toMatchObject({ nextExpiryMs: null, states: ["expired"] });
  });

  test("keep all but what an override names, and end with the first of several", () => {
    const overrides = [
      anOverride({ path: "/queues/csv/waitMaxMs", value: 2_000, expiresAt: inMs(50) }),
      anOverride({ path: "/throttles/free/limit", value: 3, expiresAt: inMs(20) }),
    ];
    const limits = at({ overrides });
    expect(limitsFor(limits, { queue: "csv" })).toEqual({ ...DEFAULT_QUEUE_LIMITS, waitMaxMs: 2_000 });
    expect(limits.throttles).toEqual([aThrottle({ limit: 3 })]);
    expect(limits).toMatchObject({ nextExpiryMs: NOW_MS + 20, states: ["in-force", "in-force"] });
  });

  test("leave out an override that has nothing to act on any more, and keep the rest", () => {
    const overrides = [anOverride({ path: "/throttles/gone/limit" }), anOverride()];
    expect(at({ overrides }).states).toEqual(["without-effect", "in-force"]);
  });

  test("leave out an override whose end cannot be read", () => {
    expect(at({ overrides: [anOverride({ expiresAt: "soon" })] }).states).toEqual(["expired"]);
  });
});

describe("the throttles of a request", () => {
  const who = { tenant: "acme", keyId: "k1", type: "receipt.render" };
  const names = (throttles: readonly Throttle[], someone = who as Parameters<typeof throttlesFor>[1]) =>
    throttlesFor({ queues: {}, throttles }, someone).map((it) => it.name);

  test("are those of its tenant, key and type, by name or for each one", () => {
    expect(
      names([
        aThrottle({ name: "a" }),
        aThrottle({ name: "b", value: "acme" }),
        aThrottle({ name: "c", value: "other" }),
        aThrottle({ name: "d", per: "key", value: "k1" }),
        aThrottle({ name: "e", per: "key", value: "acme" }),
        aThrottle({ name: "f", per: "type", value: "receipt.render" }),
        aThrottle({ name: "g", per: "type", value: "csv.summarise" }),
      ]),
    ).toEqual(["a", "b", "d", "f"]);
  });

  test("are not those that leave it out", () => {
    expect(names([aThrottle({ except: ["b", "acme"] }), aThrottle({ name: "x", except: ["b"] })])).toEqual([
      "x",
    ]);
  });

  test("are none per key where nobody is asked for one", () => {
    expect(names([aThrottle({ per: "key" })], { ...who, keyId: null })).toEqual([]);
  });
});

describe("setting an override", () => {
  const set = (path: string, value: unknown, document = aDocument()) =>
    withOverride(document, anOverride({ path, value: value as number }), NOW_MS);

  test.each([
    ["/queues/shop/depthMax", 0],
    ["/queues/never-configured/priorities", true],
    ["/throttles/free/limit", 1],
    ["/throttles/free/windowMs", 60_000],
    ["/throttles/free/burst", 20],
    ["/throttles/free/excess", "delay"],
    ["/throttles/free", null],
    ["/throttles/noisy", { per: "tenant", value: "acme", algorithm: "leaky-bucket", limit: 1 }],
    ["/throttles/free", { per: "key", value: "*", algorithm: "concurrency", limit: 4 }],
  ])("%s to %j raises the revision and is in force", (path, value) => {
    const change = set(path, value);
    if (change.kind !== "changed") throw new Error(`was ${change.kind}`);
    expect(change.document).toMatchObject({ revision: 2, overrides: [{ path, value }] });
    expect(resolveLimits(change.document, NOW_MS).states).toEqual(["in-force"]);
  });

  test.each([
    ["queues/shop/depthMax", 1, "/path", "unknown-path"],
    ["", 1, "/path", "unknown-path"],
    ["/queues/shop", {}, "/path", "unknown-path"],
    ["/queues/Shop/depthMax", 1, "/path", "unknown-path"],
    ["/queues/shop/depth", 1, "/path", "unknown-path"],
    ["/queues/shop/constructor", 1, "/path", "unknown-path"],
    ["/queues/shop/depthMax/", 1, "/path", "unknown-path"],
    ["/queues/__proto__/depthMax", 1, "/path", "unknown-path"],
    ["/throttles/0/limit", 1, "/path", "unknown-path"],
    ["/throttles/free/name", "x", "/path", "unknown-path"],
    ["/throttles/free/algorithm", "concurrency", "/path", "unknown-path"],
    ["/throttles/none/limit", 1, "/path", "unknown-throttle"],
    ["/queues/shop/depthMax", -1, "/value", "too-small"],
    ["/queues/shop/depthMax", "5", "/value", "invalid-type"],
    ["/queues/shop/depthMax", null, "/value", "invalid-type"],
    ["/queues/shop/priorities", "yes", "/value", "invalid-type"],
    ["/throttles/free/limit", 1.5, "/value", "invalid-type"],
    ["/throttles/free/windowMs", 1_001, "/value", "not-multiple-of"],
    ["/throttles/free/excess", "drop", "/value", "invalid-value"],
    ["/throttles/new", 7, "/value", "invalid-type"],
    ["/throttles/new", [], "/value", "invalid-type"],
    ["/throttles/new", {}, "/value/per", "invalid-value"],
    ["/throttles/new", { ...aThrottle() }, "/value/name", "unrecognized-keys"],
    [
      "/throttles/new",
      { per: "key", value: "*", algorithm: "leaky-bucket", limit: 1, burst: 2 },
      "/value/burst",
      "custom",
    ],
  ])("%s to %j is refused: %s %s", (path, value, pointer, rule) => {
    expect(set(path, value)).toMatchObject({ kind: "refused", issue: { pointer, rule } });
  });

  test("of a field that only another throttle of that name has is refused", () => {
    const leaky = aThrottle({ algorithm: "leaky-bucket" });
    const document = aDocument({ base: { queues: {}, throttles: [leaky] } });
    expect(set("/throttles/free/burst", 5, document)).toMatchObject({
      kind: "refused",
      issue: { pointer: "/value", message: "only a token-bucket has a burst" },
    });
  });

  test("again takes the place of the first, and drops those that have expired", () => {
    const overrides = [
      anOverride({ value: 1 }),
      anOverride({ path: "/queues/a/depthMax", expiresAt: inMs(0) }),
    ];
    const change = set("/queues/shop/depthMax", 2, aDocument({ overrides }));
    expect(change).toMatchObject({ document: { overrides: [{ value: 2 }] } });
  });

  test("that would have ended already is refused", () => {
    const change = withOverride(aDocument(), anOverride({ expiresAt: inMs(0) }), NOW_MS);
    expect(change).toMatchObject({ kind: "refused", issue: { rule: "past" } });
  });

  test("is refused when there are as many as there may be, unless it replaces one", () => {
    const overrides = Array.from({ length: OVERRIDES_MAX }, (_, n) =>
      anOverride({ path: `/queues/q${n}/depthMax` }),
    );
    const document = aDocument({ overrides });
    expect(set("/queues/shop/depthMax", 1, document).kind).toBe("full");
    expect(set("/queues/q0/depthMax", 1, document).kind).toBe("changed");
  });
});

describe("dropping an override", () => {
  test("gives the base back", () => {
    const change = withoutOverride(aDocument({ overrides: [anOverride()] }), "/queues/shop/depthMax", NOW_MS);
    expect(change).toMatchObject({ kind: "changed", document: { revision: 2, overrides: [] } });
  });

  test("of none, or of one that has expired, finds none", () => {
    const path = "/queues/shop/depthMax";
    const expired = aDocument({ overrides: [anOverride({ expiresAt: inMs(-1) })] });
    for (const document of [aDocument(), expired]) {
      expect(withoutOverride(document, path, NOW_MS).kind).toBe("not-found");
    }
  });
});

describe("publishing a base", () => {
  test("keeps overrides, and drops the throttles that the configuration no longer has", () => {
    const change = withBase(aDocument({ overrides: [anOverride()] }), { queues: {}, throttles: [] }, NOW_MS);
    expect(change).toMatchObject({
      kind: "changed",
      document: { revision: 2, base: { queues: {}, throttles: [] }, overrides: [anOverride()] },
    });
  });

  test("that is there already changes nothing", () => {
    const document = aDocument();
    expect(withBase(document, aDocument().base, NOW_MS)).toEqual({ kind: "unchanged", document });
    expect(withBase(EMPTY_LIMITS, EMPTY_LIMITS.base, NOW_MS).kind).toBe("unchanged");
  });
});
