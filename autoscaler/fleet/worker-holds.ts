/**
 * Heeds what people want of single workers: gives the orders as the leader, and says of each worker whether it is
 * held, so that whoever carries a decision out leaves it alone.
 *
 * As new as the last `heed`. What is to be ordered is `decideWorkerHolds`' judgement.
 */
import type { FleetStore } from "#shared/redis/fleet-store";
import type { WorkerHold, WorkerHoldsStore } from "#shared/redis/worker-holds-store";
import type { Term } from "../leadership.ts";
import type { Snapshot } from "../snapshot.ts";
import { decideWorkerHolds } from "./decide-worker-holds.ts";

export interface WorkerHoldsPorts {
  readonly store: Pick<WorkerHoldsStore, "read" | "drop">;
  readonly fleet: Pick<FleetStore, "order">;
}

export class WorkerHolds {
  readonly #ports: WorkerHoldsPorts;
  #held: ReadonlyMap<string, WorkerHold["order"]> = new Map();

  constructor(ports: WorkerHoldsPorts) {
    this.#ports = ports;
  }

  /** What a person ordered the worker to do, `null` when nobody did. */
  of(worker: string): WorkerHold["order"] | null {
    return this.#held.get(worker) ?? null;
  }

  /**
   * Reads the holds anew and has them obeyed.
   *
   * @throws {StaleEpochError} when the term is over; rejects when Redis is away.
   */
  async heed(
    { workers, observedAt }: Pick<Snapshot, "workers" | "observedAt">,
    term: Pick<Term, "epoch" | "require">,
  ): Promise<void> {
    const { store, fleet } = this.#ports;
    const holds = await store.read();
    this.#held = new Map(holds.map(({ worker, order }) => [worker, order]));
    const { give, done } = decideWorkerHolds(holds, { workers, observedAt });
    for (const { worker, order } of give) {
      term.require();
      await fleet.order(worker, { epoch: term.epoch, order });
    }
    for (const hold of done) await store.drop(hold);
  }
}
