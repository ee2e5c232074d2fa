/**
 * Hands the memory of the planners on from leader to leader: without it a new one would have to watch for a whole hold
 * window before it may take anybody away, and would order again what is on its way.
 *
 * Best effort: it never fails a round, and a memory that is lost costs that and nothing else. What is remembered is
 * scaling/planner-state.ts's matter, that a leader of the past is refused planner-store.ts's.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { PlannerStore } from "#shared/redis/planner-store";
import type { Term } from "./leadership.ts";
import {
  EMPTY_PLANNER_STATE,
  type PlannerState,
  plannerStateToKeep,
  readPlannerState,
} from "./scaling/planner-state.ts";

/** How often the memory of a pool is written. */
export const KEEP_EVERY_MS = 15_000;

/** The last words of a term: it stops by a deadline, with Redis away too. */
export const LAST_WRITE_MS_MAX = 200;

/** What is older says little about now. */
export const MEMORY_AGE_MS_MAX = 600_000;

export interface PlannerMemoryPorts {
  readonly store: Pick<PlannerStore, "read" | "write">;
  readonly clock: Clock;
  readonly log: Log;
}

interface Latest {
  readonly state: PlannerState;
  readonly epoch: number;
  /** When the pool's memory was written last, monotonic, and what it was. */
  readonly writtenAtMs: number;
  readonly written: PlannerState | null;
}

export class PlannerMemory {
  readonly #ports: PlannerMemoryPorts;
  /** By pool. */
  readonly #latest = new Map<string, Latest>();
  #isFailing = false;

  constructor(ports: PlannerMemoryPorts) {
    this.#ports = ports;
  }

  /** What the planners of the leader before remembered, by pool. Never rejects: nothing is remembered when in doubt. */
  async recall(): Promise<ReadonlyMap<string, PlannerState>> {
    const { store, log } = this.#ports;
    const recalled = new Map<string, PlannerState>();
    try {
      const lost: { pool: string; ageMs: number }[] = [];
      for (const [pool, { ageMs, state: stored }] of await store.read()) {
        // From the future when Redis' clock was set back: its times mean nothing now.
        const isOfUse = ageMs >= 0 && ageMs <= MEMORY_AGE_MS_MAX;
        const state = isOfUse ? readPlannerState(stored) : EMPTY_PLANNER_STATE;
        if (state === EMPTY_PLANNER_STATE) lost.push({ pool, ageMs });
        else recalled.set(pool, state);
      }
      if (lost.length > 0)
        log.info({ pools: lost.slice(0, 20) }, "what planners remembered is too old or not readable");
    } catch (error) {
      log.warn({ err: error }, "what planners remembered cannot be read; they begin anew");
    }
    return recalled;
  }

  /** Writes what a pool's planner remembers, now and then. Never rejects. */
  async keep(pool: string, state: PlannerState, epoch: number): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs();
    const before = this.#latest.get(pool);
    const last = before?.epoch === epoch ? before : null;
    const isDue = last === null || nowMs - last.writtenAtMs >= KEEP_EVERY_MS;
    const written = isDue ? state : last.written;
    this.#latest.set(pool, { state, epoch, written, writtenAtMs: isDue ? nowMs : last.writtenAtMs });
    if (isDue) await this.#write(pool, state, epoch);
  }

  /** Resolves once the term is over and what was not written yet has been, or is given up. Never rejects. */
  async keepAtEnd({ over, epoch }: Pick<Term, "over" | "epoch">): Promise<void> {
    if (!over.aborted)
      await new Promise<void>((resolve) => over.addEventListener("abort", () => resolve(), { once: true }));
    const late = [...this.#latest].filter(([, it]) => it.epoch === epoch && it.state !== it.written);
    const writing = Promise.all(late.map(([pool, { state }]) => this.#write(pool, state, epoch)));
    await Promise.race([writing, this.#ports.clock.sleep(LAST_WRITE_MS_MAX)]);
  }

  async #write(pool: string, state: PlannerState, epoch: number): Promise<void> {
    const { store, log } = this.#ports;
    try {
      await store.write(pool, JSON.stringify(plannerStateToKeep(state)), epoch);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        log.warn({ err: error, pool }, "what the planner remembers was not kept for the next leader");
      this.#isFailing = true;
    }
  }
}
