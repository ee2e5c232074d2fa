/** Terms of a leader: they end before the lease can, and nothing is done after them. */
import { describe, expect, test } from "vitest";
import { ACT_MS, Leadership, type LeadershipPorts, type Term } from "#autoscaler/leadership";
import { createLog } from "#shared/log";
import { LEASE_MS } from "#shared/redis/leader-lease";
import { FakeClock } from "#test/support/fake-clock";

/** A lease in memory, by its own clock, as Redis has it. */
class MemoryLease {
  holder: string | null = null;
  epoch = 0;
  endsAtMs = 0;
  away = false;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  of(id: string): LeadershipPorts["lease"] {
    return {
      acquire: async (epochMin) => {
        this.#require();
        const nowMs = this.#clock.monotonicMs();
        const isHeld = this.holder !== null && this.holder !== id && this.endsAtMs > nowMs;
        if (isHeld) return { kind: "held", leftMs: this.endsAtMs - nowMs };
        this.epoch = Math.max(this.epoch, epochMin) + 1;
        this.holder = id;
        this.endsAtMs = nowMs + LEASE_MS;
        return { kind: "leading", epoch: this.epoch };
      },
      renew: async (epoch) => {
        this.#require();
        const isOurs =
          this.holder === id && this.epoch === epoch && this.endsAtMs > this.#clock.monotonicMs();
        if (isOurs) this.endsAtMs = this.#clock.monotonicMs() + LEASE_MS;
        return isOurs;
      },
      release: async () => {
        this.#require();
        if (this.holder === id) this.holder = null;
      },
    };
  }

  #require(): void {
    if (this.away) throw new Error("away");
  }
}

function leaders(count: number) {
  const clock = new FakeClock();
  const lease = new MemoryLease(clock);
  const stops = Array.from({ length: count }, () => new AbortController());
  const terms: Term[][] = stops.map(() => []);
  const epochs = { onDisk: 0 };
  const all = stops.map(
    (_, index) =>
      new Leadership({
        lease: lease.of(`a-${index}`),
        clock,
        log: createLog("test", "silent"),
        epochMin: () => epochs.onDisk,
        lead: async (term) => {
          terms[index]?.push(term);
        },
      }),
  );
  const running = all.map((it, index) => it.run(stops[index]?.signal ?? AbortSignal.abort()));
  const end = async () => {
    for (const stop of stops) stop.abort();
    await clock.advance(5_000);
    await Promise.all(running);
  };
  return { clock, lease, stops, terms, all, epochs, end };
}

describe("leadership", () => {
  test("is one process's for as long as it renews", async () => {
    const { clock, all, terms, end } = leaders(2);
    await clock.advance(120_000);
    expect(all.map((it) => it.role)).toEqual(["leader", "standby"]);
    expect(terms.map((it) => it.length)).toEqual([1, 0]);
    expect(() => terms[0]?.[0]?.require()).not.toThrow();
    await end();
  });

  test("passes on at once when it is given back, with a higher epoch", async () => {
    const { clock, all, stops, terms, end } = leaders(2);
    await clock.advance(10_000);
    stops[0]?.abort();
    await clock.advance(0);
    all[1]?.released();
    await clock.advance(1);
    expect(all[1]?.term?.epoch).toBe(2);
    expect(terms[0]?.[0]?.over.aborted).toBe(true);
    await end();
  });

  test("ends by its own clock before the lease can, when Redis is not heard", async () => {
    const { clock, lease, all, terms, end } = leaders(1);
    await clock.advance(1);
    lease.away = true;
    // Asked for at 0 and never renewed: it acts for ACT_MS, and the lease lasts 2 s longer.
    await clock.advance(ACT_MS - 10);
    expect(() => terms[0]?.[0]?.require()).not.toThrow();
    await clock.advance(20);
    expect(() => terms[0]?.[0]?.require()).toThrow("The term of epoch 1 is over");
    expect(all[0]?.role).toBe("unknown");
    expect(lease.endsAtMs - clock.monotonicMs()).toBeGreaterThan(1_900);
    lease.away = false;
    await clock.advance(2_000);
    // Still in its own name, and a new term all the same.
    expect(all[0]?.term?.epoch).toBe(2);
    await end();
  });

  test("is lost at the next renewal when another has taken the lease", async () => {
    const { clock, lease, terms, end } = leaders(1);
    await clock.advance(1);
    lease.holder = "stranger";
    lease.epoch = 7;
    await clock.advance(2_600);
    expect(terms[0]?.[0]?.over.aborted).toBe(true);
    await end();
  });

  test("knows for how long nobody has led", async () => {
    const { clock, lease, all, end } = leaders(1);
    await clock.advance(10_000);
    expect(all[0]?.leaderlessMs).toBeLessThanOrEqual(2_500);
    lease.away = true;
    await clock.advance(20_000);
    expect(all[0]?.leaderlessMs).toBeGreaterThanOrEqual(20_000);
    lease.away = false;
    await end();
  });

  test("is not asked for while the disk cannot be read", async () => {
    const clock = new FakeClock();
    const lease = new MemoryLease(clock);
    const stop = new AbortController();
    const leadership = new Leadership({
      lease: lease.of("a"),
      clock,
      log: createLog("test", "silent"),
      epochMin: () => {
        throw new Error("corrupt");
      },
      lead: async () => undefined,
    });
    const running = leadership.run(stop.signal);
    await clock.advance(5_000);
    expect(lease.epoch).toBe(0);
    expect(leadership.role).toBe("unknown");
    stop.abort();
    await clock.advance(2_000);
    await running;
  });

  test("ends when the machine's disk has a higher epoch, and the next one is above it", async () => {
    const { clock, all, epochs, end } = leaders(1);
    await clock.advance(10_000);
    expect(all[0]?.term?.epoch).toBe(1);
    // Redis had lost its count, and who led before comes to its end of a write only now.
    epochs.onDisk = 7;
    await clock.advance(5_000);
    expect(all[0]?.term?.epoch).toBe(8);
    await end();
  });
});
