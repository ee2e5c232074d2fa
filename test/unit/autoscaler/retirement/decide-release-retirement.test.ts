import { describe, expect, test } from "vitest";
import { decideReleaseRetirement, type ReleaseFacts } from "#autoscaler/retirement/decide-release-retirement";
import type { RegistryDocument } from "#shared/registry/registry-document";
import {
  movedTo,
  published,
  publishedOn,
  releaseOf,
  typeOf,
  without,
} from "../../shared/registry/registry-builder.ts";
import { laneView, queueView, workerView } from "../control-api/build-look.ts";

const pairs = [
  [1, 1],
  [2, 2],
] as const;
const v1 = releaseOf("v1", typeOf("receipt.render", pairs.slice(0, 1)));
const v2 = releaseOf("v2", typeOf("receipt.render", pairs));
/** Reads version 2 alone. */
const only2 = releaseOf("v3", typeOf("receipt.render", pairs.slice(1)));

/** v2 reads lanes 1 and 2; v1 reads lane 1. The gate is at 1. */
const both = published(v1, v2);

const lane1 = laneView({ readers: ["v1", "v2"] });
const lane2 = laneView({ lane: "shop.r2", generation: 2, readers: ["v2"] });

function answer(document: RegistryDocument, facts: Partial<ReleaseFacts> = {}) {
  return decideReleaseRetirement(document, {
    release: "v1",
    workers: [],
    queues: [queueView({ lanes: [lane1, lane2] })],
    ...facts,
  });
}

function codesOf(document: RegistryDocument, facts: Partial<ReleaseFacts> = {}): readonly string[] {
  const { mayRetire, blockers } = answer(document, facts);
  expect(mayRetire).toBe(blockers.length === 0);
  return blockers.map((it) => it.code);
}

describe("a release may retire", () => {
  test("when it has no worker, its lanes have another reader, and every active version too", () => {
    expect(answer(both)).toEqual({ mayRetire: true, blockers: [] });
  });

  test("when it is retired already, whatever lies about", () => {
    const workers = [workerView({ release: "v1", busy: 3 })];
    expect(answer(without(both, "v1"), { workers }).mayRetire).toBe(true);
  });

  test("while jobs lie in lanes that another live release reads too", () => {
    const queues = [queueView({ lanes: [{ ...lane1, waiting: 1_000, inFlight: 5 }, lane2] })];
    expect(codesOf(both, { queues })).toEqual([]);
  });

  test("while jobs lie in lanes that it does not read", () => {
    const queues = [queueView({ lanes: [lane1, { ...lane2, waiting: 7 }] })];
    expect(codesOf(both, { queues })).toEqual([]);
  });
});

describe("its workers", () => {
  const worker = (changes: Parameters<typeof workerView>[0]) => [workerView({ release: "v1", ...changes })];

  test.each([
    [{ state: "ok", busy: 0 }, "worker-takes-jobs"],
    [{ state: "starting", busy: 0, heartbeatAgeMs: null }, "worker-takes-jobs"],
    [{ state: "ok", busy: 1 }, "jobs-in-flight"],
    [{ state: "draining", busy: 2 }, "jobs-in-flight"],
    [{ state: "quarantined", busy: 1 }, "jobs-in-flight"],
    [{ state: "suspect", busy: 0 }, "worker-unheard"],
    [{ state: "dead", busy: 0, heartbeatAgeMs: 10_000 }, "worker-unheard"],
    // Lease 15 s, stalled check 5 s and a second: until then the job it held may still be its own.
    [{ state: "dead", busy: 0, heartbeatAgeMs: 21_000 }, "worker-unheard"],
    // A process that has ended without a word is not known to have held nothing.
    [{ state: "dead", busy: 0, heartbeatAgeMs: null }, "worker-unheard"],
  ] as const)("in the state %o are in the way: %s", (changes, code) => {
    expect(codesOf(both, { workers: worker(changes) })).toEqual([code]);
  });

  test.each([
    { state: "draining", busy: 0 },
    { state: "quarantined", busy: 0 },
    { state: "dead", busy: 0, heartbeatAgeMs: 21_001 },
    // What it said last is of no account: its leases have run out.
    { state: "dead", busy: 4, heartbeatAgeMs: 60_000 },
  ] as const)("in the state %o are not", (changes) => {
    expect(codesOf(both, { workers: worker(changes) })).toEqual([]);
  });

  test("are named with their jobs, and those of other releases are not", () => {
    const workers = [
      ...worker({ worker: "w1", busy: 1 }),
      ...worker({ worker: "w2", busy: 2, state: "draining" }),
      ...worker({ worker: "w3" }),
      ...worker({ worker: "w4", state: "suspect" }),
      workerView({ worker: "other", release: "v2", busy: 9 }),
    ];
    expect(answer(both, { workers }).blockers).toEqual([
      { code: "jobs-in-flight", what: "worker w1 has 1 job in flight", jobs: 1 },
      { code: "jobs-in-flight", what: "worker w2 has 2 jobs in flight", jobs: 2 },
      { code: "worker-takes-jobs", what: "worker w3 still takes jobs; drain it first" },
      { code: "worker-unheard", what: "worker w4 was not heard of lately and may still hold jobs" },
    ]);
  });
});

describe("its lanes", () => {
  test.each(["waiting", "inFlight", "scheduled", "other"] as const)(
    "need another live reader while jobs are there: %s",
    (state) => {
      const queues = [queueView({ lanes: [{ ...lane1, readers: ["v1"], [state]: 4 }, lane2] })];
      expect(answer(both, { queues }).blockers).toEqual([
        {
          code: "lane-without-reader",
          what: "lane shop.r1 holds 4 jobs that no other live release reads",
          jobs: 4,
        },
      ]);
    },
  );

  test("are counted with all their jobs together", () => {
    const lane = { ...lane1, readers: ["v1"], waiting: 1, inFlight: 2, scheduled: 3, other: 4 };
    const [blocker] = answer(both, { queues: [queueView({ lanes: [lane] })] }).blockers;
    expect(blocker?.jobs).toBe(10);
  });

  test("include older ones that it reads beside its own", () => {
    const document = movedTo(without(both, "v1"), 2);
    const queues = [
      queueView({
        lanes: [
          { ...lane1, readers: ["v2"], waiting: 1 },
          { ...lane2, readers: ["v2"], waiting: 1 },
        ],
      }),
    ];
    expect(codesOf(publishedOn(document, only2), { release: "v2", queues })).toEqual([
      "lane-without-reader",
      "lane-without-reader",
    ]);
  });

  test("are nobody's business while they are empty", () => {
    const queues = [queueView({ lanes: [{ ...lane1, readers: ["v1"], succeeded: 9, failed: 9 }] })];
    expect(codesOf(both, { queues })).toEqual([]);
  });
});

describe("the versions", () => {
  test("that are active need another live release that reads them", () => {
    const document = movedTo(both, 2);
    expect(answer(document, { release: "v2" }).blockers).toEqual([
      {
        code: "version-without-reader",
        what: "version 2 of receipt.render is active and no other live release reads it; lower its gate first",
      },
    ]);
    expect(codesOf(movedTo(document, 1), { release: "v2" })).toEqual([]);
  });

  test("that are active keep the last release of a type", () => {
    expect(codesOf(without(both, "v2"))).toEqual(["version-without-reader"]);
  });

  test("that wait above a gate keep nobody, and neither do older ones", () => {
    // v2 alone reads version 2, which is not active.
    expect(codesOf(both, { release: "v2" })).toEqual([]);
    // v1 alone reads version 1, which is superseded: it ends with v1.
    const superseded = movedTo(published(v1, only2), 2);
    expect(codesOf(superseded)).toEqual([]);
  });

  test("that nobody reads already keep nobody", () => {
    const dropped = publishedOn(without(both, "v1", "v2"), only2);
    expect(codesOf(dropped, { release: "v3" })).toEqual([]);
  });

  test("of every type and queue count", () => {
    const mail = typeOf("mail.send", [[1, 1]], "mail");
    const document = published(releaseOf("v1", typeOf("receipt.render", [[1, 1]]), mail), {
      ...v2,
      release: "v2",
    });
    expect(answer(document).blockers).toEqual([
      {
        code: "version-without-reader",
        what: "version 1 of mail.send is active and no other live release reads it; lower its gate first",
      },
    ]);
  });
});

test.each(["v9", "constructor", "__proto__"])("the release %s was never published", (release) => {
  expect(answer(both, { release })).toEqual({
    mayRetire: false,
    blockers: [{ code: "release-unknown", what: `no release ${release} was ever published` }],
  });
});

test("a release that is not drained is told all that is in the way at once", () => {
  const queues = [queueView({ lanes: [{ ...lane1, readers: ["v1"], waiting: 1 }] })];
  const workers = [workerView({ release: "v1", busy: 1 })];
  expect(codesOf(without(both, "v2"), { workers, queues })).toEqual([
    "jobs-in-flight",
    "lane-without-reader",
    "version-without-reader",
  ]);
});
