/**
 * The commands that a trace for a real Redis is made of, and the trace that a seed gives.
 *
 * Left out is what would take the real one minutes: leases that run out, hand-backs that wait, lanes that
 * retire. So jobs are scheduled far ahead or not at all, a misplaced job is parked at its first refusal,
 * and nothing is asked whose end would depend on which of two builds is quicker.
 */
import fc from "fast-check";
import { type ActKind, acts } from "./act.ts";
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
import { drain, startWorker } from "./acts-of-workers.ts";
import { type Entry, JournalFleet } from "./journal-fleet.ts";
import { Coverage } from "./ledger.ts";
import { deployFirst, publishReaderOfAll } from "./run-world.ts";
import { World } from "./world.ts";

const COMMANDS_MAX = 60;

const MONTH_MS = 30 * 24 * 3_600_000;

const commands = fc.commands<World, World, false>(
  [
    ...acts(3, {
      ...deploy,
      parameters: deploy.parameters.map((it) => ({ ...it, upcasters: "right", workers: 1 })),
    }),
    ...acts(1, { ...rollBack, parameters: rollBack.parameters.map((it) => ({ ...it, workers: 1 })) }),
    ...acts(1, deployFork),
    ...acts(3, moveGate),
    ...acts(2, retireRelease),
    ...acts(1, retireByForce),
    ...acts(3, migrate),
    ...acts(9, {
      ...enqueue,
      parameters: enqueue.parameters.map((it) => ({ ...it, delayMs: it.delayMs > 0 ? MONTH_MS : 0 })),
    }),
    ...acts(1, repeat),
    ...acts(1, enqueueInvalid),
    ...acts(5, refresh),
    ...acts(1, startWorker),
    ...acts(3, drain),
    ...acts(
      3,
      ofOneMind({ ...misplace, parameters: misplace.parameters.map((it) => ({ ...it, handBacks: 8 })) }),
    ),
    ...acts(1, ofOneMind(addPoison)),
  ],
  { maxCommands: COMMANDS_MAX, size: "max" },
);

/** Applies only while each lane has workers of one release at most: whoever comes first is then all the same. */
function ofOneMind<Parameters>(kind: ActKind<Parameters>): ActKind<Parameters> {
  return { ...kind, applies: (world, parameters) => isOfOneMind(world) && kind.applies(world, parameters) };
}

function isOfOneMind({ fleet }: World): boolean {
  const taking = fleet.workers.filter((it) => it.state === "ok");
  return taking.every((one) =>
    taking.every(
      (other) => one.build === other.build || !one.lanes.some((lane) => other.lanes.includes(lane)),
    ),
  );
}

export interface Trace {
  readonly entries: readonly Entry[];
  readonly world: World;
}

/** Ends with a build that reads everything ever published. */
export async function traceOf(seed: number): Promise<Trace> {
  const world = new World(new Coverage(), [seed, seed + 1, seed + 3], JournalFleet);
  const fleet = world.fleet as JournalFleet;
  fleet.world = world;
  await deployFirst(world);
  for (const producer of fleet.producers.keys()) await fleet.refresh(producer);
  const [those] = fc.sample(commands, { seed, numRuns: 1 });
  await fc.asyncModelRun(() => ({ model: world, real: world }), those ?? []);
  const release = await publishReaderOfAll(world);
  if (release !== null) await fleet.startWorker(release, 4);
  return { entries: fleet.entries, world };
}
