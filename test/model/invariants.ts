/** What holds in a fleet at every moment, whatever people, deploys and crashes have done to it. */

import type { LaneView } from "#autoscaler/snapshot";
import { deadName, generationOf, parkedName } from "#shared/lane";
import { InvariantBroken, mayBeDead, type Owed } from "./ledger.ts";
import type { Whereabouts } from "./model-queues.ts";
import { QUEUE } from "./version-histories.ts";
import type { World } from "./world.ts";

/** @throws {InvariantBroken} naming the promise and the job or lane. */
export async function requireInvariants(world: World): Promise<void> {
  requireJobs(world);
  requireWorkers(world);
  const { snapshot } = await world.fleet.observe();
  const lanes = snapshot.queues.flatMap((it) => it.lanes);
  for (const lane of lanes) requireLane(world, lane);
  const known = new Set(lanes.map((it) => it.lane));
  const unknown = world.fleet.queues.lanesWithJobs().find((lane) => !known.has(lane));
  if (unknown !== undefined) throw new InvariantBroken("every lane is in the registry", unknown);
}

/** accepted = ended + stored, each job in one place, and none where it was put for its version. */
function requireJobs({ ledger, fleet }: World): void {
  const whereabouts = fleet.queues.whereabouts();
  for (const jobId of whereabouts.keys()) ledger.of(jobId);
  for (const job of ledger.jobs.values()) {
    const places = whereabouts.get(job.jobId) ?? [];
    const [only] = places;
    if (only === undefined || places.length > 1) {
      const found = places.map((it) => it.place).join(" and ") || "nowhere";
      throw new InvariantBroken("accepted = ended + stored", `${job.jobId} is ${found}`);
    }
    requireCause(job, only);
    requireStarts(job, fleet.queues.bodyOf(only.place, job.jobId)?.starts);
    if (only.place !== job.misplacedIn) job.misplacedIn = null;
  }
}

function requireStarts({ jobId, starts }: Owed, counted: number | undefined): void {
  if (counted !== starts)
    throw new InvariantBroken("counts", `${jobId} has ${counted} starts, not ${starts}`);
}

/** A release that was asked for before it was retired has nothing in flight any more. */
function requireWorkers({ fleet, forcedReleases }: World): void {
  for (const { build, state, workerId, isIdle } of fleet.workers) {
    const { release } = build;
    const isRetired = fleet.document.releases[release]?.state === "retired" && !forcedReleases.has(release);
    if (!isRetired || isIdle || state === "lost") continue;
    throw new InvariantBroken(
      "a retired release runs no job",
      `${workerId} of ${release} has jobs in flight`,
    );
  }
}

/** Where a job may be, by what was seen of it. */
function requireCause(job: Owed, { place, state }: Whereabouts): void {
  const isDead = place === deadName(QUEUE);
  if (isDead && !mayBeDead(job)) throw new InvariantBroken("only poison is quarantined", job.jobId);
  const isAside = isDead || place === parkedName(QUEUE);
  const isEnded = state === "succeeded" || state === "failed";
  const isPlace = isAside ? state !== "in-flight" : generationOf(place) !== null;
  if (isPlace && job.ended === (isEnded ? state : null)) return;
  const detail = `${job.jobId} is ${state} in ${place}; it has ${job.ended ?? "not ended"}`;
  throw new InvariantBroken("a job is where it was last put", detail);
}

function requireLane(world: World, { lane, orphaned, retiredAt, readers, ...view }: LaneView): void {
  const jobs = view.waiting + view.inFlight + view.scheduled;
  if (jobs === 0) return;
  requireAlarm(world, { lane, orphaned, readers });
  if (readers.length > 0 && retiredAt === null) return;
  if (readers.length === 0 && world.abandonedLanes.has(lane)) return;
  const [unexplained] = jobsWithoutExcuse(world, lane);
  if (unexplained === undefined) return;
  const invariant =
    readers.length === 0
      ? "no lane loses its last reader while it holds jobs"
      : "a retired lane holds no job";
  throw new InvariantBroken(invariant, `${unexplained} is in ${lane}`);
}

/** Of a lane with jobs: the alarm is given when nobody can run them, and never beside a worker that does. */
function requireAlarm(
  { fleet, coverage }: World,
  { lane, orphaned, readers }: Pick<LaneView, "lane" | "orphaned" | "readers">,
): void {
  const takers = fleet.workers.filter((it) => it.state === "ok" && it.lanes.includes(lane));
  const isHeld = takers.some(({ build }) => readers.includes(build.release));
  if (orphaned && isHeld) throw new InvariantBroken("no alarm for a lane that is worked on", lane);
  const taken = takers.length > 0 ? "a worker takes from it" : "no worker takes from it";
  coverage.count(
    orphaned ? `alarm: ${readers.length > 0 ? "live readers" : "no live reader"}, ${taken}` : "no alarm",
  );
  if (!orphaned && readers.length === 0) {
    throw new InvariantBroken("a lane with jobs and no live reader is an alarm", lane);
  }
}

/** Jobs of a lane that no person has put there. */
function jobsWithoutExcuse({ ledger, fleet }: World, lane: string): readonly string[] {
  return [...ledger.jobs.values()]
    .filter(({ ended, misplacedIn }) => ended === null && misplacedIn !== lane)
    .filter(({ jobId }) => fleet.queues.bodyOf(lane, jobId) !== undefined)
    .map(({ jobId }) => jobId);
}
