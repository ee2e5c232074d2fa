/** What people do to a fleet: deploy, roll back, move gates, retire, migrate, and what they should not do. */
import fc from "fast-check";
import { WorkerRefusedError } from "#shared/errors";
import { generationOf, laneName } from "#shared/lane";
import { type ActKind, pick } from "./act.ts";
import { Build } from "./model-build.ts";
import {
  type History,
  QUEUE,
  type Upcasters,
  VERSIONS_MAX,
  versionIn,
  type Window,
} from "./version-histories.ts";
import type { World } from "./world.ts";

const draw = fc.nat(1_000);

const RIGHT_MOSTLY: readonly Upcasters[] = [...Array<Upcasters>(8).fill("right"), "throwing", "wrong"];

/** How a build's window of one type follows from the build before. */
const change = fc.record({
  /** New versions that it brings. */
  advance: fc.constantFrom(0, 0, 0, 1, 1, 2),
  /** Which older versions it keeps. */
  keeps: fc.constantFrom("as-before", "as-before", "all", "one-group-behind", "newest-only"),
  /** Whether it leaves a type that it has, or brings one that it lacks. */
  toggles: fc.constantFrom(false, false, false, false, false, true),
});

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

export const deploy: ActKind<{
  readonly base: number;
  readonly changes: readonly Change[];
  readonly upcasters: Upcasters;
  readonly workers: number;
}> = {
  name: "deploy",
  parameters: fc.record({
    base: draw,
    changes: fc.array(change, { minLength: 3, maxLength: 3 }),
    upcasters: fc.constantFrom(...RIGHT_MOSTLY),
    workers: fc.nat(2),
  }),
  applies: () => true,
  async run(world, { base, changes, upcasters, workers }) {
    const { fleet } = world;
    // Mostly the newest build is built on, sometimes an older one: a fix of what production runs.
    const known = [...fleet.builds.values()];
    const before = base % 4 === 0 ? pick(known, base) : known.at(-1);
    const windows = world.histories.flatMap((history, index) => {
      const window = nextWindow(history, before, changes[index] as Change, index < 2);
      return window === null ? [] : [window];
    });
    if (windows.length === 0) return;
    world.releases += 1;
    const build = new Build({ release: `r${world.releases}`, windows, upcasters });
    await publishAndStart(world, build, workers);
  },
};

async function publishAndStart(world: World, build: Build, workers: number): Promise<boolean> {
  const decision = await world.fleet.publish(build);
  world.coverage.count(`publish: ${decision.kind}`);
  if (decision.kind === "refused") return false;
  if (build.plan.upcasters !== "right") world.coverage.count("publish: with a defect");
  for (let started = 0; started < workers; started += 1) await world.fleet.startWorker(build.release, 2);
  return true;
}

/** `null`: the build does not have the type. */
function nextWindow(
  history: History,
  before: Build | undefined,
  { advance, keeps, toggles }: Change,
  isFromTheStart: boolean,
): Window | null {
  const had = before?.windowOf(history.type);
  if (had === undefined) {
    const brings = before === undefined ? isFromTheStart : toggles;
    return brings ? { history, first: 1, last: 1 + advance } : null;
  }
  if (toggles) return null;
  const last = Math.min(had.last + advance, VERSIONS_MAX);
  return { history, first: firstOf({ ...had, last }, keeps), last };
}

function firstOf({ history, first, last }: Window, keeps: Change["keeps"]): number {
  switch (keeps) {
    case "as-before":
      return first;
    case "all":
      return 1;
    case "newest-only":
      return last;
    case "one-group-behind": {
      const own = versionIn(history, last).minReaderVersion;
      return own === 1 ? 1 : versionIn(history, own - 1).minReaderVersion;
    }
  }
}

/** Publishes a published version with another schema, as two branches that both added one would. */
export const deployFork: ActKind<{ readonly base: number }> = {
  name: "deploy a fork",
  parameters: fc.record({ base: draw }),
  applies: ({ fleet }) => fleet.builds.size > 0,
  async run({ fleet, coverage, releases }, { base }) {
    const build = pick([...fleet.builds.values()], base) as Build;
    const [forked, ...types] = build.descriptor.types;
    if (forked === undefined) return;
    const [version, ...versions] = forked.versions;
    const schema = { type: "object", properties: { fork: { type: "string" } } };
    const other = { ...forked, versions: [{ ...version, schema }, ...versions] } as typeof forked;
    const fork = new Build({ ...build.plan, release: `r${releases}-fork` });
    Object.assign(fork.descriptor, { types: [other, ...types] });
    const decision = await fleet.publish(fork);
    if (decision.kind !== "refused") throw new Error("a published version was changed");
    coverage.count("publish: fork refused");
  },
};

/** Back to an older build: its gates first, then its release, then its workers. */
export const rollBack: ActKind<{ readonly to: number; readonly workers: number }> = {
  name: "roll back",
  parameters: fc.record({ to: draw, workers: fc.nat(2) }),
  applies: ({ fleet }) => fleet.builds.size > 1,
  async run(world, { to, workers }) {
    const { fleet, coverage } = world;
    const build = pick([...fleet.builds.values()], to) as Build;
    for (const [type, { activeVersion }] of Object.entries(fleet.document.types)) {
      const version = build.newestUpTo(type, activeVersion);
      if (version === 0 || version === activeVersion) continue;
      const request = { type, version, expected: activeVersion, force: false, sunset: null };
      const { kind } = await fleet.moveGate(request, null);
      if (kind === "moved") coverage.count("gate: lowered");
    }
    const before = fleet.document.releases[build.release]?.state;
    if (await publishAndStart(world, build, workers)) coverage.count(`rolled back to a ${before} release`);
  },
};

export const moveGate: ActKind<{
  readonly type: number;
  readonly version: number;
  readonly force: boolean;
  readonly loadSlots: number | null;
}> = {
  name: "move a gate",
  parameters: fc.record({
    type: draw,
    version: fc.integer({ min: 1, max: VERSIONS_MAX }),
    force: fc.boolean(),
    loadSlots: fc.constantFrom(0, 0, 0.5, 3, 9, null),
  }),
  applies: () => true,
  async run({ fleet, histories, coverage }, { type: drawn, version: target, force, loadSlots }) {
    const known = histories.filter((it) => it.type in fleet.document.types);
    const type = pick(drawn % 8 === 0 ? histories : known, drawn)?.type ?? "";
    const from = fleet.document.types[type]?.activeVersion ?? 1;
    // Mostly a version that is there, sometimes any.
    const published = fleet.document.types[type]?.versions ?? [];
    const version = drawn % 8 === 0 ? target : (pick(published, target)?.version ?? target);
    const decision = await fleet.moveGate({ type, version, expected: null, force, sunset: null }, loadSlots);
    if (decision.kind === "moved") coverage.count(version > from ? "gate: raised" : "gate: lowered");
    if (decision.kind === "moved" && version > from && force) coverage.count("gate: raised by force");
    if (decision.kind === "refused") coverage.count(`gate: refused, ${decision.code}`);
  },
};

export const retireRelease: ActKind<{ readonly release: number }> = {
  name: "retire a release",
  parameters: fc.record({ release: draw }),
  applies: ({ fleet }) => fleet.liveReleases.length > 0,
  async run({ fleet, coverage }, { release }) {
    const { mayRetire, blockers } = await fleet.retire(pick(fleet.liveReleases, release) as string);
    coverage.count(mayRetire ? "retire: done" : "retire: refused");
    for (const { code } of blockers) coverage.count(`retire: refused, ${code}`);
  },
};

export const retireByForce: ActKind<{ readonly release: number }> = {
  name: "retire a release without asking",
  parameters: fc.record({ release: draw }),
  applies: ({ fleet }) => fleet.liveReleases.length > 0,
  async run(world, { release }) {
    const retired = pick(world.fleet.liveReleases, release) as string;
    await world.fleet.forceRetire(retired);
    world.forcedReleases.add(retired);
    for (const lane of world.lanesWithoutReader()) world.abandonedLanes.add(lane);
  },
};

export const migrate: ActKind<{
  readonly release: number;
  readonly lane: number;
  readonly raisesGates: boolean;
}> = {
  name: "migrate a lane",
  parameters: fc.record({ release: draw, lane: draw, raisesGates: fc.boolean() }),
  applies: (world) => world.fleet.liveReleases.length > 0 && lanesOf(world).length > 1,
  async run(world, { release: drawn, lane, raisesGates }) {
    const { fleet, coverage } = world;
    // Mostly the newest release, which alone may, and a lane that holds something.
    const release = (drawn % 8 === 0 ? pick(fleet.liveReleases, drawn) : fleet.newestRelease) ?? "";
    const lanes = lane % 8 === 0 ? lanesOf(world) : fleet.queues.lanesWithJobs();
    if (raisesGates) await raiseGates(world, fleet.buildOf(release));
    try {
      const totals = await fleet.migrate(release, pick(lanes, lane) ?? "");
      coverage.count("migrated: moved", totals.moved);
      coverage.count("migrated: upcast", totals.upcast);
      coverage.count("migrated: quarantined", totals.quarantined);
      for (const [reason, jobs] of Object.entries(totals.left))
        coverage.count(`migrated: left, ${reason}`, jobs);
    } catch (error) {
      if (!(error instanceof WorkerRefusedError)) throw error;
      coverage.count("migrate: refused");
    }
  },
};

/** Opens the gates for everything that a build writes, one read group after the other. */
async function raiseGates({ fleet, coverage }: World, build: Build): Promise<void> {
  for (const { type, versions } of build.descriptor.types) {
    for (const { version } of versions) {
      if (version <= (fleet.document.types[type]?.activeVersion ?? 0)) continue;
      const request = { type, version, expected: null, force: true, sunset: null };
      if ((await fleet.moveGate(request, null)).kind === "moved") coverage.count("gate: raised");
    }
  }
}

/**
 * A person moves a job into another lane with a plain BullMQ tool, whoever reads that lane; some have been
 * handed back so often before that the next time parks them.
 */
export const misplace: ActKind<{ readonly job: number; readonly lane: number; readonly handBacks: number }> =
  {
    name: "misplace a job",
    parameters: fc.record({ job: draw, lane: draw, handBacks: fc.constantFrom(0, 7, 8) }),
    applies: (world) => restingJobs(world).length > 0 && lanesOf(world).length > 1,
    async run(world, { job: drawn, lane, handBacks }) {
      const { fleet, ledger, coverage } = world;
      const { jobId, from } = pick(restingJobs(world), drawn) ?? { jobId: "", from: "" };
      const to = pick(
        lanesOf(world).filter((it) => it !== from),
        lane,
      );
      if (to === undefined) return;
      ledger.of(jobId).misplacedIn = to;
      await fleet.moveByHand({ jobId, from, to, handBacks });
      coverage.count("misplaced");
    },
  };

function lanesOf({ fleet }: World): readonly string[] {
  const generations = fleet.document.queues[QUEUE]?.generations ?? [];
  return generations.map((it) => laneName(QUEUE, it.generation));
}

/** Jobs that rest in a lane. */
function restingJobs({ fleet }: World): readonly { readonly jobId: string; readonly from: string }[] {
  return [...fleet.queues.whereabouts()].flatMap(([jobId, [at]]) => {
    const rests = at?.state === "waiting" || at?.state === "scheduled";
    return rests && generationOf(at.place) !== null ? [{ jobId, from: at.place }] : [];
  });
}
