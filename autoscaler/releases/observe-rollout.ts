/**
 * Puts together what a rollout is decided on, from one look at everything and what the releases have counted.
 *
 * Pure. It judges nothing. Whatever a worker holds counts until somebody has heard of it again or its leases have run
 * out. Numbers are as old as the heartbeats: a worker that has not said yet that it takes nothing, takes.
 */
import { RELEASE_COUNTS, timeCounterName } from "#shared/rollout/release-counters";
import type { ProbeOutcome } from "#shared/rollout/release-orders";
import type { Observation } from "../observe.ts";
import { unfinishedIn } from "../retirement/decide-lane-retirement.ts";
import { LEASE_OVER_MS, readersNow } from "../retirement/decide-release-retirement.ts";
import { leaverOf } from "../rollout/decide-leaving.ts";
import { NO_TALLY } from "../rollout/decide-preflight.ts";
import type { Rollout, Tally } from "../rollout/rollout-document.ts";
import type { ComponentTally, ReleaseView, RolloutObservation } from "../rollout/rollout-observation.ts";
import type { LaneView, QueueView, WorkerView } from "../snapshot.ts";
import { contractView } from "./contract-view.ts";

/** Ever-rising counters of a release by name. */
export type ReleaseCounters = Readonly<Record<string, number>>;

export interface RolloutSight {
  readonly observation: Pick<Observation, "snapshot" | "document" | "redisNowMs">;
  readonly rollout: Rollout;
  /** Workers that the planner wants; `null` while it does not know. */
  readonly workersWanted: number | null;
  /** By release. */
  readonly counters: Readonly<Record<string, ReleaseCounters>>;
  /** What was said of the newest probe, `null` when nothing was. */
  readonly probe: ProbeOutcome | null;
  /** Counters of the new release when its stage was first seen. */
  readonly partsBefore: ReleaseCounters;
  /** Releases that have a part in the pool: nobody is started for what only others read. */
  readonly parts: ReadonlySet<string>;
}

export function observeRollout(sight: RolloutSight): RolloutObservation {
  const { observation, rollout, workersWanted } = sight;
  const { document, snapshot, redisNowMs } = observation;
  const { pool, from, to, drainers } = rollout;
  const queue = snapshot.queues.find((it) => it.queue === pool);
  const viewOf = (release: string) => releaseView(release, queue, sight);
  const types = Object.entries(document.types).filter(([, it]) => it.queue === pool);
  const leaver = document.releases[leaverOf(rollout)];
  return {
    atMs: redisNowMs,
    workersWanted,
    from: viewOf(from),
    to: viewOf(to),
    drainers: Object.fromEntries(drainers.map(({ release }) => [release, viewOf(release)])),
    contract: queue === undefined ? null : contractView(document, { pool, from, to }, queue),
    probe: probeOf(sight),
    activeVersions: Object.fromEntries(types.map(([type, it]) => [type, it.activeVersion])),
    components: componentsOf(sight.counters[to] ?? {}, sight.partsBefore),
    retired: leaver === undefined || leaver.state === "retired",
  };
}

/** Lanes of the pool that hold jobs or not, and that no other release with a part in it reads now. */
export function ownLanes(
  release: string,
  lanes: readonly LaneView[],
  parts: ReadonlySet<string>,
): LaneView[] {
  return lanes.filter((lane) => {
    const others = readersNow(lane).filter((it) => it !== release && parts.has(it));
    return lane.readers.includes(release) && others.length === 0;
  });
}

/** Heard of, and takes jobs: from every lane it reads, or from its own. */
export function isTaking({ state, takes }: Pick<WorkerView, "state" | "takes">): boolean {
  return state === "ok" && (takes === "all" || takes === "own-lanes");
}

/** May hold jobs though nobody hears of it. */
export function isUnheard({ state, heartbeatAgeMs, busy, takes }: WorkerView): boolean {
  const isSilent = state === "suspect" || (state === "dead" && (heartbeatAgeMs ?? 0) <= LEASE_OVER_MS);
  return isSilent && (busy > 0 || takes === "all" || takes === "own-lanes");
}

function releaseView(release: string, queue: QueueView | undefined, sight: RolloutSight): ReleaseView {
  const { pool } = sight.rollout;
  const own = sight.observation.snapshot.workers.filter((it) => it.queue === pool && it.release === release);
  const there = own.filter(({ state }) => state !== "dead");
  const leaving = there.filter((it) => !isTaking(it) && it.state !== "suspect");
  const lanes = queue === undefined ? null : ownLanes(release, queue.lanes, sight.parts);
  const counters = sight.counters[release];
  return {
    taking: there.filter(isTaking).length,
    workers: there.length,
    inFlight: busyOf(there),
    leavingInFlight: busyOf(leaving),
    unheard: own.filter(isUnheard).length,
    onlyItReads: lanes === null ? null : lanes.reduce((sum, lane) => sum + unfinishedIn(lane), 0),
    tally: counters === undefined ? null : tallyOf(counters),
    failuresInRow: failuresInRow(there),
    byWorker: there.flatMap((it) => {
      const isAtWork = isTaking(it) || it.busy > 0;
      return it.firstRuns === null ? [] : [{ worker: it.worker, isAtWork, ...withoutRow(it.firstRuns) }];
    }),
  };
}

function busyOf(workers: readonly WorkerView[]): number {
  return workers.reduce((sum, { busy }) => sum + busy, 0);
}

/** Of all workers together: one whose last job went well ends the row. */
function failuresInRow(workers: readonly WorkerView[]): number {
  const ran = workers.flatMap(({ firstRuns }) =>
    firstRuns === null || firstRuns.finished === 0 ? [] : [firstRuns.inRow],
  );
  return ran.includes(0) ? 0 : ran.reduce((sum, it) => sum + it, 0);
}

function withoutRow({ finished, failed, failedElsewhere, stalls }: NonNullable<WorkerView["firstRuns"]>) {
  return { finished, failed, failedElsewhere, stalls };
}

/** Nothing said of the attempt that is wanted is a probe under way: its own deadline ends it. */
function probeOf({ rollout, probe }: RolloutSight): RolloutObservation["probe"] {
  const wanted = rollout.probe?.attempt;
  if (wanted === undefined) return null;
  if (probe === null || probe.attempt !== wanted) {
    return { attempt: wanted, outcome: "pending", detail: "no worker has begun it" };
  }
  const { attempt, outcome, detail } = probe;
  return { attempt, outcome, detail };
}

export function tallyOf(counters: ReleaseCounters): Tally {
  const counts = RELEASE_COUNTS.map((name) => [name, counters[name] ?? 0] as const);
  const times = (phase: "run" | "pickup") =>
    NO_TALLY[phase].map((_none, bucket) => counters[timeCounterName(phase, bucket)] ?? 0);
  return { ...NO_TALLY, ...Object.fromEntries(counts), run: times("run"), pickup: times("pickup") };
}

/** `type|<name>|finished` and its like, as `release-counters.ts` names them. */
function componentsOf(counters: ReleaseCounters, before: ReleaseCounters): ComponentTally[] {
  return Object.keys(counters).flatMap((counter) => {
    const match = /^(type|tenant)\|(.*)\|finished$/s.exec(counter);
    if (match === null) return [];
    const [, kind, name = ""] = match;
    const failed = `${kind}|${name}|failed`;
    const since = (it: string) => Math.max(0, (counters[it] ?? 0) - (before[it] ?? 0));
    return [
      {
        kind: kind === "tenant" ? ("tenant" as const) : ("type" as const),
        name,
        finished: since(counter),
        failed: since(failed),
      },
    ];
  });
}
