/** A run of the model: commands in any order, then what every promise comes down to: all jobs get done. */
import fc from "fast-check";
import { deadName } from "#shared/lane";
import { acts } from "./act.ts";
import { addPoison, enqueue, enqueueInvalid, refresh, repeat } from "./acts-of-clients.ts";
import {
  deploy,
  deployFork,
  migrate,
  misplace,
  moveGate,
  retireByForce,
  retireRelease,
  rollBack,
} from "./acts-of-operators.ts";
import {
  drain,
  finish,
  kill,
  LONGER_THAN_ANY_DELAY_MS,
  outOfTime,
  startWorker,
  take,
  tick,
  work,
  workThrough,
} from "./acts-of-workers.ts";
import { requireInvariants } from "./invariants.ts";
import { InvariantBroken } from "./ledger.ts";
import { Build } from "./model-build.ts";
import { QUEUE, VERSIONS_MAX } from "./version-histories.ts";
import type { World } from "./world.ts";

const COMMANDS_MAX = 250;

/** What happens in a well-run fleet, with crashes. */
const ORDERLY = [
  ...acts(3, deploy),
  ...acts(1, rollBack),
  ...acts(4, moveGate),
  ...acts(4, retireRelease),
  ...acts(4, migrate),
  ...acts(16, enqueue),
  ...acts(2, repeat),
  ...acts(1, enqueueInvalid),
  ...acts(1, refresh),
  ...acts(5, startWorker),
  ...acts(8, take),
  ...acts(7, finish),
  ...acts(4, work),
  ...acts(4, drain),
  ...acts(1, outOfTime),
  ...acts(2, kill),
  ...acts(7, tick),
];

/** What people do who do not ask. */
const UNRULY = [
  ...acts(1, deployFork),
  ...acts(1, retireByForce),
  ...acts(3, misplace),
  ...acts(1, addPoison),
];

export const orderlyCommands = commandsOf(ORDERLY);
export const anyCommands = commandsOf([...ORDERLY, ...UNRULY]);

function commandsOf(kinds: typeof ORDERLY) {
  return fc.commands<World, World, false>(kinds, { maxCommands: COMMANDS_MAX, size: "max" });
}

export async function runWorld(
  world: World,
  commands: Iterable<fc.AsyncCommand<World, World>>,
): Promise<void> {
  await deployFirst(world);
  await fc.asyncModelRun(() => ({ model: world, real: world }), commands);
  await requireAllDone(world);
}

/** Nothing of interest happens before there is a release with a worker. */
export async function deployFirst(world: World): Promise<void> {
  const change = { advance: 0, keeps: "as-before", toggles: false } as const;
  await deploy.run(world, { base: 0, changes: [change, change, change], upcasters: "right", workers: 1 });
}

/** Looks a job may need at most: its attempts, its hand-backs, a trip of the longest length. */
const LOOKS_MAX = 40;

/** Deploys a build that reads everything ever published: then every job gets done that is no poison. */
async function requireAllDone(world: World): Promise<void> {
  const { fleet, ledger, coverage } = world;
  for (const worker of fleet.workers.filter((it) => it.state !== "lost")) await worker.outOfTime();
  fleet.sweep();
  const release = await publishReaderOfAll(world);
  if (release === null) return;
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    // As the autoscaler would: a fresh worker, so that it takes from every lane that holds jobs now.
    for (const worker of fleet.workers) if (worker.state === "ok") worker.drain();
    await fleet.startWorker(release, 50);
    await workThrough(world, 10_000);
    if (stored(world).length === 0) break;
    await fleet.tick(LONGER_THAN_ANY_DELAY_MS);
  }
  await requireInvariants(world);
  const [left] = stored(world);
  if (left !== undefined) {
    const at = JSON.stringify(fleet.queues.whereabouts().get(left.jobId));
    throw new InvariantBroken("everything gets done once a build reads everything", `${left.jobId} is ${at}`);
  }
  coverage.count("runs");
  coverage.count("jobs", ledger.jobs.size);
}

/** Jobs that are neither ended nor put aside for a person. */
function stored({ ledger, fleet }: World) {
  const whereabouts = fleet.queues.whereabouts();
  return [...ledger.jobs.values()].filter(
    (job) => job.ended === null && whereabouts.get(job.jobId)?.[0]?.place !== deadName(QUEUE),
  );
}

export async function publishReaderOfAll(world: World): Promise<string | null> {
  const { fleet, histories } = world;
  const windows = histories.flatMap((history) => {
    const newest = fleet.document.types[history.type]?.versions.at(-1)?.version;
    return newest === undefined ? [] : [{ history, first: 1, last: Math.min(newest, VERSIONS_MAX) }];
  });
  if (windows.length === 0) return null;
  const build = new Build({ release: "reader-of-all", windows, upcasters: "right" });
  // Two generations may be live at once: whoever is in the way goes, the oldest first.
  for (;;) {
    if ((await fleet.publish(build)).kind !== "refused") return build.release;
    const [oldest] = fleet.liveReleases;
    if (oldest === undefined) throw new Error("a build that reads everything is refused");
    await fleet.forceRetire(oldest);
    world.forcedReleases.add(oldest);
    for (const lane of world.lanesWithoutReader()) world.abandonedLanes.add(lane);
  }
}
