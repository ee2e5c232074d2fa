import fc from "fast-check";
import { expect, test } from "vitest";
import { decideAccept } from "#shared/contracts/decide-accept";
import { acceptedVersions, decideLane, floorOf, lanesReadBy } from "#shared/registry/decide-lane";
import { decidePublish, retire } from "#shared/registry/decide-publish";
import {
  EMPTY_REGISTRY,
  type RegistryDocument,
  type ReleaseDescriptor,
  registryDocument,
} from "#shared/registry/registry-document";
import { PUBLISHED_AT, releaseOf, typeOf } from "./registry-builder.ts";

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

type Step = { readonly publish: ReleaseDescriptor } | { readonly retire: string };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: anyDescriptor.map((publish): Step => ({ publish })) },
  { weight: 2, arbitrary: fc.constantFrom(...RELEASES).map((release): Step => ({ retire: release })) },
);

interface World {
  readonly document: RegistryDocument;
  /** What each release's build really reads. */
  readonly builds: ReadonlyMap<string, ReleaseDescriptor>;
}

function take(world: World, step: Step): World {
  if ("retire" in step) return { ...world, document: retire(world.document, step.retire) };
  const decision = decidePublish(world.document, step.publish, PUBLISHED_AT);
  if (decision.kind === "refused") return world;
  const document = decision.kind === "published" ? decision.document : world.document;
  return { document, builds: new Map(world.builds).set(step.publish.release, step.publish) };
}

/** Runs `check` on the registry after every step. */
function always(check: (world: World, before: World, step: Step) => void): void {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 14 }), (steps) => {
      let world: World = { document: EMPTY_REGISTRY, builds: new Map() };
      for (const step of steps) {
        const before = world;
        world = take(world, step);
        check(world, before, step);
      }
    }),
    { numRuns: 600 },
  );
}

function liveReleases({ document }: World): string[] {
  return Object.keys(document.releases).filter((id) => document.releases[id]?.state === "live");
}

/** Live releases whose workers take jobs from the lane. */
function subscribers(world: World, generation: number): ReleaseDescriptor[] {
  return liveReleases(world)
    .filter((id) => lanesReadBy(world.document, id, "shop").includes(generation))
    .flatMap((id) => world.builds.get(id) ?? []);
}

/** What the accept test of a build says of a job, by what its contracts hold. */
function accepts(build: ReleaseDescriptor, type: string, minReaderVersion: number): boolean {
  const ranges = new Map(
    build.types.map((it) => [
      it.type,
      { oldest: it.versions[0]?.minReaderVersion ?? 0, native: it.versions.at(-1)?.version ?? 0 },
    ]),
  );
  const facts = { specversion: "1.0", type, minReaderVersion, criticalNames: [] };
  return decideAccept(facts, ranges, new Set()).kind === "accept";
}

function everyVersion(): { type: string; version: number }[] {
  return Object.entries(UNIVERSE).flatMap(([type, pairs]) => pairs.map(([version]) => ({ type, version })));
}

test("a job goes to a lane that every live release subscribed to it can read", () => {
  always((world) => {
    for (const { type, version } of everyVersion()) {
      const lane = decideLane(world.document, type, version);
      if (lane.kind !== "lane") continue;
      for (const build of subscribers(world, lane.generation)) {
        expect(accepts(build, type, lane.minReaderVersion), `${build.release} reads ${type}@${version}`).toBe(
          true,
        );
      }
    }
  });
});

test("every accepted version has a live reader of its lane", () => {
  always((world) => {
    for (const { type, version } of everyVersion()) {
      const lane = decideLane(world.document, type, version);
      if (lane.kind === "lane") expect(subscribers(world, lane.generation)).not.toEqual([]);
    }
  });
});

test("every version that a live release declares is accepted", () => {
  always((world) => {
    for (const id of liveReleases(world)) {
      for (const { type, versions } of world.builds.get(id)?.types ?? []) {
        const accepted = acceptedVersions(world.document, type);
        expect(accepted).toEqual(expect.arrayContaining(versions.map((it) => it.version)));
      }
    }
  });
});

test("no lane is below its queue's floor, and the floor is a live release's own", () => {
  always((world) => {
    const floor = floorOf(world.document, "shop");
    const own = liveReleases(world).map((id) => world.document.releases[id]?.queues.shop?.generation);
    expect(floor === null ? own : own.includes(floor)).toEqual(floor === null ? [] : true);
    for (const { type, version } of everyVersion()) {
      const lane = decideLane(world.document, type, version);
      if (lane.kind === "lane")
        expect(lane.generation).toBeGreaterThanOrEqual(floor ?? Number.POSITIVE_INFINITY);
    }
  });
});

test("at most two generations of a queue have live releases", () => {
  always((world) => {
    const own = liveReleases(world).map((id) => world.document.releases[id]?.queues.shop?.generation);
    expect(new Set(own).size).toBeLessThanOrEqual(2);
  });
});

test("what is published never changes, and no generation changes what it reads", () => {
  always(({ document }, { document: before }) => {
    for (const [type, { versions }] of Object.entries(before.types)) {
      expect(document.types[type]?.versions).toEqual(expect.arrayContaining([...versions]));
    }
    for (const [queue, { generations }] of Object.entries(before.queues)) {
      expect(document.queues[queue]?.generations.slice(0, generations.length)).toEqual(generations);
    }
  });
});

test("the revision rises by one with every change and with nothing else", () => {
  always(({ document }, { document: before }) => {
    expect(document.revision - before.revision).toBe(document === before ? 0 : 1);
  });
});

test("a document is kept whole by Redis' text", () => {
  always(({ document }) => {
    expect(registryDocument.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });
});
