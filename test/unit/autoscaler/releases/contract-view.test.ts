import { describe, expect, test } from "vitest";
import { contractView, gatesOf } from "#autoscaler/releases/contract-view";
import { decidePublish } from "#shared/registry/decide-publish";
import { EMPTY_REGISTRY, type RegistryDocument } from "#shared/registry/registry-document";
import { PUBLICATION, releaseOf, typeOf } from "../../shared/registry/registry-builder.ts";
import { laneView, queueView } from "../control-api/build-look.ts";

type Versions = Parameters<typeof typeOf>[1];

/** v1, v2 .. with these versions of one type, each a version and the least reader it needs. */
function registry(...releases: readonly Versions[]): RegistryDocument {
  let document = EMPTY_REGISTRY;
  for (const [index, versions] of releases.entries()) {
    const release = releaseOf(`v${index + 1}`, typeOf("receipt.render", versions));
    const decision = decidePublish(document, release, PUBLICATION);
    if (decision.kind !== "published") throw new Error(JSON.stringify(decision));
    document = decision.document;
  }
  return document;
}

const ONE: Versions = [[1, 1]];
const TWO: Versions = [
  [1, 1],
  [2, 2],
];
const THREE: Versions = [
  [1, 1],
  [2, 2],
  [3, 3],
];
/** A second version that readers of the first can read. */
const ADDED: Versions = [
  [1, 1],
  [2, 1],
];
/** The first version is not read any more. */
const DROPPED: Versions = [[2, 2]];

const LANES = queueView({
  lanes: [laneView({ readers: ["v1"] }), laneView({ lane: "shop.r2", generation: 2, readers: ["v2"] })],
});
const TAKEOVER = { pool: "shop", from: "v1", to: "v2" };

describe("contractView", () => {
  test("finds nothing in the way of a release that reads what there is, one read group up", () => {
    expect(contractView(registry(ONE, TWO), TAKEOVER, LANES)).toEqual({
      lanesWithoutReader: [],
      readGroupsUp: 1,
    });
    expect(contractView(registry(ONE, ADDED), TAKEOVER, LANES).readGroupsUp).toBe(0);
  });

  test("names a lane that new jobs go to and that the new release does not read", () => {
    expect(contractView(registry(ONE, DROPPED), TAKEOVER, LANES).lanesWithoutReader).toEqual(["shop.r1"]);
  });

  test("names on the way back the lane of the newer versions only while it holds jobs", () => {
    const back = { pool: "shop", from: "v2", to: "v1" };
    const document = registry(ONE, TWO);
    expect(contractView(document, back, LANES).lanesWithoutReader).toEqual([]);
    const held = queueView({
      lanes: [laneView(), laneView({ lane: "shop.r2", generation: 2, readers: ["v2"], scheduled: 1 })],
    });
    expect(contractView(document, back, held).lanesWithoutReader).toEqual(["shop.r2"]);
  });

  test("does not blame the takeover for a lane that the old release does not read either", () => {
    const orphan = queueView({
      lanes: [laneView({ lane: "shop.r3", generation: 3, readers: [], waiting: 4 })],
    });
    expect(contractView(registry(ONE, TWO), TAKEOVER, orphan).lanesWithoutReader).toEqual([]);
  });

  test("counts each read group that a gate would jump", () => {
    expect(contractView(registry(ONE, THREE), TAKEOVER, LANES).readGroupsUp).toBe(2);
  });
});

describe("gatesOf", () => {
  test("are those of types of which the release brings a version that old readers do not read", () => {
    expect(gatesOf(registry(ONE, TWO), "shop", "v2")).toEqual([
      { type: "receipt.render", before: 1, wanted: 2 },
    ]);
    expect(gatesOf(registry(ONE, ADDED), "shop", "v2")).toEqual([]);
    expect(gatesOf(registry(ONE, TWO), "shop", "v1")).toEqual([]);
    expect(gatesOf(registry(ONE, TWO), "shop", "nobody")).toEqual([]);
  });
});
