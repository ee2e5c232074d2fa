/** For how long a refusal holds without asking Redis again, and for whom. */
import { describe, expect, test } from "vitest";
import { Backlogs } from "#shared/enqueue/backlogs";
import { HOLDS_MS_MAX, REFUSALS_ENOUGH, type RoomAsked, RoomRefusals } from "#shared/enqueue/room-refusals";
import type { RefusalReason } from "#shared/redis/admission";
import { roomyTerms } from "#test/support/add-job";
import { FakeClock } from "#test/support/fake-clock";

function refusalsOf(drainPerSec: number | null = null) {
  const clock = new FakeClock();
  const backlogs = new Backlogs(clock);
  const loadOf = () => ({ drainPerSec, meanBytes: null });
  const promise = backlogs.promise.bind(backlogs);
  return { clock, refusals: new RoomRefusals({ clock, backlogs: { loadOf, promise } }) };
}

function askedOf(changed: Partial<RoomAsked> = {}): RoomAsked {
  const room = { depthMax: 1_600, limitedBy: "depth" } as const;
  return { queue: "shop", room, terms: roomyTerms("shop.r1"), isScheduled: false, ...changed };
}

function rememberOften(refusals: RoomRefusals, asked: RoomAsked, reason: RefusalReason = "backlog"): void {
  for (let n = 0; n < REFUSALS_ENOUGH; n += 1) refusals.remember(asked, reason);
}

describe("a refusal for want of room", () => {
  test("says nothing of the next job until there were a few of them", () => {
    const { refusals } = refusalsOf();
    const asked = askedOf();
    for (let n = 1; n < REFUSALS_ENOUGH; n += 1) {
      refusals.remember(asked, "backlog");
      expect(refusals.again(asked)).toBeNull();
    }
    refusals.remember(asked, "backlog");
    expect(refusals.again(asked)).toMatchObject({ code: "BACKLOG_FULL", retryAfterMs: 2_000 });
  });

  test("holds for some milliseconds, and then Redis is asked again", async () => {
    const { refusals, clock } = refusalsOf();
    const asked = askedOf();
    rememberOften(refusals, asked);
    await clock.advance(HOLDS_MS_MAX - 1);
    expect(refusals.again(asked)).not.toBeNull();
    await clock.advance(1);
    expect(refusals.again(asked)).toBeNull();
  });

  test("holds no longer than a sixteenth of the room can come free in", async () => {
    // 160 places, of which 10 come free in 5 ms at 2,000 a second.
    const { refusals, clock } = refusalsOf(2_000);
    const asked = askedOf({ room: { depthMax: 160, limitedBy: "depth" } });
    rememberOften(refusals, asked);
    await clock.advance(4);
    expect(refusals.again(asked)).not.toBeNull();
    await clock.advance(1);
    expect(refusals.again(asked)).toBeNull();
  });

  test("holds for nobody else: other terms, or a job that is scheduled", () => {
    const { refusals } = refusalsOf();
    const asked = askedOf();
    rememberOften(refusals, asked, "tenant");
    expect(refusals.again(asked)?.code).toBe("TENANT_BACKLOG_FULL");
    expect(refusals.again(askedOf())).toBeNull();
    expect(refusals.again({ ...asked, isScheduled: true })).toBeNull();
  });

  test("counts anew when the reason is another", () => {
    const { refusals } = refusalsOf();
    const asked = askedOf();
    rememberOften(refusals, asked, "tenant");
    refusals.remember(asked, "memory");
    expect(refusals.again(asked)).toBeNull();
  });

  test("has no stack, which would cost more than all else of it", () => {
    const { refusals } = refusalsOf();
    const error = refusals.refuse(askedOf(), "backlog");
    expect(error.stack).not.toContain("\n    at ");
    expect(new Error("another").stack).toContain("\n    at ");
  });
});
