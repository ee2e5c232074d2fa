/**
 * Watches this worker from within, and says when it should stop by itself: it is stuck, or nobody will ever stop it.
 *
 * All its times are monotonic: a stepped clock is no sign of being stuck. It ends nothing itself.
 */
import type { Clock } from "#shared/clock";
import { EXIT } from "#shared/exit-codes";
import { couldTake, decideWatchdog, type TakingObservation } from "./decide-watchdog.ts";

const LOOK_INTERVAL_MS = 1_000;

/** A worker whose parent is gone waits this long for an autoscaler before it stops by itself. */
const ORPHAN_PATIENCE_MS = 60_000;

export interface WatchdogPorts {
  readonly clock: Clock;
  /** Aborts when the process that started the worker is gone. */
  readonly orphaned: AbortSignal;
  onEnd(exitCode: number, reason: string): void;
}

export class Watchdog {
  readonly #ports: WatchdogPorts;
  #couldTakeSinceMs: number | null = null;
  #lastStartedMs: number | null = null;
  #autoscalerSeenMs: number;

  constructor(ports: WatchdogPorts) {
    this.#ports = ports;
    this.#autoscalerSeenMs = ports.clock.monotonicMs();
  }

  /** A job has started. */
  started(): void {
    this.#lastStartedMs = this.#ports.clock.monotonicMs();
  }

  autoscalerSeen(): void {
    this.#autoscalerSeenMs = this.#ports.clock.monotonicMs();
  }

  seen(observation: TakingObservation): void {
    if (!couldTake(observation)) this.#couldTakeSinceMs = null;
    else this.#couldTakeSinceMs ??= this.#ports.clock.monotonicMs();
  }

  /** Looks once a second until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, orphaned, onEnd } = this.#ports;
    while ((await clock.sleep(LOOK_INTERVAL_MS, signal)) === "elapsed") {
      const verdict = decideWatchdog({
        nowMs: clock.monotonicMs(),
        couldTakeSinceMs: this.#couldTakeSinceMs,
        lastStartedMs: this.#lastStartedMs,
      });
      if (verdict === "stuck") onEnd(EXIT.stuck, "work is waiting and nothing starts");
      const alone = orphaned.aborted && clock.monotonicMs() - this.#autoscalerSeenMs > ORPHAN_PATIENCE_MS;
      if (alone) onEnd(EXIT.ok, "the parent process and every autoscaler are gone");
    }
  }
}
