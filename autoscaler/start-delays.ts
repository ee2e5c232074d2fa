/** Follows how long workers take from being spawned to being heard of: `D` of the scaling law. */
import type { Clock } from "#shared/clock";
import type { ExecutedWorker } from "./fleet/fleet-executor.ts";
import type { Observation } from "./observe.ts";
import { estimateStartDelay, type StartDelayEstimate } from "./scaling/estimate-start-delay.ts";

export class StartDelays {
  readonly #clock: Clock;
  readonly #measured = new Set<string>();
  #estimate: StartDelayEstimate = estimateStartDelay(null, []);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get estimate(): StartDelayEstimate {
    return this.#estimate;
  }

  /** Measures workers heard of for the first time. */
  see({ heard, redisNowMs }: Observation, executed: readonly ExecutedWorker[]): void {
    // Registration is told in Redis' time, the spawn in ours.
    const offsetMs = redisNowMs - this.#clock.nowMs();
    const delaysMs: number[] = [];
    for (const { workerId, startedAtMs } of executed) {
      const registeredAtMs = heard.find((it) => it.workerId === workerId)?.registeredAtMs;
      if (registeredAtMs === undefined || this.#measured.has(workerId)) continue;
      this.#measured.add(workerId);
      delaysMs.push(registeredAtMs - (startedAtMs + offsetMs));
    }
    this.#estimate = estimateStartDelay(this.#estimate, delaysMs);
    for (const workerId of this.#measured) {
      if (!executed.some((it) => it.workerId === workerId)) this.#measured.delete(workerId);
    }
  }
}
