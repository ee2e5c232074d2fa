/**
 * Whether a release may retire: its workers hold no job and take none, every lane it serves that holds
 * jobs has another live reader, and every active version stays readable. Older versions that only it reads
 * end with it, whatever sunset was announced for them.
 *
 * Pure. Unknown is not drained: a worker that was not heard of lately may still hold a job, until the
 * lease of any job it could hold has run out and somebody has looked.
 */
import { lanesReadBy, routeOf } from "#shared/registry/decide-lane";
import { retire } from "#shared/registry/decide-publish";
import type { RegistryDocument } from "#shared/registry/registry-document";
import type { LaneView, QueueView, WorkerView } from "../snapshot.ts";
import { answerOf, unfinishedIn } from "./decide-lane-retirement.ts";
import type { Blocker, RetirementAnswer } from "./retirement-answer.ts";

/** Lease, stalled check and a second: after that a lost worker's job is somebody else's. */
export const LEASE_OVER_MS = 21_000;

export interface ReleaseFacts {
  readonly release: string;
  readonly workers: readonly WorkerView[];
  readonly queues: readonly QueueView[];
}

export function decideReleaseRetirement(document: RegistryDocument, facts: ReleaseFacts): RetirementAnswer {
  const known = Object.hasOwn(document.releases, facts.release)
    ? document.releases[facts.release]
    : undefined;
  if (known === undefined) {
    return answerOf([{ code: "release-unknown", what: `no release ${facts.release} was ever published` }]);
  }
  if (known.state === "retired") return answerOf([]);
  return answerOf([
    ...facts.workers.filter((it) => it.release === facts.release).flatMap(workerBlockers),
    ...laneBlockers(document, facts),
    ...refusalBlockers(document, facts.release),
  ]);
}

function workerBlockers({ worker, state, busy, heartbeatAgeMs }: WorkerView): Blocker[] {
  if (state === "dead" && (heartbeatAgeMs ?? 0) > LEASE_OVER_MS) return [];
  if (state === "dead" || state === "suspect") {
    const what = `worker ${worker} was not heard of lately and may still hold jobs`;
    return [{ code: "worker-unheard", what }];
  }
  if (busy > 0) {
    const what = `worker ${worker} has ${busy} ${busy === 1 ? "job" : "jobs"} in flight`;
    return [{ code: "jobs-in-flight", what, jobs: busy }];
  }
  if (state === "draining" || state === "quarantined") return [];
  return [{ code: "worker-takes-jobs", what: `worker ${worker} still takes jobs; drain it first` }];
}

function laneBlockers(document: RegistryDocument, { release, queues }: ReleaseFacts): Blocker[] {
  return queues.flatMap((queue) => {
    const read = new Set(lanesReadBy(document, release, queue.queue));
    return queue.lanes
      .filter((lane) => read.has(lane.generation) && unfinishedIn(lane) > 0)
      .filter((lane) => readersNow(lane).every((reader) => reader === release))
      .map((lane) => ({
        code: "lane-without-reader",
        what: `lane ${lane.lane} holds ${unfinishedIn(lane)} ${unfinishedIn(lane) === 1 ? "job" : "jobs"} that no other live release reads`,
        jobs: unfinishedIn(lane),
      }));
  });
}

/** Live releases that read the lane now: one that has tripped on it does not. */
export function readersNow({ readers, trips }: Pick<LaneView, "readers" | "trips">): readonly string[] {
  const tripped = new Set(trips.map((it) => it.release));
  return readers.filter((reader) => !tripped.has(reader));
}

/** Active versions that nobody would read. */
function refusalBlockers(document: RegistryDocument, release: string): Blocker[] {
  const after = retire(document, release);
  return Object.entries(document.types)
    .filter(([type, { activeVersion }]) => routeOf(document, type, activeVersion) !== null)
    .filter(([type, { activeVersion }]) => routeOf(after, type, activeVersion) === null)
    .map(([type, { activeVersion }]) => ({
      code: "version-without-reader",
      what: `version ${activeVersion} of ${type} is active and no other live release reads it; lower its gate first`,
    }));
}
