/**
 * Runs the probe once for each try that is asked for, and says what it came to.
 *
 * It is asked again with every heartbeat for as long as the try is wanted: a word that Redis did not take is the reason to
 * run it again. One probe at a time.
 */
import type { Log } from "#shared/log";
import type { ProbeOutcome } from "#shared/rollout/release-orders";
import type { ProbeResult } from "./run-probe.ts";

export interface ProbeRunnerPorts {
  readonly workerId: string;
  readonly log: Log;
  /** Never rejects. */
  run(): Promise<ProbeResult>;
  say(outcome: ProbeOutcome): Promise<void>;
}

export class ProbeRunner {
  readonly #ports: ProbeRunnerPorts;
  readonly #told = new Set<number>();
  #isRunning = false;

  constructor(ports: ProbeRunnerPorts) {
    this.#ports = ports;
  }

  /** The try with this number is wanted. */
  wanted(attempt: number): void {
    if (this.#isRunning || this.#told.has(attempt)) return;
    this.#isRunning = true;
    this.#run(attempt)
      .catch((error: unknown) => {
        this.#ports.log.warn({ err: error, attempt }, "what the probe came to could not be told");
      })
      .finally(() => {
        this.#isRunning = false;
      });
  }

  async #run(attempt: number): Promise<void> {
    const { workerId, log, run, say } = this.#ports;
    const worker = workerId;
    await say({ attempt, worker, outcome: "pending", detail: "the probe runs" });
    const { outcome, detail } = await run();
    await say({ attempt, worker, outcome, detail });
    this.#told.add(attempt);
    log.info({ attempt, outcome, detail }, "the probe has ended");
  }
}
