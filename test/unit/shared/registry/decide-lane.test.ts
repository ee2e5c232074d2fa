import { describe, expect, test } from "vitest";
import {
  acceptedVersions,
  decideLane,
  floorOf,
  lanesReadBy,
  lanesWorthReading,
  routeOf,
} from "#shared/registry/decide-lane";
import { retireLane } from "#shared/registry/decide-publish";
import { EMPTY_REGISTRY, type RegistryDocument } from "#shared/registry/registry-document";
import {
  generationOn,
  MOVED_AT,
  movedTo,
  PUBLISHED_AT,
  published,
  publishedOn,
  releaseOf,
  typeOf,
  without,
} from "./registry-builder.ts";

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

/** The generation that a version of receipts goes to, whatever its gate says; `null` when nobody reads it. */
function routed(document: RegistryDocument, version: number): number | null {
  return routeOf(document, "receipt.render", version)?.generation ?? null;
}

describe("decideLane", () => {
  test("gives the queue, the lane and the minimum reader", () => {
    expect(decideLane(published(v1), "receipt.render", 2)).toEqual({
      kind: "lane",
      queue: "shop",
      generation: 1,
      minReaderVersion: 1,
      superseded: null,
    });
  });

  test("refuses a version above the gate and says where the gate is", () => {
    const document = published(v1, v2);
    expect(decideLane(document, "receipt.render", 3)).toEqual({ kind: "not-active", activeVersion: 2 });
    expect(decideLane(movedTo(document, 3), "receipt.render", 3)).toMatchObject({
      kind: "lane",
      generation: 2,
      superseded: null,
    });
  });

  test("says since when a version is superseded and until when it is taken", () => {
    const document = movedTo(published(v1, v2), { version: 3, sunset: "2026-06-01T00:00:00Z" });
    // The first release superseded version 1 when it published 2 with it.
    expect(decideLane(document, "receipt.render", 1)).toMatchObject({ superseded: { since: PUBLISHED_AT } });
    expect(decideLane(document, "receipt.render", 2)).toMatchObject({
      superseded: { since: MOVED_AT, sunset: "2026-06-01T00:00:00Z" },
    });
  });

  test("accepts no version above the gate, and all below that a live release reads", () => {
    const document = published(v1, v2);
    expect(acceptedVersions(document, "receipt.render")).toEqual([1, 2]);
    expect(acceptedVersions(movedTo(document, 3), "receipt.render")).toEqual([1, 2, 3]);
    expect(acceptedVersions(movedTo(document, 1), "receipt.render")).toEqual([1]);
    expect(acceptedVersions(document, "unknown.type")).toEqual([]);
  });

  test("does not know a version above the gate that nobody reads", () => {
    const document = without(published(v1, v2), "v2");
    expect(decideLane(document, "receipt.render", 3)).toEqual({
      kind: "unknown-version",
      acceptedVersions: [1, 2],
    });
    expect(decideLane(movedTo(document, 1), "receipt.render", 3)).toEqual({
      kind: "unknown-version",
      acceptedVersions: [1],
    });
  });

  test.each(["constructor", "toString", "__proto__"])("does not know the type %s", (type) => {
    expect(decideLane(published(v1), type, 1)).toMatchObject({ kind: "unknown-type" });
    expect(acceptedVersions(published(v1), type)).toEqual([]);
    expect(routeOf(published(v1), type, 1)).toBeNull();
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
});

describe("routeOf", () => {
  test("gives each version the lowest lane that reads it, also above the gate", () => {
    const document = published(v1, v2);
    expect([1, 2, 3].map((version) => routed(document, version))).toEqual([1, 1, 2]);
    expect(routeOf(document, "receipt.render", 3)).toEqual({
      queue: "shop",
      generation: 2,
      minReaderVersion: 3,
    });
  });

  test("gives a version no retired lane, though the next generation reads that too", () => {
    // Lane 2 is nobody's own and v3 reads all of it, so versions of group 3 go there until it retires.
    const document = without(publishedOn(without(published(v1, v2), "v1"), v3), "v2");
    const back = publishedOn(document, v1);
    expect(routed(back, 3)).toBe(2);
    const retired = retireLane(back, { queue: "shop", generation: 2, at: MOVED_AT, by: "autoscaler" });
    expect(routed(retired, 3)).toBe(3);
  });

  test("never gives a lane that no live release reads", () => {
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

  test("reaches ahead to a newer lane that brought nothing the release lacks", () => {
    const wide = releaseOf("wide", typeOf("receipt.render", [[1, 1]]), typeOf("csv.summarise", [[1, 1]]));
    const document = published(wide, releaseOf("narrow", typeOf("receipt.render", [[1, 1]])));
    expect(generationOn(document, "narrow")).toBe(2);
    expect(lanesReadBy(document, "wide", "shop")).toEqual([1, 2]);
    expect(lanesReadBy(document, "narrow", "shop")).toEqual([2]);
    // Routing stays as it was: the lowest generation that reads a job comes first.
    expect(decideLane(document, "receipt.render", 1)).toMatchObject({ kind: "lane", generation: 1 });
  });

  test("is nothing for an unknown release or queue", () => {
    const document = published(v1);
    expect(lanesReadBy(document, "v9", "shop")).toEqual([]);
    expect(lanesReadBy(document, "v1", "mail")).toEqual([]);
  });
});
