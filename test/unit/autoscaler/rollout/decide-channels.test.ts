import { describe, expect, test } from "vitest";
import { type ChannelQuestion, decideChannel, type PoolStanding } from "#autoscaler/rollout/decide-channels";

const NOW_MS = 10_000_000;
const HOUR_MS = 3_600_000;

const CHANNELS = [
  { name: "playground", pools: ["mail-play"], soakMs: HOUR_MS },
  { name: "test", pools: ["mail-test", "mail-test-eu"], soakMs: HOUR_MS },
  { name: "production", pools: ["mail"], soakMs: 0 },
];

function standing(pool: string, over: Partial<PoolStanding> = {}): PoolStanding {
  return { pool, standing: "current", currentSinceMs: NOW_MS - 2 * HOUR_MS, healthy: true, ...over };
}

function question(over: Partial<ChannelQuestion> = {}): ChannelQuestion {
  return {
    release: "mail-2",
    channel: "production",
    channels: CHANNELS,
    standings: [standing("mail-play"), standing("mail-test"), standing("mail-test-eu")],
    bypasses: [],
    nowMs: NOW_MS,
    ...over,
  };
}

/** The standings with one pool's changed. */
function withPool(pool: string, over: Partial<PoolStanding>): ChannelQuestion {
  const standings = question().standings.map((it) => (it.pool === pool ? { ...it, ...over } : it));
  return question({ standings });
}

describe("a channel", () => {
  test("opens once the release is current, soaked and healthy in every pool before it", () => {
    expect(decideChannel(question())).toMatchObject({ kind: "open", bypassed: null });
  });

  test("that is the first asks for nothing", () => {
    expect(decideChannel(question({ channel: "playground", standings: [] }))).toMatchObject({ kind: "open" });
  });

  test.each([
    { what: "not there in one pool", over: { standing: "absent" as const }, code: "not-current" },
    { what: "still coming in one pool", over: { standing: "coming" as const }, code: "not-current" },
    { what: "not known in one pool", over: { standing: null }, code: "not-known" },
    { what: "not healthy in one pool", over: { healthy: false }, code: "unhealthy" },
    { what: "of unknown health in one pool", over: { healthy: null }, code: "not-known" },
    { what: "not soaked in one pool", over: { currentSinceMs: NOW_MS - HOUR_MS + 1 }, code: "soaking" },
    { what: "failed in one pool", over: { standing: "failed" as const }, code: "failed" },
  ])("is shut while the release is $what", ({ over, code }) => {
    expect(decideChannel(withPool("mail-test-eu", over))).toMatchObject({ kind: "shut", code });
  });

  test("says when it opens, if only time is missing", () => {
    const decision = decideChannel(withPool("mail-test", { currentSinceMs: NOW_MS - 1_000 }));
    expect(decision).toMatchObject({ code: "soaking", opensAtMs: NOW_MS - 1_000 + HOUR_MS });
    const also = question({
      standings: [
        standing("mail-play"),
        standing("mail-test", { currentSinceMs: NOW_MS }),
        standing("mail-test-eu", { healthy: false }),
      ],
    });
    expect(decideChannel(also)).toMatchObject({ code: "unhealthy", opensAtMs: null });
  });

  test("is shut by a failure in any channel before it, not only the last", () => {
    expect(decideChannel(withPool("mail-play", { standing: "failed" }))).toMatchObject({ code: "failed" });
  });

  test("does not look at the channels after it: each goes back alone", () => {
    const standings = [standing("mail-play"), standing("mail", { standing: "failed" })];
    expect(decideChannel(question({ channel: "test", standings }))).toMatchObject({ kind: "open" });
  });

  test("that is not configured is refused with those that are", () => {
    expect(decideChannel(question({ channel: "moon" }))).toMatchObject({
      code: "channel-unknown",
      reason: "there is no channel moon; there are: playground, test, production",
    });
  });
});

describe("a bypass", () => {
  const bypass = {
    channel: "production",
    release: "mail-2",
    by: "ben",
    why: "the fix of the outage",
    expiresAtMs: NOW_MS + 1,
  };
  const shutOtherwise = withPool("mail-test", { standing: "coming" });

  test("opens one channel to one release, and is told", () => {
    const decision = decideChannel({ ...shutOtherwise, bypasses: [bypass] });
    expect(decision).toMatchObject({ kind: "open", bypassed: bypass });
    expect(decision.reason).toContain(
      "ben opened it: the fix of the outage; otherwise mail-2 is not current",
    );
  });

  test("is not used where the channel is open anyway", () => {
    expect(decideChannel(question({ bypasses: [bypass] }))).toMatchObject({ bypassed: null });
  });

  test.each([
    { what: "has ended", over: { expiresAtMs: NOW_MS } },
    { what: "is for another channel", over: { channel: "test" } },
    { what: "is for another release", over: { release: "mail-3" } },
    { what: "has no reason", over: { why: " " } },
    { what: "has nobody", over: { by: "" } },
  ])("that $what opens nothing", ({ over }) => {
    const decision = decideChannel({ ...shutOtherwise, bypasses: [{ ...bypass, ...over }] });
    expect(decision.kind).toBe("shut");
  });
});
