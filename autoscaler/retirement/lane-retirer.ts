/**
 * Retires lanes that have been empty for good: what a lease could still bring back has come back by then.
 *
 * A retired lane costs nothing but its line in the registry; it is looked at like the others, so a job
 * that gets into it all the same is an alarm.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { RedisConnection } from "#shared/redis/connection";
import type { Keys } from "#shared/redis/keys";
import { retireLaneOf } from "#shared/redis/registry-store";
import type { Observation } from "../observe.ts";
import { decideLaneRetirement } from "./decide-lane-retirement.ts";

/** The lease and the stalled check: a job that a lost worker held is back in its lane after that. */
const EMPTY_FOR_MS = 21_000;

export interface LaneRetirerPorts {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
}

export class LaneRetirer {
  readonly #ports: LaneRetirerPorts;
  /** Since when each lane could have retired, monotonic. */
  readonly #emptySinceMs = new Map<string, number>();

  constructor(ports: LaneRetirerPorts) {
    this.#ports = ports;
  }

  /** Rejects when Redis is away. */
  async see({ snapshot, document }: Observation): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const { queue, lanes } of snapshot.queues) {
      for (const lane of lanes.filter((it) => it.retiredAt === null)) {
        const { mayRetire } = decideLaneRetirement(document, queue, lane);
        if (!mayRetire) this.#emptySinceMs.delete(lane.lane);
        else if (nowMs - this.#since(lane.lane, nowMs) >= EMPTY_FOR_MS) {
          await this.#retire({ queue, generation: lane.generation, at: snapshot.observedAt });
          this.#emptySinceMs.delete(lane.lane);
        }
      }
    }
  }

  #since(lane: string, nowMs: number): number {
    const since = this.#emptySinceMs.get(lane) ?? nowMs;
    this.#emptySinceMs.set(lane, since);
    return since;
  }

  async #retire(lane: {
    readonly queue: string;
    readonly generation: number;
    readonly at: string;
  }): Promise<void> {
    const { redis, keys, log } = this.#ports;
    const { queues } = await retireLaneOf(redis, keys, { ...lane, by: "autoscaler" });
    const known = queues[lane.queue]?.generations.find((it) => it.generation === lane.generation);
    // A release may have come back to the lane since it was looked at.
    if (known?.retired !== undefined) log.info(lane, "lane is empty for good and is retired");
  }
}
