/** Lanes: what every history of the registry must keep true, whatever the gates say. */
import { expect, test } from "vitest";
import { decideAccept } from "#shared/contracts/decide-accept";
import { floorOf, routeOf } from "#shared/registry/decide-lane";
import { type ReleaseDescriptor, registryDocument } from "#shared/registry/registry-document";
import { always, everyVersion, groupsOf, liveReleases, subscribers, type World } from "./random-registry.ts";

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

/** Where each version would go now, whatever the gates say; versions that nobody reads left out. */
function routesIn({ document }: World) {
  return everyVersion().flatMap(({ type, version }) => {
    const route = routeOf(document, type, version);
    return route === null ? [] : [{ type, version, ...route }];
  });
}

function generationIn({ document }: World, generation: number) {
  return document.queues.shop?.generations.find((it) => it.generation === generation);
}

test("a job goes to a lane that every live release subscribed to it can read", () => {
  always((world) => {
    for (const { type, version, generation, minReaderVersion } of routesIn(world)) {
      for (const build of subscribers(world, generation)) {
        expect(accepts(build, type, minReaderVersion), `${build.release} reads ${type}@${version}`).toBe(
          true,
        );
      }
    }
  });
});

test("a job goes to a lane that some live release reads entirely", () => {
  always((world) => {
    for (const { generation } of routesIn(world)) {
      const reads = generationIn(world, generation)?.reads ?? ["nothing is there"];
      const declared = liveReleases(world).map((id) => groupsOf(world.builds.get(id)));
      expect(declared.some((groups) => reads.every((group) => groups.has(group)))).toBe(true);
      expect(subscribers(world, generation)).not.toEqual([]);
    }
  });
});

test("no job goes to a retired lane", () => {
  always((world) => {
    for (const { generation } of routesIn(world)) {
      expect(generationIn(world, generation)?.retired).toBeUndefined();
    }
  });
});

test("no live release has a retired lane for its own", () => {
  always((world) => {
    for (const id of liveReleases(world)) {
      const own = world.document.releases[id]?.queues.shop?.generation ?? 0;
      expect(generationIn(world, own)?.retired).toBeUndefined();
    }
  });
});

test("every version that a live release declares has a lane", () => {
  always((world) => {
    const routed = new Set(routesIn(world).map(({ type, version }) => `${type}@${version}`));
    for (const id of liveReleases(world)) {
      for (const { type, versions } of world.builds.get(id)?.types ?? []) {
        for (const { version } of versions) expect(routed).toContain(`${type}@${version}`);
      }
    }
  });
});

test("no lane is below its queue's floor, and the floor is a live release's own", () => {
  always((world) => {
    const floor = floorOf(world.document, "shop");
    const own = liveReleases(world).map((id) => world.document.releases[id]?.queues.shop?.generation);
    expect(floor === null ? own : own.includes(floor)).toEqual(floor === null ? [] : true);
    for (const { generation } of routesIn(world)) {
      expect(generation).toBeGreaterThanOrEqual(floor ?? Number.POSITIVE_INFINITY);
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
      const now = document.queues[queue]?.generations.slice(0, generations.length) ?? [];
      expect(now.map(({ generation, reads }) => ({ generation, reads }))).toEqual(
        generations.map(({ generation, reads }) => ({ generation, reads })),
      );
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
