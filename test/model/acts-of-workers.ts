/** What workers go through: start, take, run, drain, run out of time, die; and time itself. */
import fc from "fast-check";
import { parkedName } from "#shared/lane";
import { type ActKind, pick } from "./act.ts";
import { WORKERS_MAX } from "./fleet-model.ts";
import type { HandlerEnd, ModelWorker } from "./model-worker.ts";
import { QUEUE } from "./version-histories.ts";
import type { World } from "./world.ts";

const draw = fc.nat(1_000);

/** A month and two hours: what was scheduled a month ahead is due. */
export const LONGER_THAN_ANY_DELAY_MS = 2_600_000_000;

export const startWorker: ActKind<{ readonly release: number; readonly slots: number }> = {
  name: "start a worker",
  parameters: fc.record({ release: draw, slots: fc.integer({ min: 1, max: 4 }) }),
  applies: ({ fleet }) => fleet.liveReleases.length > 0 && fleet.workers.length < WORKERS_MAX,
  async run({ fleet, coverage }, { release, slots }) {
    const parkedBefore = fleet.queues.countsOf(parkedName(QUEUE)).waiting;
    await fleet.startWorker(pick(fleet.liveReleases, release) as string, slots);
    coverage.count("parked jobs released", parkedBefore - fleet.queues.countsOf(parkedName(QUEUE)).waiting);
  },
};

/** Workers that could take a job now, each with a lane that holds one. */
export function takers({ fleet }: World): readonly { readonly worker: ModelWorker; readonly lane: string }[] {
  return fleet.workers.flatMap((worker) =>
    worker.openLanes
      .filter((lane) => fleet.queues.countsOf(lane).waiting > 0)
      .map((lane) => ({ worker, lane })),
  );
}

export const take: ActKind<{ readonly taker: number }> = {
  name: "take",
  parameters: fc.record({ taker: draw }),
  applies: (world) => takers(world).length > 0,
  async run(world, { taker }) {
    const taking = pick(takers(world), taker);
    await taking?.worker.take(taking.lane);
  },
};

/** Jobs in flight on workers that are there. */
export function runs({ fleet }: World): readonly { readonly worker: ModelWorker; readonly jobId: string }[] {
  return fleet.workers
    .filter((it) => it.state !== "lost")
    .flatMap((worker) => worker.running.map(({ jobId }) => ({ worker, jobId })));
}

export const finish: ActKind<{ readonly run: number; readonly end: HandlerEnd }> = {
  name: "a handler ends",
  parameters: fc.record({
    run: draw,
    end: fc.constantFrom<HandlerEnd>("returns", "returns", "returns", "throws", "throws", "throws-terminal"),
  }),
  applies: (world) => runs(world).length > 0,
  async run(world, { run: drawn, end }) {
    const run = pick(runs(world), drawn);
    if (run === undefined) return;
    if (end !== "returns") world.ledger.handlerFails(run.jobId);
    await run.worker.finish(run.jobId, end);
  },
};

/** Takes and finishes until nothing more can be taken, or `max` jobs were. Answers how many. */
export async function workThrough(world: World, max: number): Promise<number> {
  for (let taken = 0; taken < max; taken += 1) {
    for (const { worker, jobId } of runs(world)) await worker.finish(jobId, "returns");
    const [taking] = takers(world);
    if (taking === undefined) return taken;
    await taking.worker.take(taking.lane);
  }
  return max;
}

export const work: ActKind<{ readonly max: number }> = {
  name: "work",
  parameters: fc.record({ max: fc.integer({ min: 1, max: 12 }) }),
  applies: (world) => takers(world).length > 0,
  async run(world, { max }) {
    await workThrough(world, max);
  },
};

export const drain: ActKind<{ readonly worker: number; readonly wholeRelease: boolean }> = {
  name: "drain",
  parameters: fc.record({ worker: draw, wholeRelease: fc.boolean() }),
  applies: ({ fleet }) => fleet.workers.some((it) => it.state === "ok"),
  async run({ fleet }, { worker: drawn, wholeRelease }) {
    const taking = fleet.workers.filter((it) => it.state === "ok");
    const first = pick(taking, drawn);
    for (const worker of taking) {
      if (worker === first || (wholeRelease && worker.build === first?.build)) {
        await fleet.drain(worker.workerId);
      }
    }
  },
};

export const outOfTime: ActKind<{ readonly worker: number }> = {
  name: "a drain is out of time",
  parameters: fc.record({ worker: draw }),
  applies: ({ fleet }) => fleet.workers.some((it) => it.state === "draining"),
  async run({ fleet }, { worker }) {
    await pick(
      fleet.workers.filter((it) => it.state === "draining"),
      worker,
    )?.outOfTime();
  },
};

export const kill: ActKind<{ readonly worker: number }> = {
  name: "kill",
  parameters: fc.record({ worker: draw }),
  applies: ({ fleet }) => fleet.workers.some((it) => it.state !== "lost"),
  async run({ fleet, coverage }, { worker: drawn }) {
    const worker = pick(
      fleet.workers.filter((it) => it.state !== "lost"),
      drawn,
    );
    coverage.count("killed in flight", worker?.running.length ?? 0);
    worker?.kill();
  },
};

export const tick: ActKind<{ readonly byMs: number }> = {
  name: "tick",
  // From less than a producer's interval to more than a lease, the longest hand-back and the longest trip.
  parameters: fc.record({
    byMs: fc.constantFrom(
      200,
      2_000,
      2_000,
      10_000,
      21_000,
      21_000,
      61_000,
      660_000,
      LONGER_THAN_ANY_DELAY_MS,
    ),
  }),
  applies: () => true,
  async run({ fleet, coverage }, { byMs }) {
    coverage.count("lanes retired", (await fleet.tick(byMs)).length);
  },
};
