/** Follows how long workers take from being spawned to being heard of: `D` of the scaling law. */
import type { Clock } from "#shared/clock";
import type { ExecutedWorker } from "./fleet/fleet-executor.ts";
import type { Observation } from "./observe.ts";
import { estimateStartDelay, type StartDelayEstimate } from "./scaling/estimate-start-delay.ts";

export class StartDelays {
  readonly #clock: Clock;
  /** Registrations, each counted once. */
  readonly #measured = new Set<string>();
  #estimate: StartDelayEstimate = estimateStartDelay(null, []);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get estimate(): StartDelayEstimate {
    return this.#estimate;
  }

  /**
   * Measures workers heard of for the first time. Of those that somebody else has started the process itself says how
   * long it took to register, which leaves out what came before the process: pulling an image, placing a pod.
   */
  see({ heard, redisNowMs }: Observation, executed: readonly ExecutedWorker[]): void {
    // Registration is told in Redis' time, the spawn in ours.
    const offsetMs = redisNowMs - this.#clock.nowMs();
    const spawnedAtMs = new Map(executed.map((it) => [it.workerId, it.startedAtMs + offsetMs]));
    const present = new Set<string>();
    const delaysMs: number[] = [];
    for (const { workerId, registeredAtMs, facts } of heard) {
      const registration = `${workerId}|${registeredAtMs}`;
      present.add(registration);
      if (this.#measured.has(registration)) continue;
      this.#measured.add(registration);
      const spawned = spawnedAtMs.get(workerId);
      const delayMs = spawned === undefined ? facts.startupMs : registeredAtMs - spawned;
      if (delayMs !== undefined) delaysMs.push(delayMs);
    }
    this.#estimate = estimateStartDelay(this.#estimate, delaysMs);
    for (const registration of this.#measured)
      if (!present.has(registration)) this.#measured.delete(registration);
  }
}
