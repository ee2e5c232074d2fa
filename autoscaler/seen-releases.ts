/**
 * The releases of one pool as the planner sees them. It decides nothing.
 *
 * Of a pool that is taken over by rollouts, releases without a part in it cannot be started, and workers that take
 * nothing are not counted: they are kept warm and do no work.
 */
import { lanesReadBy } from "#shared/registry/decide-lane";
import type { SluiceConfig } from "#shared/sluice-config";
import type { Observation } from "./observe.ts";
import { freeSlotsOf } from "./pool-sighting.ts";
import type { PoolReleases } from "./releases/decide-pool-releases.ts";
import type { PoolRelease } from "./scaling/decide-lane-owners.ts";
import type { WorkerView } from "./snapshot.ts";

export interface SeenPool {
  readonly queue: string;
  readonly config: Pick<SluiceConfig, "releases">;
  /** `null`: any release may have workers. */
  readonly parts: PoolReleases | null;
}

export function seenReleases(
  { document, snapshot, fleet }: Pick<Observation, "document" | "snapshot" | "fleet">,
  { queue, config, parts }: SeenPool,
): PoolRelease[] {
  const own = fleet.of(queue);
  const lanes = snapshot.queues.find((it) => it.queue === queue)?.lanes ?? [];
  const startable = new Set(config.releases.map((it) => it.id));
  return Object.entries(document.releases).flatMap(([release, known]) => {
    const generation = known.queues[queue]?.generation;
    if (generation === undefined) return [];
    const workers = own.filter((it) => it.release === release && (parts === null || works(it)));
    if (known.state === "retired" && workers.length === 0) return [];
    return [
      {
        release,
        generation,
        readsGenerations: lanesReadBy(document, release, queue),
        trippedGenerations: lanes
          .filter(({ trips }) => trips.some((trip) => trip.release === release))
          .map((lane) => lane.generation),
        publishedOrder: known.order,
        // A release that nobody would start must not be counted on.
        live:
          known.state === "live" && startable.has(release) && (parts === null || parts.parts.has(release)),
        workers: workers.filter(holdsPlace).length,
        starting: workers.filter((it) => it.state === "starting").length,
        freeSlots: freeSlotsOf(workers),
        draining: workers.filter((it) => it.state === "draining").length,
      },
    ];
  });
}

/** Workers by release that are there and that `seenReleases` leaves out, of a pool that is taken over by rollouts. */
export function idleWorkers(workers: readonly WorkerView[]): Readonly<Record<string, number>> {
  const idle: Record<string, number> = {};
  for (const worker of workers) {
    if (!works(worker) && holdsPlace(worker)) idle[worker.release] = (idle[worker.release] ?? 0) + 1;
  }
  return idle;
}

function works({ takes }: WorkerView): boolean {
  return takes === "all" || takes === "own-lanes";
}

function holdsPlace({ state }: WorkerView): boolean {
  return state === "starting" || state === "ok" || state === "suspect" || state === "quarantined";
}
