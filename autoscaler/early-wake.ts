/**
 * Peeks at queues that announce jobs, and has the control loop woken when their pool must grow before the tick; and
 * for a pool at zero, when the earliest scheduled job falls due.
 *
 * A peek is one command a queue, two a second at most, however many jobs come. What to make of it is `decideWake`'s.
 */
import type { Clock } from "#shared/clock";
import { laneName } from "#shared/lane";
import type { LoadStore } from "#shared/redis/load-store";
import type { SluiceConfig } from "#shared/sluice-config";
import type { Observation } from "./observe.ts";
import { decideWake } from "./scaling/decide-wake.ts";

const PEEK_MS_MIN = 400;

export interface EarlyWakePorts {
  readonly clock: Clock;
  readonly config: SluiceConfig;
  readonly load: Pick<LoadStore, "waiting">;
  /** Begins a round now. */
  wake(): void;
}

interface Pool {
  lanes: readonly string[];
  waiting: number;
  inFlight: number;
  slots: number;
  isFull: boolean;
  serviceTimeMs: number | null;
  peekedAtMs: number;
  peeking: boolean;
}

export class EarlyWake {
  readonly #ports: EarlyWakePorts;
  readonly #pools = new Map<string, Pool>();
  #roundAtMs = Number.NEGATIVE_INFINITY;
  #earlyRounds = 0;
  #wokenEarly = false;

  constructor(ports: EarlyWakePorts) {
    this.#ports = ports;
  }

  /** To be told after each round. @param wanted workers by pool that it has decided on. */
  looked({ snapshot, fleet }: Observation, wanted: ReadonlyMap<string, number>): void {
    const { clock, config } = this.#ports;
    this.#roundAtMs = clock.monotonicMs();
    this.#earlyRounds = this.#wokenEarly ? this.#earlyRounds + 1 : 0;
    this.#wokenEarly = false;
    for (const { queue, lanes } of snapshot.queues) {
      const policy = config.pools[queue];
      if (policy === undefined) continue;
      const slots = lanes.reduce((most, { lane }) => Math.max(most, fleet.readySlots(lane)), 0);
      const workers = wanted.get(queue) ?? 0;
      const times = lanes.flatMap((it) => it.serviceTimeMs ?? []);
      const pool = this.#pools.get(queue) ?? { peekedAtMs: Number.NEGATIVE_INFINITY, peeking: false };
      // The same object: a peek that is under way must see what has just been seen.
      const next = Object.assign(pool, {
        lanes: lanes.map((it) => laneName(queue, it.generation)),
        waiting: lanes.reduce((sum, it) => sum + it.waiting, 0),
        inFlight: lanes.reduce((sum, it) => sum + it.inFlight, 0),
        slots: Math.max(slots, workers * policy.slotsPerWorker),
        isFull: workers >= policy.workersMax,
        serviceTimeMs: times.length === 0 ? null : Math.max(...times),
      });
      this.#pools.set(queue, next);
    }
  }

  /** Jobs have come to `queue`. */
  enqueued(queue: string): void {
    const pool = this.#pools.get(queue);
    if (pool === undefined) {
      // Registered since the last look.
      if (queue in this.#ports.config.pools) this.#wake();
      return;
    }
    if (pool.slots === 0) this.#wake();
    else this.#peekSoon(queue, pool, true);
  }

  /** @param again whether to peek once more after it: the last jobs of a burst announce themselves no more. */
  #peekSoon(queue: string, pool: Pool, again: boolean): void {
    if (pool.peeking) return;
    pool.peeking = true;
    const { clock } = this.#ports;
    const waitMs = Math.max(0, pool.peekedAtMs + PEEK_MS_MIN - clock.monotonicMs());
    clock.after(waitMs, () => void this.#peekAndAgain(queue, pool, again));
  }

  /** Never rejects. */
  async #peekAndAgain(queue: string, pool: Pool, again: boolean): Promise<void> {
    pool.peekedAtMs = this.#ports.clock.monotonicMs();
    // Where Redis is away the tick looks again.
    const undecided = await this.#peek(queue, pool).catch(() => false);
    pool.peeking = false;
    if (again || undecided) this.#peekSoon(queue, pool, false);
  }

  /** Answers whether to look again, because it is too early for another round. */
  async #peek(queue: string, pool: Pool): Promise<boolean> {
    const { clock, config, load } = this.#ports;
    const waiting = await load.waiting(pool.lanes);
    const sinceRoundMs = clock.monotonicMs() - this.#roundAtMs;
    const decision = decideWake(
      { ...pool, waiting, waitingBefore: pool.waiting, sinceRoundMs, earlyRounds: this.#earlyRounds },
      { pickupPromiseMs: config.queues[queue]?.pickupPromiseMs ?? 1 },
    );
    if (decision.kind === "wake") this.#wake();
    return decision.reason === "just-looked";
  }

  #wake(): void {
    this.#wokenEarly = true;
    this.#ports.wake();
  }
}
