/**
 * The workers of one machine, as the executor's directory has them: one small file each, from its start to its end.
 *
 * Any autoscaler of the machine sees the same workers by it, those that were started by one that was killed too, and
 * those that Redis has not heard of yet. It starts and signals nothing.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ExecutedWorker } from "./fleet-executor.ts";
import { bootId, isRunning, startTicksOf } from "./machine.ts";

/** Ended workers that are remembered. */
const ENDED_KEPT_MAX = 1_000;

const entry = z.object({
  workerId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  release: z.string(),
  queue: z.string(),
  startedAtMs: z.number(),
  pid: z.int().min(1),
  startTicks: z.number().nullable(),
  bootId: z.string(),
});

type Entry = z.output<typeof entry>;

export type RunningWorker = ExecutedWorker & { readonly pid: number };

export class WorkerRoster {
  readonly #directory: string;
  readonly #bootId = bootId();
  readonly #known = new Map<string, Entry>();
  /** Newest last; only as many as can still be in the fleet's registry. */
  readonly #ended = new Set<string>();

  constructor(directory: string) {
    this.#directory = join(directory, "workers");
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** Those whose processes are there, longest running first. */
  workers(): readonly RunningWorker[] {
    const present = new Set(readdirSync(this.#directory).filter((name) => name.endsWith(".json")));
    for (const { workerId } of this.#known.values()) {
      // Another autoscaler of the machine has seen it end.
      if (!present.has(fileName(workerId))) this.#gone(workerId);
    }
    for (const name of present) this.#look(name);
    return [...this.#known.values()].toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  }

  hasEnded(workerId: string): boolean {
    return this.#ended.has(workerId);
  }

  get ended(): readonly string[] {
    return [...this.#ended];
  }

  /** Takes in a worker whose process has just been started, or is found running; one that has ended counts so. */
  add(worker: RunningWorker): void {
    const { workerId, release, queue, startedAtMs, pid } = worker;
    const startTicks = startTicksOf(pid);
    if (!isRunning(pid)) {
      this.#gone(workerId);
      return;
    }
    const own: Entry = { workerId, release, queue, startedAtMs, pid, startTicks, bootId: this.#bootId };
    const draft = join(this.#directory, `${workerId}.tmp`);
    writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
    renameSync(draft, join(this.#directory, fileName(workerId)));
    this.#known.set(workerId, own);
  }

  /** Its process has ended. */
  remove(workerId: string): void {
    rmSync(join(this.#directory, fileName(workerId)), { force: true });
    this.#gone(workerId);
  }

  #look(name: string): void {
    const workerId = name.slice(0, -".json".length);
    const known = this.#known.get(workerId) ?? this.#read(name);
    if (known === null) return;
    if (known.bootId === this.#bootId && isRunning(known.pid, known.startTicks))
      this.#known.set(known.workerId, known);
    else this.remove(workerId);
  }

  /** `null` for what is gone, or is no entry: that is left for a person to look at. */
  #read(name: string): Entry | null {
    try {
      const found = entry.parse(JSON.parse(readFileSync(join(this.#directory, name), "utf8")));
      return fileName(found.workerId) === name ? found : null;
    } catch {
      return null;
    }
  }

  #gone(workerId: string): void {
    this.#known.delete(workerId);
    this.#ended.add(workerId);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= ENDED_KEPT_MAX) break;
      this.#ended.delete(oldest);
    }
  }
}

function fileName(workerId: string): string {
  return `${workerId}.json`;
}
