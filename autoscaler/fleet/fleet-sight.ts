/**
 * What the executor said last, for whoever looks at the fleet: it is asked once a look, and answers from memory then.
 *
 * An executor that does not answer is shown as it was; the look goes on.
 */
import type { ExecutedWorker, ExecutorStatus, FleetExecutor } from "./fleet-executor.ts";

const NOTHING: ExecutorStatus = { epoch: null, workers: [], ended: [], blocked: [], room: {} };

export class FleetSight {
  readonly #executor: Pick<FleetExecutor, "status">;
  #status = NOTHING;
  #ended: ReadonlySet<string> = new Set();

  constructor(executor: Pick<FleetExecutor, "status">) {
    this.#executor = executor;
  }

  /** Asks the executor. Never rejects. */
  async refresh(): Promise<void> {
    const status = await this.#executor.status().catch(() => null);
    if (status === null) return;
    this.#status = status;
    this.#ended = new Set(status.ended);
  }

  /** Workers whose processes are there. */
  workers(): readonly ExecutedWorker[] {
    return this.#status.workers;
  }

  /** Whether the worker was the executor's and its process has ended. */
  hasEnded(workerId: string): boolean {
    return this.#ended.has(workerId);
  }

  /** Why `release` cannot be started right now, `null` when it can. */
  blocked(queue: string, release: string): string | null {
    const found = this.#status.blocked.find((it) => it.queue === queue && it.release === release);
    return found?.reason ?? null;
  }

  /** More workers of the pool that there is room for; `null`: not known. */
  roomForWorkers(queue: string): number | null {
    return this.#status.room[queue] ?? null;
  }
}
