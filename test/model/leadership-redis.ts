/**
 * Redis as far as leading goes: the lease, the count of epochs, orders to workers, and what workers say.
 *
 * The lease follows the rules of the scripts in `shared/redis/leader-lease.ts` and orders those in `fleet-scripts.ts`;
 * test/integration/leader-lease.test.ts holds the scripts to them. Calls may be slow, and their answers may be lost.
 */
import type { LeadershipPorts } from "#autoscaler/leadership";
import type { FleetOrders } from "#autoscaler/pool-scaler";
import { StaleEpochError } from "#shared/errors";
import type { StandingOrder } from "#shared/redis/fleet-store";
import { LEASE_MS } from "#shared/redis/leader-lease";
import type { Dice } from "#test/support/dice";
import type { FakeClock } from "#test/support/fake-clock";
import type { Gate } from "./leadership-process.ts";

/** A process's way to Redis. */
export interface Link {
  readonly gate: Gate;
  isCut: boolean;
}

export interface Heard {
  seenAtMs: number;
  readonly pid: number;
  readonly host: string;
  readonly registeredAtMs: number;
  busy: number;
  said: { readonly state: "ok" | "draining"; readonly reason: string | null } | null;
}

export class ModelRedis {
  lease: { holder: string; epoch: number; untilMs: number } | null = null;
  /** `null`: the count is lost, or was never there. */
  epoch: number | null = null;
  readonly orders = new Map<string, StandingOrder>();
  readonly heard = new Map<string, Heard>();
  /** Until when a term's lease was granted last, by holder and epoch. */
  readonly grantedUntilMs = new Map<string, number>();
  /** Whether calls may be slow and answers lost. */
  isUnruly = true;
  readonly #clock: FakeClock;
  readonly #dice: Dice;
  readonly #onFault: (what: string) => void;
  #onReleased: () => void = () => undefined;

  constructor(clock: FakeClock, dice: Dice, onFault: (what: string) => void) {
    this.#clock = clock;
    this.#dice = dice;
    this.#onFault = onFault;
  }

  onReleased(act: () => void): void {
    this.#onReleased = act;
  }

  leaseOf(id: string, link: Link): LeadershipPorts["lease"] {
    return {
      acquire: (epochMin) => this.call(link, () => this.#acquire(id, epochMin)),
      renew: (epoch) => this.call(link, () => this.#renew(id, epoch)),
      release: () =>
        this.call(link, () => {
          if (this.#held()?.holder !== id) return;
          this.lease = null;
          this.#onReleased();
        }),
    };
  }

  ordersOf(link: Link): FleetOrders {
    return {
      order: (worker, order) =>
        this.call(link, () => {
          this.#fence(order.epoch);
          this.orders.set(worker, order);
        }),
      forget: (worker, epoch) =>
        this.call(link, () => {
          this.#fence(epoch);
          this.orders.delete(worker);
          this.heard.delete(worker);
        }),
    };
  }

  /** A call that may come late, go nowhere, or be done and not answered. */
  async call<Answer>(link: Link, act: () => Answer): Promise<Answer> {
    await link.gate.pass();
    await this.#delay();
    if (link.isCut) return this.#lost(link);
    const answer = act();
    if (this.isUnruly && this.#dice.chance(0.02)) {
      this.#onFault("answer lost");
      return this.#lost(link);
    }
    await this.#delay();
    await link.gate.pass();
    return answer;
  }

  async #lost(link: Link): Promise<never> {
    await this.#clock.sleep(100 + this.#dice.below(1_500));
    await link.gate.pass();
    throw new Error("Redis does not answer");
  }

  async #delay(): Promise<void> {
    if (!this.isUnruly || !this.#dice.chance(0.05)) return;
    this.#onFault("slow call");
    await this.#clock.sleep(this.#dice.below(2_500));
  }

  #held(): NonNullable<ModelRedis["lease"]> | null {
    if (this.lease !== null && this.lease.untilMs <= this.#clock.monotonicMs()) this.lease = null;
    return this.lease;
  }

  #acquire(id: string, epochMin: number): Awaited<ReturnType<LeadershipPorts["lease"]["acquire"]>> {
    const nowMs = this.#clock.monotonicMs();
    const held = this.#held();
    if (held !== null && held.holder !== id) return { kind: "held", leftMs: held.untilMs - nowMs };
    const epoch = Math.max(this.epoch ?? Math.floor(this.#clock.nowMs() / 1_000), epochMin) + 1;
    this.epoch = epoch;
    this.lease = { holder: id, epoch, untilMs: nowMs + LEASE_MS };
    this.grantedUntilMs.set(`${id} ${epoch}`, nowMs + LEASE_MS);
    return { kind: "leading", epoch };
  }

  #renew(id: string, epoch: number): boolean {
    const held = this.#held();
    if (held === null || held.holder !== id || held.epoch !== epoch || this.epoch !== epoch) return false;
    held.untilMs = this.#clock.monotonicMs() + LEASE_MS;
    this.grantedUntilMs.set(`${id} ${epoch}`, held.untilMs);
    return true;
  }

  #fence(epoch: number): void {
    if (this.epoch !== null && this.epoch > epoch) throw new StaleEpochError(epoch, this.epoch);
  }
}
