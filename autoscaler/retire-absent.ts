/**
 * Retires releases that the configuration no longer names.
 *
 * Only when that strands nothing: every lane with jobs that such a release reads must have another
 * live reader that the configuration can start. Otherwise it stays, and its lanes show as alarms.
 */
import type { Log } from "#shared/log";
import type { RedisConnection } from "#shared/redis/connection";
import type { Keys } from "#shared/redis/keys";
import { retireRelease } from "#shared/redis/registry-store";
import type { SluiceConfig } from "#shared/sluice-config";
import { readersNow } from "./retirement/decide-release-retirement.ts";
import type { Snapshot } from "./snapshot.ts";

export interface RetirePorts {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly config: SluiceConfig;
  readonly log: Log;
}

export async function retireAbsent(snapshot: Snapshot, ports: RetirePorts): Promise<void> {
  const { redis, keys, config, log } = ports;
  const named = new Set(config.releases.map((it) => it.id));
  const absent = snapshot.releases.filter((it) => it.state === "live" && !named.has(it.release));
  for (const { release } of absent) {
    const stranded = lanesStrandedWithout(snapshot, release, named);
    if (stranded.length > 0) {
      log.error(
        { release, lanes: stranded },
        "release is not in the configuration, but lanes need its readers",
      );
      continue;
    }
    await retireRelease(redis, keys, release);
    log.info({ release }, "release is not in the configuration and is retired");
  }
}

/** Lanes with jobs that no other configured live release reads. */
export function lanesStrandedWithout(
  snapshot: Snapshot,
  release: string,
  named: ReadonlySet<string>,
): readonly string[] {
  return snapshot.queues
    .flatMap((queue) => queue.lanes)
    .filter((lane) => lane.readers.includes(release))
    .filter((lane) => lane.waiting + lane.inFlight + lane.scheduled > 0)
    .filter((lane) => !readersNow(lane).some((it) => it !== release && named.has(it)))
    .map((lane) => lane.lane);
}
