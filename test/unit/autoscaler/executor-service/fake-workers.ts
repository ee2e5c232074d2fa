/** Worker containers that are only numbers: they start at once, and end when a test says so. */
import type { ContainedWorker } from "#autoscaler/executor-service/docker-workers";
import type { PoolTemplate, ReleaseTemplate } from "#autoscaler/executor-service/templates";
import type { WorkerEnd } from "#autoscaler/fleet/local-processes";
import type { FakeClock } from "#test/support/fake-clock";

export class FakeWorkers {
  readonly #clock: FakeClock;
  readonly containers = new Map<string, ContainedWorker>();
  readonly #codes = new Map<string, number | null>();
  /** What was done, in order. */
  readonly acts: string[] = [];
  /** Why the engine starts nothing, `null` when it does. */
  refusal: Error | null = null;
  #number = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async list(): Promise<readonly ContainedWorker[]> {
    return [...this.containers.values()];
  }

  async start({ queue }: PoolTemplate, { release }: ReleaseTemplate): Promise<ContainedWorker> {
    if (this.refusal !== null) throw this.refusal;
    this.#number += 1;
    return this.add(`w-${this.#number}`, { queue, release });
  }

  add(workerId: string, { queue, release }: { queue: string; release: string }): ContainedWorker {
    const startedAtMs = this.#clock.nowMs();
    const worker = { workerId, queue, release, startedAtMs, pid: null, containerId: `c-${workerId}` };
    const running = { ...worker, isRunning: true, drainsUntilMs: null };
    this.containers.set(workerId, running);
    return running;
  }

  async drain(worker: ContainedWorker, untilMs: number): Promise<ContainedWorker> {
    if (worker.drainsUntilMs !== null) return worker;
    this.acts.push(`drain ${worker.workerId}`);
    const drains = { ...worker, drainsUntilMs: untilMs };
    this.containers.set(worker.workerId, drains);
    return drains;
  }

  async kill({ workerId }: ContainedWorker): Promise<void> {
    this.acts.push(`kill ${workerId}`);
    this.end(workerId, null);
  }

  async takeDown(worker: ContainedWorker): Promise<WorkerEnd> {
    this.containers.delete(worker.workerId);
    const code = this.#codes.get(worker.workerId) ?? null;
    const livedMs = this.#clock.nowMs() - worker.startedAtMs;
    return {
      worker: { ...worker, pid: 0 },
      code,
      signal: code === null ? "SIGKILL" : null,
      words: null,
      livedMs,
    };
  }

  /** Its process ends; the container is still listed. */
  end(workerId: string, code: number | null): void {
    const worker = this.containers.get(workerId);
    if (worker !== undefined) this.containers.set(workerId, { ...worker, isRunning: false });
    this.#codes.set(workerId, code);
  }
}
