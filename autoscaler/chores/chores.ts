/** The leader's chores: each every five seconds, one after the other; one that fails keeps no other from its turn. */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";

const INTERVAL_MS = 5_000;

export interface Chore {
  /** For logs and metrics. */
  readonly name: string;
  /** A bounded piece of work. Rejects when Redis is away. */
  round(): Promise<void>;
}

export interface ChoresPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly chores: readonly Chore[];
  onFailed(chore: string): void;
}

export class Chores {
  readonly #ports: ChoresPorts;
  readonly #failing = new Set<string>();

  constructor(ports: ChoresPorts) {
    this.#ports = ports;
  }

  /** Resolves once `signal` aborts and the round in progress has ended. */
  async run(signal: AbortSignal): Promise<void> {
    while ((await this.#ports.clock.sleep(INTERVAL_MS, signal)) === "elapsed") await this.round();
  }

  /** Never rejects. */
  async round(): Promise<void> {
    for (const chore of this.#ports.chores) await this.#do(chore);
  }

  async #do(chore: Chore): Promise<void> {
    const { log, onFailed } = this.#ports;
    try {
      await chore.round();
      this.#failing.delete(chore.name);
    } catch (error) {
      onFailed(chore.name);
      if (!this.#failing.has(chore.name))
        log.warn({ err: error, chore: chore.name }, "chore failed; it is tried again");
      this.#failing.add(chore.name);
    }
  }
}
