/**
 * Keeps the fleet at its minimum while nobody leads: Redis is away, or every leader of the past is.
 *
 * Of the autoscalers of one machine exactly one does so, the holder of the machine's lock. It starts nothing that the
 * last leader had not run, and stops nothing.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { LocalExecutor } from "./local-executor.ts";
import type { MachineLock } from "./machine-lock.ts";

const LOOK_MS = 500;

/** So long nobody must have led: longer than a lease holds, so that a standby comes first. */
export const LEADERLESS_MS = 11_000;

export interface KeepMinimumPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly lock: Pick<MachineLock, "hold" | "release">;
  readonly executor: Pick<LocalExecutor, "keepMinimum">;
  /** For how long nobody is known to lead, in milliseconds. */
  leaderlessMs(): number;
}

export class KeepMinimum {
  readonly #ports: KeepMinimumPorts;
  #isAlone = false;

  constructor(ports: KeepMinimumPorts) {
    this.#ports = ports;
  }

  /** Resolves once `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, lock } = this.#ports;
    while ((await clock.sleep(LOOK_MS, signal)) === "elapsed") {
      try {
        this.look();
      } catch (error) {
        log.error({ err: error }, "the fleet cannot be kept at its minimum");
      }
    }
    lock.release();
  }

  /** @throws {EpochFileCorruptError} */
  look(): void {
    const { log, lock, executor, leaderlessMs } = this.#ports;
    const isAlone = leaderlessMs() >= LEADERLESS_MS;
    if (isAlone !== this.#isAlone) {
      if (isAlone) log.warn("nobody leads; the fleet is kept at its minimum");
      else lock.release();
      this.#isAlone = isAlone;
    }
    if (!isAlone || !lock.hold()) return;
    executor.keepMinimum(() => leaderlessMs() >= LEADERLESS_MS && lock.hold());
  }
}
