import { describe, expect, test } from "vitest";
import {
  acceptedVersions,
  decideLane,
  floorOf,
  lanesReadBy,
  lanesWorthReading,
} from "#shared/registry/decide-lane";
import { EMPTY_REGISTRY, type RegistryDocument } from "#shared/registry/registry-document";
import { published, publishedOn, releaseOf, typeOf, without } from "./registry-builder.ts";

const v1 = releaseOf(
  "v1",
  typeOf("receipt.render", [
    [1, 1],
    [2, 1],
  ]),
);
const v2 = releaseOf(
  "v2",
  typeOf("receipt.render", [
    [1, 1],
    [2, 1],
    [3, 3],
  ]),
);
const v3 = releaseOf(
  "v3",
  typeOf("receipt.render", [
    [1, 1],
    [2, 1],
    [3, 3],
    [4, 4],
  ]),
);

/** The generation that a version of receipts goes to, `null` when it is not accepted. */
function routed(document: RegistryDocument, version: number, type = "receipt.render"): number | null {
  const decision = decideLane(document, type, version);
  return decision.kind === "lane" ? decision.generation : null;
}

describe("decideLane", () => {
  test("gives the queue, the lane and the minimum reader", () => {
    expect(decideLane(published(v1), "receipt.render", 2)).toEqual({
      kind: "lane",
      queue: "shop",
      generation: 1,
      minReaderVersion: 1,
    });
  });

  test("sends each version to the lowest lane that reads it", () => {
    const document = published(v1, v2);
    expect([1, 2, 3].map((version) => routed(document, version))).toEqual([1, 1, 2]);
  });

  test("names the types it knows for one it does not", () => {
    const document = published(releaseOf("v1", typeOf("b.b", [[1, 1]]), typeOf("a.a", [[1, 1]])));
    expect(decideLane(document, "c.c", 1)).toEqual({ kind: "unknown-type", knownTypes: ["b.b", "a.a"] });
    expect(decideLane(EMPTY_REGISTRY, "c.c", 1)).toEqual({ kind: "unknown-type", knownTypes: [] });
  });

  test("names the versions it accepts for one it does not", () => {
    expect(decideLane(published(v1), "receipt.render", 3)).toEqual({
      kind: "unknown-version",
      acceptedVersions: [1, 2],
    });
  });

  test("accepts nothing more once no live release reads it", () => {
    const document = without(published(v1, v2), "v2");
    expect(acceptedVersions(document, "receipt.render")).toEqual([1, 2]);
    expect(decideLane(document, "receipt.render", 3).kind).toBe("unknown-version");
    expect(decideLane(without(document, "v1"), "receipt.render", 1)).toEqual({
      kind: "unknown-type",
      knownTypes: [],
    });
  });

  test("goes on accepting what a dropped group held while a release reads it", () => {
    const dropped = releaseOf("v2", typeOf("receipt.render", [[3, 3]]));
    const document = published(
      releaseOf(
        "v1",
        typeOf("receipt.render", [
          [1, 1],
          [3, 3],
        ]),
      ),
      dropped,
    );
    expect([routed(document, 1), routed(document, 3)]).toEqual([1, 1]);
    const after = without(document, "v1");
    expect([routed(after, 1), routed(after, 3)]).toEqual([null, 2]);
  });

  test("never sends a job to a lane that no live release reads", () => {
    // Generation 2 reads versions 1 and 3 and is nobody's own any more; generation 3 reads 3 alone, so its
    // workers leave lane 2 alone.
    const only3 = releaseOf("v3", typeOf("receipt.render", [[3, 3]]));
    const document = publishedOn(without(published(v1, v2), "v2"), only3);
    expect(lanesReadBy(document, "v3", "shop")).toEqual([3]);
    expect(routed(document, 3)).toBe(3);
  });
});

describe("floorOf", () => {
  test("is the lowest generation that is still some live release's own", () => {
    const document = published(v1, v2);
    expect(floorOf(document, "shop")).toBe(1);
    expect(floorOf(EMPTY_REGISTRY, "shop")).toBeNull();
  });

  test("rises when the last release of its generation retires, and all versions with it", () => {
    const same = releaseOf("v1b", typeOf("receipt.render", [[1, 1]]));
    const document = published(v1, same, v2);
    expect(floorOf(without(document, "v1"), "shop")).toBe(1);
    const risen = without(document, "v1", "v1b");
    expect(floorOf(risen, "shop")).toBe(2);
    expect([1, 2, 3].map((version) => routed(risen, version))).toEqual([2, 2, 2]);
  });

  test("falls when a release of an earlier generation comes back", () => {
    const document = publishedOn(without(published(v1, v2), "v1"), v1);
    expect(floorOf(document, "shop")).toBe(1);
    expect([1, 3].map((version) => routed(document, version))).toEqual([1, 2]);
  });

  test("is nothing when every release is retired", () => {
    expect(floorOf(without(published(v1, v2), "v1", "v2"), "shop")).toBeNull();
  });

  test("is each queue's own", () => {
    const mail = typeOf("mail.send", [[1, 1]], "mail");
    const receipts = typeOf("receipt.render", [
      [1, 1],
      [2, 1],
      [3, 3],
    ]);
    const document = without(
      published(releaseOf("v1", typeOf("receipt.render", [[1, 1]]), mail), releaseOf("v2", receipts, mail)),
      "v1",
    );
    expect([floorOf(document, "shop"), floorOf(document, "mail")]).toEqual([2, 1]);
  });
});

describe("lanesWorthReading", () => {
  test("keeps lanes from the floor on, and below it those that still hold jobs", () => {
    expect(lanesWorthReading([1, 2, 3, 4], 3, (generation) => generation === 1)).toEqual([1, 3, 4]);
  });

  test("keeps every lane when the queue has no floor", () => {
    expect(lanesWorthReading([1, 2], null, () => false)).toEqual([1, 2]);
  });
});

describe("lanesReadBy", () => {
  test("is a release's own lane and the one before when it reads all of that", () => {
    const document = published(v1, v2);
    expect(lanesReadBy(document, "v1", "shop")).toEqual([1]);
    expect(lanesReadBy(document, "v2", "shop")).toEqual([1, 2]);
  });

  test("leaves out the one before when the release dropped something it holds", () => {
    const document = published(v1, releaseOf("v2", typeOf("receipt.render", [[3, 3]])));
    expect(lanesReadBy(document, "v2", "shop")).toEqual([2]);
  });

  test("reaches back to every older lane that the release dropped nothing of", () => {
    const document = publishedOn(without(published(v1, v2), "v1"), v3);
    expect(lanesReadBy(document, "v3", "shop")).toEqual([1, 2, 3]);
  });

  test("is nothing for an unknown release or queue", () => {
    const document = published(v1);
    expect(lanesReadBy(document, "v9", "shop")).toEqual([]);
    expect(lanesReadBy(document, "v1", "mail")).toEqual([]);
  });
});
