/** Who is there in a pool, release by release, and the lanes of a release, from one look. Pure. */
import type { Observation } from "../observe.ts";
import { ownLanes } from "./observe-rollout.ts";

export type Look = Pick<Observation, "snapshot" | "document" | "redisNowMs">;

const HOLDS_PLACE: ReadonlySet<string> = new Set(["starting", "ok", "suspect", "quarantined"]);

/** Every release that is known in the pool or has a worker there, and its workers. */
export function presentIn(pool: string, { snapshot, document }: Look) {
  const own = snapshot.workers.filter((it) => it.queue === pool && it.state !== "dead");
  const known = Object.entries(document.releases).filter(([, it]) => Object.hasOwn(it.queues, pool));
  const releases = [...new Set([...known.map(([id]) => id), ...own.map(({ release }) => release)])];
  const count = (holds: (state: string) => boolean) =>
    Object.fromEntries(
      releases.map((release) => [
        release,
        own.filter((it) => it.release === release && holds(it.state)).length,
      ]),
    );
  return {
    releases,
    present: count((state) => HOLDS_PLACE.has(state)),
    quarantined: count((state) => state === "quarantined"),
  };
}

/** Lanes that no other release of `parts` reads. */
export function laneNames(
  pool: string,
  release: string,
  { observation, parts }: { readonly observation: Look; readonly parts: ReadonlySet<string> },
): readonly string[] {
  const queue = observation.snapshot.queues.find((it) => it.queue === pool);
  return ownLanes(release, queue?.lanes ?? [], parts).map(({ lane }) => lane);
}
