/**
 * Whether a lane may retire: it holds no job in any state, and no new one can come.
 *
 * Pure, and as cheap for a million jobs as for none: the counts are there already.
 */
import { acceptedVersions, routeOf } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";
import type { Blocker, RetirementAnswer } from "./retirement-answer.ts";

export interface LaneFacts {
  readonly lane: string;
  readonly generation: number;
  readonly waiting: number;
  readonly inFlight: number;
  readonly scheduled: number;
  readonly other: number;
}

export function decideLaneRetirement(
  document: RegistryDocument,
  queue: string,
  lane: LaneFacts,
): RetirementAnswer {
  return answerOf([...jobBlockers(lane), ...writerBlockers(document, queue, lane)]);
}

function jobBlockers({ lane, waiting, inFlight, scheduled, other }: LaneFacts): Blocker[] {
  const held = [
    [waiting, "jobs-waiting", "waits", "wait"],
    [inFlight, "jobs-in-flight", "runs", "run"],
    [scheduled, "jobs-scheduled", "is scheduled or due for a retry", "are scheduled or due for a retry"],
    [other, "jobs-of-others", "waits for children or repeats", "wait for children or repeat"],
  ] as const;
  return held
    .filter(([jobs]) => jobs > 0)
    .map(([jobs, code, ofOne, ofMany]) => ({
      code,
      what: jobs === 1 ? `1 job in ${lane} ${ofOne}` : `${jobs} jobs in ${lane} ${ofMany}`,
      jobs,
    }));
}

function writerBlockers(
  document: RegistryDocument,
  queue: string,
  { lane, generation }: LaneFacts,
): Blocker[] {
  const owners = Object.entries(document.releases)
    .filter(([, it]) => it.state === "live" && it.queues[queue]?.generation === generation)
    .map(([id]) => ({ code: "live-release", what: `release ${id} is live and has this lane for its own` }));
  const written = Object.entries(document.types)
    .filter(([, it]) => it.queue === queue)
    .filter(([type]) =>
      acceptedVersions(document, type).some(
        (version) => routeOf(document, type, version)?.generation === generation,
      ),
    )
    .map(([type]) => ({
      code: "new-jobs",
      what: `new jobs of ${type} are written to ${lane}`,
    }));
  return [...owners, ...written];
}

/** Jobs of a lane that have not ended, in every state. */
export function unfinishedIn({
  waiting,
  inFlight,
  scheduled,
  other,
}: Pick<LaneFacts, "waiting" | "inFlight" | "scheduled" | "other">): number {
  return waiting + inFlight + scheduled + other;
}

export function answerOf(blockers: readonly Blocker[]): RetirementAnswer {
  return { mayRetire: blockers.length === 0, blockers };
}
