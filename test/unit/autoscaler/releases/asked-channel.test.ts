import { describe, expect, test } from "vitest";
import { askedChannel } from "#autoscaler/releases/asked-channel";
import { type Asked, preflightFacts } from "#autoscaler/releases/preflight-facts";
import type { Rollout } from "#autoscaler/rollout/rollout-document";
import { decidePublish } from "#shared/registry/decide-publish";
import { EMPTY_REGISTRY } from "#shared/registry/registry-document";
import { PUBLICATION, releaseOf, typeOf } from "../../shared/registry/registry-builder.ts";
import { laneView, queueView, snapshotOf, workerView } from "../control-api/build-look.ts";
import { aRollout } from "../rollout/rollout-builder.ts";

const NOW_MS = 10_000_000;
const CHANNELS = [
  { name: "test", pools: ["try"], soakMs: 60_000 },
  { name: "live", pools: ["shop"], soakMs: 0 },
];

function registry(...ids: readonly string[]) {
  let document = EMPTY_REGISTRY;
  for (const id of ids) {
    const decision = decidePublish(document, releaseOf(id, typeOf("receipt.render", [[1, 1]])), PUBLICATION);
    if (decision.kind === "published") document = decision.document;
  }
  return document;
}

function asked(over: Partial<Asked> & { readonly lane?: Parameters<typeof laneView>[0] } = {}): Asked {
  const lanes = [laneView({ readers: ["v1", "v2"], ...over.lane })];
  return {
    ask: { pool: "shop", to: "v2", by: "ben", why: "a fix" },
    config: {
      channels: CHANNELS,
      pools: {},
      releases: ["v1", "v2"].map((id) => ({ id, app: "/app.js", command: null })),
    },
    observation: {
      snapshot: snapshotOf({
        workers: [],
        queues: [queueView({ lanes }), queueView({ queue: "try", lanes })],
      }),
      document: registry("v1", "v2"),
    },
    latest: null,
    nowMs: NOW_MS,
    ...over,
  };
}

const inTry = (over: Partial<Rollout>) => aRollout({ pool: "try", from: "v1", to: "v2", ...over });

async function blockers(rollouts: readonly Rollout[], over: Parameters<typeof asked>[0] = {}) {
  const [newest, ...past] = rollouts;
  const found = await askedChannel(asked(over), {
    rollouts: new Map(newest === undefined ? [] : [["try", newest]]),
    bypasses: [{ channel: "live", release: "v9", by: "ann", why: "?", expiresAtMs: NOW_MS + 1 }, "spoilt"],
    past: async () => past,
  });
  return found.map(({ what }) => what);
}

describe("a channel", () => {
  test("opens when the release is current, soaked and well in the channel before", async () => {
    const soaked = { state: "current" as const, currentAtMs: NOW_MS - 60_000 };
    expect(await blockers([inTry(soaked)])).toEqual([]);
    expect(await blockers([inTry({ ...soaked, currentAtMs: NOW_MS - 59_000 })])).toEqual([
      expect.stringContaining("1 s left"),
    ]);
    expect(await blockers([inTry({ ...soaked })], { lane: { orphaned: true } })).toEqual([
      expect.stringContaining("not healthy"),
    ]);
    // The release has been followed by another since.
    expect(await blockers([inTry({ to: "v3" }), inTry({ ...soaked, state: "retired" })])).toEqual([]);
  });

  test("stays shut for what is not there yet, still coming, or has failed there", async () => {
    expect(await blockers([])).toEqual([expect.stringContaining("not current")]);
    expect(await blockers([inTry({ state: "soaking" })])).toEqual([expect.stringContaining("not current")]);
    expect(await blockers([inTry({ state: "drained", direction: "back" })])).toEqual([
      expect.stringContaining("failed"),
    ]);
  });

  test("is opened by who says so, for this release and until then", async () => {
    const by = { pool: "shop", to: "v2", by: "ben", why: "the shop is down" };
    expect(await blockers([], { ask: { ...by, bypassChannelUntilMs: NOW_MS + 1 } })).toEqual([]);
    expect(await blockers([], { ask: { ...by, bypassChannelUntilMs: NOW_MS } })).toHaveLength(1);
  });

  test("asks nothing of a pool that is in none, or in the first", async () => {
    expect(await blockers([], { ask: { pool: "mail", to: "v2", by: "ben", why: "a fix" } })).toEqual([]);
    expect(await blockers([], { ask: { pool: "try", to: "v2", by: "ben", why: "a fix" } })).toEqual([]);
  });
});

describe("the facts of a preflight", () => {
  test("take the release that has the pool for the old one", () => {
    const { request, facts } = preflightFacts(asked());
    expect(request).toMatchObject({ pool: "shop", from: "v1", to: "v2", gates: [] });
    expect(facts).toMatchObject({ fromState: "live", toState: "live", liveReleases: ["v1"], nowMs: NOW_MS });
  });

  test("take a release that nobody can start for one that is gone", () => {
    const config = { channels: [], pools: {}, releases: [{ id: "v1", app: "/app.js", command: null }] };
    expect(preflightFacts(asked({ config })).facts.toState).toBe("retired");
    expect(
      preflightFacts(asked({ ask: { pool: "shop", to: "v7", by: "b", why: "w" } })).facts.toState,
    ).toBeNull();
  });

  test("count who takes jobs as live in the pool, but for whom the rollout before has leave", () => {
    const workers = ["v1", "v0", "v5"].map((release) => workerView({ release, queue: "shop" }));
    const idle = workerView({ release: "v6", queue: "shop", takes: "nothing" });
    const { observation } = asked();
    const seen = { ...observation, snapshot: { ...observation.snapshot, workers: [...workers, idle] } };
    const latest = aRollout({ pool: "shop", from: "v0", to: "v1", state: "draining" });
    const { facts, request } = preflightFacts(asked({ observation: seen, latest }));
    expect(request.from).toBe("v1");
    expect([...facts.liveReleases].sort()).toEqual(["v1", "v5"]);
  });
});
