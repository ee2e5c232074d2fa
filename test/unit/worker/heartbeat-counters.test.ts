/** What a worker tells of its jobs with its heartbeats. */
import { expect, test } from "vitest";
import { FakeClock } from "#test/support/fake-clock";
import { Heartbeat, type HeartbeatPorts } from "#worker/heartbeat";
import { ReleaseCounts } from "#worker/release-counts";

interface Told {
  readonly serviceIncreases: Record<string, number>;
  readonly releaseIncreases: unknown;
}

/** A worker's heartbeat, and what it has sent of its counters; it is not answered while `silent`. */
function heartbeatOf() {
  const sent: Readonly<Record<string, number>>[] = [];
  const ofReleases: unknown[] = [];
  const counts = new ReleaseCounts("shop-v1");
  const state = { silent: false };
  const ports = {
    fleet: {
      heartbeat: async ({ serviceIncreases, releaseIncreases }: Told) => {
        if (state.silent) throw new Error("Redis is away");
        sent.push(serviceIncreases);
        ofReleases.push(releaseIncreases);
        return null;
      },
    },
    clock: new FakeClock(),
    status: () => ({}),
    releaseCounts: counts,
    onSuperseded: () => undefined,
    onSilence: () => undefined,
  };
  return { sent, ofReleases, counts, state, heartbeat: new Heartbeat(ports as unknown as HeartbeatPorts) };
}

test("a heartbeat tells each wait and run in its bucket, and of buckets nothing happened in nothing", async () => {
  const { sent, heartbeat } = heartbeatOf();
  heartbeat.countPickup("a.b", 99.6);
  heartbeat.countPickup("a.b", 700);
  heartbeat.countRun("a.b", 2_000);
  heartbeat.countRun("a.b", 4_000_000);
  await heartbeat.beat();
  await heartbeat.beat();
  expect(sent).toEqual([
    {
      "a.b|pickupms": 800,
      "a.b|p|100": 1,
      "a.b|p|1000": 1,
      "a.b|finished": 2,
      "a.b|busyms": 4_002_000,
      "a.b|r|2000": 1,
      "a.b|r|inf": 1,
    },
    {},
  ]);
});

test("what was not answered is told with the next heartbeat, once", async () => {
  const { sent, state, heartbeat } = heartbeatOf();
  state.silent = true;
  heartbeat.countPickup("a.b", 50);
  await heartbeat.beat();
  state.silent = false;
  heartbeat.countPickup("a.b", 50);
  await heartbeat.beat();
  expect(sent).toEqual([{ "a.b|pickupms": 100, "a.b|p|100": 2 }]);
});

test("what is counted for the release goes with it, and is kept while nobody answers", async () => {
  const { ofReleases, counts, state, heartbeat } = heartbeatOf();
  state.silent = true;
  counts.unread();
  await heartbeat.beat();
  state.silent = false;
  counts.created();
  await heartbeat.beat();
  await heartbeat.beat();
  expect(ofReleases).toEqual([{ "shop-v1": { mismatches: 1, created: 1 } }, {}]);
});
