/**
 * Chores: succeeded jobs go early when Redis' memory runs low, and quarantined ones when they are too many or too old.
 *
 * Failed jobs are never removed here, for somebody may still want to run them again, and parked ones never
 * at all. What keeps finished jobs in bounds otherwise is done by BullMQ as jobs finish.
 */
import type { Clock } from "#shared/clock";
import { deadName, laneName, parkedName } from "#shared/lane";
import type { Log } from "#shared/log";
import type { ChoreStore } from "#shared/redis/chore-store";
import { MEMORY_WARN_SHARE } from "#shared/redis/memory-watch";
import type { RegistryDocument } from "#shared/registry/registry-document";
import {
  decideCleaning,
  decideCleanSteps,
  decideQuarantineRemoval,
  isParkedAlarm,
} from "./decide-retention.ts";

const CLEANING = { above: MEMORY_WARN_SHARE, until: 0.65 };

/** Quarantined jobs looked at, and removed, in one round of a queue. */
const QUARANTINED_A_ROUND_MAX = 200;

export interface CleanSucceededPorts {
  readonly store: Pick<ChoreStore, "memoryUse" | "succeededIn" | "cleanSucceeded">;
  readonly log: Log;
  registry(): RegistryDocument;
  /** @param share of `maxmemory` in use; `null` when there is no limit. */
  onMemory(share: number | null): void;
  onCleaned(jobs: number): void;
}

export class CleanSucceeded {
  readonly name = "clean-succeeded";
  readonly #ports: CleanSucceededPorts;
  #isCleaning = false;

  constructor(ports: CleanSucceededPorts) {
    this.#ports = ports;
  }

  /** Rejects when Redis is away. */
  async round(): Promise<void> {
    const { store, log, registry, onMemory, onCleaned } = this.#ports;
    const use = await store.memoryUse();
    onMemory(use.maxBytes > 0 ? use.usedBytes / use.maxBytes : null);
    const wasCleaning = this.#isCleaning;
    this.#isCleaning = decideCleaning(use, CLEANING, wasCleaning);
    if (this.#isCleaning !== wasCleaning) {
      const what = this.#isCleaning ? "succeeded jobs are removed early" : "succeeded jobs are kept again";
      log.warn({ usedBytes: use.usedBytes, maxBytes: use.maxBytes }, `Redis' memory: ${what}`);
    }
    if (!this.#isCleaning) return;
    for (const { place, max } of decideCleanSteps(await store.succeededIn(lanesOf(registry())))) {
      onCleaned(await store.cleanSucceeded(place, max));
    }
  }
}

export interface BoundHeldPorts {
  readonly store: Pick<ChoreStore, "heldIn" | "remove">;
  readonly clock: Clock;
  readonly log: Log;
  registry(): RegistryDocument;
  onRemoved(queue: string, jobs: number): void;
  /** Whether a queue's parked jobs are beyond their bounds. */
  onParked(queue: string, isBeyond: boolean): void;
}

export class BoundHeld {
  readonly name = "bound-held";
  readonly #ports: BoundHeldPorts;
  readonly #alarmed = new Set<string>();
  /** Number of the queue whose turn it is. */
  #next = 0;

  constructor(ports: BoundHeldPorts) {
    this.#ports = ports;
  }

  /** One queue a round: these bounds are of days. Rejects when Redis is away. */
  async round(): Promise<void> {
    const queues = Object.keys(this.#ports.registry().queues);
    const queue = queues[this.#next % Math.max(1, queues.length)];
    this.#next += 1;
    if (queue === undefined) return;
    await this.#boundQuarantined(queue);
    await this.#watchParked(queue);
  }

  async #boundQuarantined(queue: string): Promise<void> {
    const { store, clock, log, onRemoved } = this.#ports;
    const held = await store.heldIn(deadName(queue), QUARANTINED_A_ROUND_MAX);
    const jobIds = decideQuarantineRemoval(held, clock.nowMs());
    if (jobIds.length === 0) return;
    for (const jobId of jobIds) await store.remove(deadName(queue), jobId);
    log.warn({ queue, jobIds }, "quarantined jobs were too many or too old and are removed");
    onRemoved(queue, jobIds.length);
  }

  async #watchParked(queue: string): Promise<void> {
    const { store, clock, log, onParked } = this.#ports;
    const held = await store.heldIn(parkedName(queue), 1);
    const isBeyond = isParkedAlarm(held, clock.nowMs());
    onParked(queue, isBeyond);
    if (!isBeyond) this.#alarmed.delete(queue);
    else if (!this.#alarmed.has(queue)) {
      this.#alarmed.add(queue);
      log.error(
        { queue, jobs: held.count },
        "parked jobs are too many or too old; publish a release that reads them",
      );
    }
  }
}

function lanesOf({ queues }: RegistryDocument): readonly string[] {
  return Object.entries(queues).flatMap(([queue, { generations }]) =>
    generations.map(({ generation }) => laneName(queue, generation)),
  );
}
