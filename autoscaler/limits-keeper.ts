/** Shows and changes the limits: stamps what operators set, and leaves the judgement to `shared/limits/`. */
import type { Clock } from "#shared/clock";
import type { LimitsChange } from "#shared/limits/change-limits";
import type { LimitOverride, LimitsBase } from "#shared/limits/limits-document";
import { type OverrideState, resolveLimits } from "#shared/limits/resolve-limits";
import type { LimitsStore } from "#shared/redis/limits-store";
import { toRfc3339 } from "#shared/system-clock";

export interface LimitsView {
  readonly revision: number;
  /** As the configuration file had it when the autoscaler started. */
  readonly base: LimitsBase;
  /** Base and overrides together, now. */
  readonly inForce: LimitsBase;
  /** Oldest first. */
  readonly overrides: readonly (LimitOverride & { readonly state: OverrideState })[];
}

/** An override that somebody asks for. */
export interface OverrideRequest extends Pick<LimitOverride, "path" | "value" | "by" | "why"> {
  /** `null`: until somebody drops it. */
  readonly expiresInMs: number | null;
  /** The revision that the caller saw; `null`: whatever it is. */
  readonly expected: number | null;
}

export class LimitsKeeper {
  readonly #store: LimitsStore;
  readonly #clock: Clock;

  constructor(store: LimitsStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Makes what the configuration file says the base. Rejects when Redis is away. */
  async publish(base: LimitsBase): Promise<void> {
    await this.#store.publishBase(base, this.#clock.nowMs());
  }

  /** Rejects when Redis is away. */
  async view(): Promise<LimitsView> {
    const { revision, base, overrides } = await this.#store.read();
    const { queues, throttles, states } = resolveLimits({ revision, base, overrides }, this.#clock.nowMs());
    return {
      revision,
      base,
      inForce: { queues, throttles },
      overrides: overrides.map((it, index) => ({ ...it, state: states[index] ?? "without-effect" })),
    };
  }

  /** Sets an override, or says why not. Rejects when Redis is away. */
  set({ path, value, by, why, expiresInMs, expected }: OverrideRequest): Promise<LimitsChange> {
    const nowMs = this.#clock.nowMs();
    const expiresAt = expiresInMs === null ? null : toRfc3339(nowMs + expiresInMs);
    const override = { path, value, by, at: toRfc3339(nowMs), why, expiresAt };
    return this.#store.setOverride(override, { nowMs, expectedRevision: expected });
  }

  /** Drops an override. Rejects when Redis is away. */
  drop(path: string): Promise<LimitsChange> {
    return this.#store.dropOverride(path, { nowMs: this.#clock.nowMs(), expectedRevision: null });
  }
}
