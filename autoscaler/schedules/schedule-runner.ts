/**
 * Fires schedules: asks Redis each second, or when the next is due, what is due, and has it enqueued.
 *
 * The times are Redis' own, so a leader whose clock is off fires on time all the same. Several at once do no harm:
 * they enqueue the same ids, and only one of them moves a schedule on.
 */
import type { Clock } from "#shared/clock";
import type { DueSchedules, ScheduleStore, StoredSchedule } from "#shared/redis/schedule-store";
import { alsoEnqueued } from "#shared/schedules/schedule-state";
import { type Fired, type FirePorts, fireSchedule } from "./fire-schedule.ts";

/** A schedule that is put in is noticed within this. */
const LOOK_MS_MAX = 1_000;

/** Between two looks, however much is due. */
const LOOK_MS_MIN = 20;

/** Schedules that one look takes up, and that are fired at once. */
const DUE_MAX = 200;
const FIRED_AT_ONCE = 16;

/** Changes of one schedule in a row while it is fired. */
const CHANGES_MAX = 5;

/** A schedule of another version is looked at again after this: whoever wrote it may be the leader then. */
const UNREADABLE_MS = 60_000;

export interface ScheduleRunnerPorts extends FirePorts {
  readonly store: Pick<ScheduleStore, "due" | "get" | "advance" | "postpone">;
  readonly clock: Clock;
  /** Told of each schedule that was fired. */
  onFired(fired: Pick<Fired, "enqueued" | "missed" | "refusal">): void;
  /** Told at each look how many schedules have an occurrence that is refused. */
  onLooked(refused: number): void;
}

export class ScheduleRunner {
  readonly #ports: ScheduleRunnerPorts;
  #isFailing = false;

  constructor(ports: ScheduleRunnerPorts) {
    this.#ports = ports;
  }

  /** Resolves once `signal` aborts and the round in progress has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    let waitMs = 0;
    while ((await clock.sleep(waitMs, signal)) === "elapsed") {
      try {
        waitMs = await this.round();
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing)
          log.warn({ err: error }, "schedules could not be looked at; they are tried again");
        this.#isFailing = true;
        waitMs = LOOK_MS_MAX;
      }
    }
  }

  /** Fires what is due and answers after how long to look again, in milliseconds. Rejects when Redis is away. */
  async round(): Promise<number> {
    const { store, onLooked, log } = this.#ports;
    const look = await store.due(DUE_MAX);
    onLooked(look.refused);
    for (const field of look.unreadable) {
      log.error({ schedule: field }, "schedule cannot be read: another version wrote it");
      await store.postpone(field, look.redisNowMs + UNREADABLE_MS);
    }
    await this.#fireAll(look);
    if (look.due.length > 0) return LOOK_MS_MIN;
    const untilNextMs = (look.nextMs ?? Number.POSITIVE_INFINITY) - look.redisNowMs;
    return Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, untilNextMs));
  }

  async #fireAll({ due, redisNowMs }: DueSchedules): Promise<void> {
    const left = due.values();
    const fireNext = async () => {
      for (const stored of left) await this.#fire(stored, redisNowMs);
    };
    await Promise.all(Array.from({ length: FIRED_AT_ONCE }, fireNext));
  }

  async #fire(stored: StoredSchedule, nowMs: number): Promise<void> {
    const { store, log, onFired } = this.#ports;
    const fired = await fireSchedule(stored, this.#ports, nowMs);
    const { tenant, name } = stored.schedule;
    if (!(await store.advance(stored, fired.state))) return this.#addToChanged(stored, fired);
    onFired(fired);
    const schedule = `${tenant}/${name}`;
    if (fired.missed > 0) {
      log.warn(
        { schedule, missed: fired.missed, last: fired.state.lastMissed },
        "schedule has missed occurrences",
      );
    }
    if (fired.refusal !== null && stored.state.refused === null) {
      log.warn(
        { schedule, refusal: fired.refusal },
        "occurrence of a schedule is refused; it is tried again",
      );
    }
  }

  /** Changed meanwhile: whoever changed it has said where it goes on, and did not know of these jobs. */
  async #addToChanged({ schedule }: StoredSchedule, fired: Fired): Promise<void> {
    const { store, onFired } = this.#ports;
    if (fired.enqueued.length === 0) return;
    for (let attempt = 0; attempt < CHANGES_MAX; attempt += 1) {
      const now = await store.get(schedule.tenant, schedule.name);
      if (now === null) return;
      const state = alsoEnqueued(now.schedule, now.state, fired.enqueued);
      if (state === now.state) return;
      if (await store.advance(now, state))
        return onFired({ enqueued: fired.enqueued, missed: 0, refusal: null });
    }
  }
}
