/** What is answered who asks how many workers there should be, and by which settings the scaler may listen. */
import { describe, expect, test } from "vitest";
import { type DesiredFacts, decideDesiredAnswer } from "#autoscaler/keda/decide-desired-answer";
import { DesiredNumbers } from "#autoscaler/keda/desired-numbers";
import { kedaSettings, requireSafeKeda } from "#autoscaler/keda/keda-settings";
import type { DesiredReading } from "#shared/redis/desired-store";
import { FakeClock } from "#test/support/fake-clock";

const NOW = 1_000_000;
const shown = { decisionId: "mail~3-7", desired: { v1: 1, v2: 4 }, atMs: NOW };
const facts: DesiredFacts = { isPool: true, isRelease: true, shown, nowMs: NOW };
const all = { pool: "mail", release: null };

describe("the answer", () => {
  test("is the sum of all releases, or the number of the one that is asked for", () => {
    expect(decideDesiredAnswer(all, facts)).toMatchObject({
      kind: "known",
      workers: 5,
      decisionId: "mail~3-7",
    });
    expect(decideDesiredAnswer({ ...all, release: "v2" }, facts)).toMatchObject({
      kind: "known",
      workers: 4,
    });
  });

  test("is known for 30 s and not a millisecond longer", () => {
    expect(decideDesiredAnswer(all, { ...facts, nowMs: NOW + 30_000 }).kind).toBe("known");
    expect(decideDesiredAnswer(all, { ...facts, nowMs: NOW + 30_001 }).kind).toBe("unknown");
  });

  test("tells what is not there from what is not known", () => {
    expect(decideDesiredAnswer(all, { ...facts, isPool: false })).toMatchObject({
      kind: "wrong",
      field: "pool",
    });
    expect(decideDesiredAnswer(all, { ...facts, shown: null })).toMatchObject({ kind: "unknown" });
    const other = { ...all, release: "v3" };
    expect(decideDesiredAnswer(other, facts)).toMatchObject({ kind: "unknown", field: "release" });
    expect(decideDesiredAnswer(other, { ...facts, isRelease: false })).toMatchObject({ kind: "wrong" });
  });

  test("knows no release by the names that every object has", () => {
    expect(decideDesiredAnswer({ ...all, release: "constructor" }, facts).kind).not.toBe("known");
  });

  test("of no workers for a release that is going is zero, which is known", () => {
    const going = { ...shown, desired: { v1: 0, v2: 4 } };
    expect(
      decideDesiredAnswer({ ...all, release: "v1" }, { ...facts, shown: going, isRelease: false }),
    ).toMatchObject({
      kind: "known",
      workers: 0,
    });
  });
});

const pool = {
  slotsPerWorker: 1,
  workersMin: 0,
  workersMax: 1,
  scaleInHoldMs: 1_000,
  executor: "local" as const,
};

describe("askers", () => {
  function numbersOf(read: () => Promise<DesiredReading>) {
    const clock = new FakeClock();
    const config = { pools: { mail: pool }, releases: [] };
    return { clock, numbers: new DesiredNumbers({ store: { read }, config, clock }) };
  }

  test("share one reading for a quarter of a second", async () => {
    let reads = 0;
    const { clock, numbers } = numbersOf(async () => {
      reads += 1;
      return { redisNowMs: NOW, pools: new Map([["mail", shown]]) };
    });
    await Promise.all([numbers.answer(all), numbers.answer(all)]);
    await clock.advance(249);
    await numbers.answer(all);
    expect(reads).toBe(1);
    await clock.advance(1);
    await numbers.answer(all);
    expect(reads).toBe(2);
  });

  test("are not kept waiting longer than two seconds, and the next one asks anew", async () => {
    let reads = 0;
    const { clock, numbers } = numbersOf(() => {
      reads += 1;
      return new Promise(() => undefined);
    });
    const asking = expect(numbers.answer(all)).rejects.toThrow("in time");
    await clock.advance(2_000);
    await asking;
    const again = expect(numbers.answer(all)).rejects.toThrow("in time");
    await clock.advance(2_000);
    await again;
    expect(reads).toBe(2);
  });

  test("for a pool that is not there do not make us ask Redis", async () => {
    const { numbers } = numbersOf(() => Promise.reject(new Error("Redis is away")));
    expect(await numbers.answer({ pool: "toString", release: null })).toMatchObject({ kind: "wrong" });
  });
});

describe("the scaler's settings", () => {
  const settings = (changes: Record<string, string | number> = {}) => {
    const made = kedaSettings({ SLUICE_KEDA_PORT: 7702, SLUICE_KEDA_HOST: "127.0.0.1", ...changes });
    if (made === null) throw new Error("there is a port, so there are settings");
    return made;
  };
  const pair = { SLUICE_KEDA_TLS_CERT: "/c.pem", SLUICE_KEDA_TLS_KEY: "/k.pem" };
  const everywhere = { SLUICE_KEDA_HOST: "0.0.0.0" };

  test("are none without a port", () => {
    expect(kedaSettings({ SLUICE_KEDA_HOST: "127.0.0.1" })).toBeNull();
  });

  test.each([
    ["on loopback", {}, "off"],
    ["on loopback with TLS", pair, "off"],
    [
      "everywhere with callers' certificates",
      { ...everywhere, ...pair, SLUICE_KEDA_CLIENT_CA: "/ca.pem" },
      "off",
    ],
    ["everywhere with keys", everywhere, "keys"],
  ] as const)("are taken %s", (_where, changes, auth) => {
    expect(() => requireSafeKeda(settings(changes), auth)).not.toThrow();
  });

  test.each([
    ["everywhere, with nobody asked who they are", everywhere, "SLUICE_KEDA_HOST"],
    ["everywhere with TLS that anybody may use", { ...everywhere, ...pair }, "SLUICE_KEDA_HOST"],
    ["a certificate without its key", { SLUICE_KEDA_TLS_CERT: "/c.pem" }, "SLUICE_KEDA_TLS_KEY"],
    ["callers' certificates without TLS", { SLUICE_KEDA_CLIENT_CA: "/ca.pem" }, "SLUICE_KEDA_CLIENT_CA"],
  ])("are refused: %s", (_what, changes, variable) => {
    expect(() => requireSafeKeda(settings(changes), "off")).toThrow(variable);
  });
});
