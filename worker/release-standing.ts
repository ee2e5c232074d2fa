/**
 * What this worker was told as one of its release, and what follows from it.
 *
 * Holds no connection. It hears with the registration, before anything is taken, and with every heartbeat.
 */
import type { ReleaseOrders, Takes } from "#shared/rollout/release-orders";
import { decideObeyed, handsBackNow, isHeld, NOTHING_HEARD, type OwnReason } from "./decide-taking.ts";

const NONE: ReadonlySet<string> = new Set();

export interface ReleaseStandingPorts {
  /** What the worker takes has changed. */
  onChange(): void;
  /** The try of the probe that is wanted; told again for as long as it is. */
  onProbeWanted(attempt: number): void;
}

export class ReleaseStanding {
  readonly #ports: ReleaseStandingPorts;
  #obeyed = NOTHING_HEARD;
  #discounted = NONE;

  constructor(ports: ReleaseStandingPorts) {
    this.#ports = ports;
  }

  get takes(): Takes {
    return this.#obeyed.orders?.takes ?? "all";
  }

  /** Releases whose failures do not count for any job. */
  get discounted(): ReadonlySet<string> {
    return this.#discounted;
  }

  hear(heard: ReleaseOrders | null): void {
    const before = this.#said();
    this.#obeyed = decideObeyed(this.#obeyed, heard);
    const { orders } = this.#obeyed;
    this.#discounted = orders === null ? NONE : new Set(orders.discounted);
    if (this.#said() !== before) this.#ports.onChange();
    const attempt = orders?.probeAttempt ?? null;
    if (attempt !== null) this.#ports.onProbeWanted(attempt);
  }

  /** Whether nothing is to be taken from the lane. */
  holds(lane: string): boolean {
    return isHeld(this.#obeyed.orders, lane);
  }

  /** Whether what runs of the lane's jobs is to be handed back now; `reason`: why the worker itself takes nothing. */
  handsBack(lane: string, reason: OwnReason): boolean {
    return handsBackNow(this.#obeyed.orders, { reason, lane });
  }

  #said(): string {
    const { takes = "all", lanes = [] } = this.#obeyed.orders ?? {};
    return takes === "own-lanes" ? `${takes} ${lanes.join()}` : takes;
  }
}
