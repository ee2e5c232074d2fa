/** Random histories of a registry: what publishes, drafts, moves gates and retires, in any order. */
import fc from "fast-check";
import { decideDraft } from "#shared/registry/decide-draft";
import { decideGate } from "#shared/registry/decide-gate";
import { lanesReadBy } from "#shared/registry/decide-lane";
import { decidePublish, retire, retireLane } from "#shared/registry/decide-publish";
import {
  EMPTY_REGISTRY,
  type RegistryDocument,
  type ReleaseDescriptor,
} from "#shared/registry/registry-document";
import { PUBLICATION, releaseOf, typeOf } from "./registry-builder.ts";

/** Every version there will ever be, as pairs of V and M. */
const UNIVERSE: Record<string, readonly (readonly [number, number])[]> = {
  "receipt.render": [
    [1, 1],
    [2, 1],
    [3, 3],
    [4, 4],
  ],
  "csv.summarise": [
    [1, 1],
    [2, 2],
  ],
};

const RELEASES = ["v1", "v2", "v3", "v4"];

/** A release reads some run of versions of each of its types. */
const anyDescriptor: fc.Arbitrary<ReleaseDescriptor> = fc
  .record({
    release: fc.constantFrom(...RELEASES),
    runs: fc.record({
      "receipt.render": fc.option(fc.tuple(fc.nat(3), fc.nat(3))),
      "csv.summarise": fc.option(fc.tuple(fc.nat(1), fc.nat(1))),
    }),
  })
  .map(({ release, runs }) => {
    const types = Object.entries(runs).flatMap(([type, run]) =>
      run === null
        ? []
        : [typeOf(type, (UNIVERSE[type] ?? []).slice(Math.min(...run), Math.max(...run) + 1))],
    );
    return releaseOf(release, ...types);
  })
  .filter((descriptor) => descriptor.types.length > 0);

export interface GateStep {
  readonly type: string;
  readonly version: number;
  readonly expected: number | null;
  readonly force: boolean;
  readonly sunset: string | null;
  readonly readerSlots: number;
  readonly loadSlots: number | null;
}

export type Step =
  | { readonly publish: ReleaseDescriptor }
  | { readonly draft: ReleaseDescriptor }
  | { readonly gate: GateStep }
  | { readonly retire: string }
  | { readonly retireLane: number };

const anyGateStep: fc.Arbitrary<GateStep> = fc.record({
  type: fc.constantFrom(...Object.keys(UNIVERSE)),
  version: fc.integer({ min: 0, max: 5 }),
  expected: fc.option(fc.integer({ min: 0, max: 4 })),
  force: fc.boolean(),
  sunset: fc.option(fc.constant("2027-01-01T00:00:00Z")),
  readerSlots: fc.nat(4),
  loadSlots: fc.option(fc.double({ min: 0, max: 4, noNaN: true })),
});

/** A few builds that come and go, so that releases return and lanes are used again. */
const anyHistory: fc.Arbitrary<readonly Step[]> = fc
  .array(anyDescriptor, { minLength: 3, maxLength: 5 })
  .chain((builds) => fc.array(stepWith(builds), { maxLength: 24 }));

function stepWith(builds: readonly ReleaseDescriptor[]): fc.Arbitrary<Step> {
  const anyBuild = fc.constantFrom(...builds);
  return fc.oneof(
    { weight: 4, arbitrary: anyBuild.map((publish): Step => ({ publish })) },
    { weight: 1, arbitrary: anyBuild.map((draft): Step => ({ draft })) },
    { weight: 3, arbitrary: anyGateStep.map((gate): Step => ({ gate })) },
    { weight: 3, arbitrary: anyBuild.map(({ release }): Step => ({ retire: release })) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }).map((k): Step => ({ retireLane: k })) },
  );
}

export interface World {
  readonly document: RegistryDocument;
  /** What each release's build really reads. */
  readonly builds: ReadonlyMap<string, ReleaseDescriptor>;
}

function take(world: World, step: Step): World {
  const { document, builds } = world;
  if ("retire" in step) return { document: retire(document, step.retire), builds };
  if ("retireLane" in step) {
    const lane = { queue: "shop", generation: step.retireLane, ...PUBLICATION };
    return { document: retireLane(document, lane), builds };
  }
  if ("draft" in step) {
    return { document: decideDraft(document, step.draft, { ...PUBLICATION, why: "look" }), builds };
  }
  if ("gate" in step) {
    const decision = decideGate(document, step.gate, {
      readiness: step.gate,
      change: { ...PUBLICATION, why: "move" },
    });
    return { document: decision.kind === "moved" ? decision.document : document, builds };
  }
  const decision = decidePublish(document, step.publish, PUBLICATION);
  if (decision.kind === "refused") return world;
  return {
    document: decision.kind === "published" ? decision.document : document,
    builds: new Map(builds).set(step.publish.release, step.publish),
  };
}

const receipts = (from: number, to: number) =>
  typeOf("receipt.render", (UNIVERSE["receipt.render"] ?? []).slice(from - 1, to));

const FORCED_TO_3: GateStep = {
  type: "receipt.render",
  version: 3,
  expected: null,
  force: true,
  sunset: null,
  readerSlots: 0,
  loadSlots: null,
};

/** Chance seldom comes by: lane 2 is nobody's own, read by the next, written to, and then retired. */
const LANE_IN_THE_MIDDLE: readonly Step[] = [
  { publish: releaseOf("v1", receipts(1, 2)) },
  { publish: releaseOf("v2", receipts(1, 3)) },
  { gate: FORCED_TO_3 },
  { retire: "v2" },
  { publish: releaseOf("v3", receipts(1, 4)) },
  { retireLane: 2 },
];

/** Nobody reads version 3 any more; the gate is above it. */
const GROUP_IN_THE_MIDDLE: readonly Step[] = [
  { publish: releaseOf("v1", receipts(1, 4)) },
  { publish: releaseOf("v2", receipts(4, 4)) },
  { retire: "v1" },
  { publish: releaseOf("v3", receipts(1, 2)) },
];

/** Runs `check` on the registry after every step. */
export function always(check: (world: World, before: World, step: Step) => void): void {
  fc.assert(
    fc.property(anyHistory, (steps) => {
      let world: World = { document: EMPTY_REGISTRY, builds: new Map() };
      for (const step of steps) {
        const before = world;
        world = take(world, step);
        check(world, before, step);
      }
    }),
    { numRuns: 250, examples: [[LANE_IN_THE_MIDDLE], [GROUP_IN_THE_MIDDLE]] },
  );
}

export function liveReleases({ document }: World): string[] {
  return Object.keys(document.releases).filter((id) => document.releases[id]?.state === "live");
}

/** Live releases whose workers take jobs from the lane. */
export function subscribers(world: World, generation: number): ReleaseDescriptor[] {
  return liveReleases(world)
    .filter((id) => lanesReadBy(world.document, id, "shop").includes(generation))
    .flatMap((id) => world.builds.get(id) ?? []);
}

export function everyVersion(): { type: string; version: number }[] {
  return Object.entries(UNIVERSE).flatMap(([type, pairs]) => pairs.map(([version]) => ({ type, version })));
}

/** The read groups that a build declares. */
export function groupsOf(build: ReleaseDescriptor | undefined): ReadonlySet<string> {
  return new Set(
    (build?.types ?? []).flatMap(({ type, versions }) =>
      versions.map((it) => `${type}@${it.minReaderVersion}`),
    ),
  );
}
