/** Which lanes a worker of a release subscribes to, and whether it may start at all. */
import { WorkerRefusedError } from "#shared/errors";
import { laneName } from "#shared/lane";
import type { LoadStore } from "#shared/redis/load-store";
import { floorOf, lanesReadBy, lanesWorthReading } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";

export interface WorkerPlace {
  readonly release: string;
  readonly queue: string;
}

/**
 * Lanes by name, oldest first.
 *
 * @throws {WorkerRefusedError} when the registry does not know the release, or gives it no lane.
 */
export async function requireLanes(
  load: LoadStore,
  document: RegistryDocument,
  { release, queue }: WorkerPlace,
): Promise<readonly string[]> {
  const state = document.releases[release]?.state ?? "not published";
  if (state !== "live") throw new WorkerRefusedError(`release ${release} is ${state}; publish it first`);
  const readable = lanesReadBy(document, release, queue);
  if (readable.length === 0) throw new WorkerRefusedError(`release ${release} has no job on queue ${queue}`);
  const names = readable.map((generation) => laneName(queue, generation));
  const { lanes } = await load.observeLanes(names, 0);
  const holdsJobs = (generation: number) => {
    const counts = lanes.get(laneName(queue, generation));
    return counts !== undefined && counts.waiting + counts.inFlight + counts.scheduled > 0;
  };
  const worthReading = lanesWorthReading(readable, floorOf(document, queue), holdsJobs);
  return worthReading.map((generation) => laneName(queue, generation));
}
