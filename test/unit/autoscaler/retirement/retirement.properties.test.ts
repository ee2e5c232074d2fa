/** What a "may retire" promises, in any history of a registry and with jobs in any of its lanes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decideLaneRetirement } from "#autoscaler/retirement/decide-lane-retirement";
import { decideReleaseRetirement } from "#autoscaler/retirement/decide-release-retirement";
import type { LaneView } from "#autoscaler/snapshot";
import { acceptedVersions, lanesReadBy, routeOf } from "#shared/registry/decide-lane";
import { retire, retireLane } from "#shared/registry/decide-publish";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { always, everyVersion } from "../../shared/registry/random-registry.ts";
import { PUBLICATION } from "../../shared/registry/registry-builder.ts";
import { laneView, queueView } from "../control-api/build-look.ts";

function readersOf(document: RegistryDocument, generation: number): string[] {
  return Object.keys(document.releases)
    .filter((id) => document.releases[id]?.state === "live")
    .filter((id) => lanesReadBy(document, id, "shop").includes(generation));
}

/** The lanes as an observation shows them; those whose bit is set hold a job. */
function lanesIn(document: RegistryDocument, bits: number): LaneView[] {
  return (document.queues.shop?.generations ?? []).map(({ generation }) =>
    laneView({
      lane: `shop.r${generation}`,
      generation,
      readers: readersOf(document, generation),
      scheduled: (bits >> (generation - 1)) & 1,
    }),
  );
}

/** Some lanes hold jobs: which, is the same throughout a history. */
const SOME_LANES = fc.sample(fc.nat(255), { numRuns: 4, seed: 1 });

test("after a release that may retire did, no lane with jobs lacks a live reader for it", () => {
  always(({ document }) => {
    for (const bits of SOME_LANES) {
      const lanes = lanesIn(document, bits);
      for (const release of Object.keys(document.releases)) {
        const facts = { release, workers: [], queues: [queueView({ lanes })] };
        if (!decideReleaseRetirement(document, facts).mayRetire) continue;
        const after = retire(document, release);
        const stranded = lanes
          .filter(({ scheduled, readers }) => scheduled > 0 && readers.length > 0)
          .filter(({ generation }) => readersOf(after, generation).length === 0);
        expect(stranded).toEqual([]);
      }
    }
  });
});

test("after a release that may retire did, every active version that had a lane has one", () => {
  always(({ document }) => {
    for (const release of Object.keys(document.releases)) {
      const facts = { release, workers: [], queues: [queueView({ lanes: lanesIn(document, 0) })] };
      if (!decideReleaseRetirement(document, facts).mayRetire) continue;
      const after = retire(document, release);
      const lost = Object.entries(document.types)
        .filter(([type, { activeVersion }]) => routeOf(document, type, activeVersion) !== null)
        .filter(([type, { activeVersion }]) => routeOf(after, type, activeVersion) === null);
      expect(lost).toEqual([]);
    }
  });
});

test("a release that may not retire would strand a lane or an active version", () => {
  always(({ document }) => {
    const lanes = lanesIn(document, 255);
    for (const release of Object.keys(document.releases)) {
      const facts = { release, workers: [], queues: [queueView({ lanes })] };
      if (decideReleaseRetirement(document, facts).mayRetire) continue;
      const after = retire(document, release);
      const lanesLost = lanes.filter(
        ({ generation, readers }) => readers.length > 0 && readersOf(after, generation).length === 0,
      );
      const versionsLost = Object.entries(document.types).filter(
        ([type, { activeVersion }]) =>
          routeOf(document, type, activeVersion) !== null && routeOf(after, type, activeVersion) === null,
      );
      expect(lanesLost.length + versionsLost.length).toBeGreaterThan(0);
    }
  });
});

test("retiring a lane that may retire changes no lane of a new job, and what is accepted stays", () => {
  always(({ document }) => {
    for (const lane of lanesIn(document, 0)) {
      if (!decideLaneRetirement(document, "shop", lane).mayRetire) continue;
      const { generation } = lane;
      const after = retireLane(document, { queue: "shop", generation, ...PUBLICATION });
      for (const { type, version } of everyVersion()) {
        const accepted = acceptedVersions(document, type);
        expect(acceptedVersions(after, type)).toEqual(accepted);
        if (accepted.includes(version)) {
          expect(routeOf(after, type, version)).toEqual(routeOf(document, type, version));
        }
      }
    }
  });
});

test("a lane with a job in it never may retire, and neither may a live release's own", () => {
  always(({ document }) => {
    const own = Object.values(document.releases).flatMap(({ state, queues }) =>
      state === "live" ? [queues.shop?.generation] : [],
    );
    for (const lane of [...lanesIn(document, 255), ...lanesIn(document, 0)]) {
      const { mayRetire } = decideLaneRetirement(document, "shop", lane);
      if (lane.scheduled > 0 || own.includes(lane.generation)) expect(mayRetire).toBe(false);
    }
  });
});
