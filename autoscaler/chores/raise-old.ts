/** Chore: jobs that have waited long go before those of their priority, where a queue's jobs have priorities. */
import { laneName } from "#shared/lane";
import type { ChoreStore } from "#shared/redis/chore-store";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { type CounterLook, counterWaited, withCounterLook } from "./decide-raise.ts";

/** BullMQ's number of the highest priority that jobs are given. */
const HIGHEST = 1;

/** Calls for one lane in a round: 200 jobs each. */
const CALLS_MAX = 5;
const CALL_JOBS = 200;

export interface RaiseOldPorts {
  readonly store: Pick<ChoreStore, "raiseOld">;
  registry(): RegistryDocument;
  prioritiesOf(queue: string): { readonly priorities: boolean; readonly raiseAfterMs: number };
  onRaised(queue: string, jobs: number): void;
}

export class RaiseOld {
  readonly name = "raise-old";
  readonly #ports: RaiseOldPorts;
  /** By lane. Forgotten with the process: a new leader waits the time itself before it raises. */
  readonly #looks = new Map<string, readonly CounterLook[]>();

  constructor(ports: RaiseOldPorts) {
    this.#ports = ports;
  }

  /** Rejects when Redis is away. */
  async round(): Promise<void> {
    const { registry, prioritiesOf } = this.#ports;
    for (const [queue, { generations }] of Object.entries(registry().queues)) {
      const { priorities, raiseAfterMs } = prioritiesOf(queue);
      for (const { generation, retired } of generations) {
        const lane = laneName(queue, generation);
        if (priorities && retired === undefined) await this.#raiseIn(queue, lane, raiseAfterMs);
        else this.#looks.delete(lane);
      }
    }
  }

  async #raiseIn(queue: string, lane: string, raiseAfterMs: number): Promise<void> {
    const { store, onRaised } = this.#ports;
    const look = await store.raiseOld(lane, { highest: HIGHEST, waited: null, ageMs: raiseAfterMs });
    const { redisNowMs: atMs, counter } = look;
    const looks = withCounterLook(this.#looks.get(lane) ?? [], { atMs, counter }, raiseAfterMs);
    this.#looks.set(lane, looks);
    const waited = counterWaited(looks, atMs, raiseAfterMs);
    if (waited === null) return;
    for (let call = 0; call < CALLS_MAX; call += 1) {
      const { raised } = await store.raiseOld(lane, { highest: HIGHEST, waited, ageMs: raiseAfterMs });
      if (raised > 0) onRaised(queue, raised);
      if (raised < CALL_JOBS) return;
    }
  }
}
