/** What commands act on: a fleet, what it owes, and what people have done to it on purpose. */
import { laneName } from "#shared/lane";
import { lanesReadBy } from "#shared/registry/decide-lane";
import { FleetModel } from "./fleet-model.ts";
import { type Coverage, Ledger } from "./ledger.ts";
import { ModelProducer } from "./model-producer.ts";
import { HISTORIES, type History, QUEUE } from "./version-histories.ts";

/** Producers of one fleet. */
export const PRODUCERS = 3;

const producers = Array.from({ length: PRODUCERS }, () => new ModelProducer());

export class World {
  readonly coverage: Coverage;
  readonly ledger: Ledger;
  readonly fleet: FleetModel;
  /** The types that builds of this world have, the first two from the beginning. */
  readonly histories: readonly History[];
  /** Lanes that may be without a reader: somebody retired their last one without asking, or wrote there since. */
  readonly abandonedLanes = new Set<string>();
  /** Releases that somebody retired without asking. */
  readonly forcedReleases = new Set<string>();
  /** Numbers given to builds and to jobs. */
  releases = 0;
  jobs = 0;

  constructor(coverage: Coverage, histories: readonly number[], Fleet: typeof FleetModel = FleetModel) {
    this.coverage = coverage;
    this.ledger = new Ledger(coverage);
    this.fleet = new Fleet(producers, this.ledger);
    this.histories = histories.map((index) => HISTORIES[index % HISTORIES.length] as History);
  }

  /** Lanes of the registry that no live release reads. */
  lanesWithoutReader(): readonly string[] {
    const { document, liveReleases } = this.fleet;
    const read = new Set(liveReleases.flatMap((release) => [...lanesReadBy(document, release, QUEUE)]));
    const all = document.queues[QUEUE]?.generations ?? [];
    return all.filter((it) => !read.has(it.generation)).map((it) => laneName(QUEUE, it.generation));
  }
}
