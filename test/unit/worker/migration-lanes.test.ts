import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineContract } from "#shared/contracts/contract";
import type { PublishedType, RegistryDocument } from "#shared/registry/registry-document";
import { published, releaseOf, typeOf, without } from "#test/unit/shared/registry/registry-builder";
import { defineJob, resolveApp } from "#worker/app";
import { requireActive, requireMigrationLanes, requirePublished } from "#worker/migration-lanes";

const v1 = typeOf("receipt.render", [[1, 1]]);
const v2 = typeOf("receipt.render", [
  [1, 1],
  [2, 2],
]);
const v2alone = typeOf("receipt.render", [[2, 2]]);

const two = published(releaseOf("shop-1", v1), releaseOf("shop-2", v2));

function lanes(document: RegistryDocument, release: string, fromLane: string, queue = "shop") {
  return requireMigrationLanes(document, { release, queue, fromLane });
}

describe("a release migrates", () => {
  test("from an older lane that it reads into its own", () => {
    expect(lanes(two, "shop-2", "shop.r1")).toEqual({ from: "shop.r1", to: "shop.r2" });
  });

  test("from a lane whose own releases are retired", () => {
    expect(lanes(without(two, "shop-1"), "shop-2", "shop.r1")).toEqual({ from: "shop.r1", to: "shop.r2" });
  });

  test("when the newer release is retired", () => {
    const rolledBack = without(published(releaseOf("shop-1", v1), releaseOf("shop-2", v2)), "shop-2");
    expect(() => lanes(rolledBack, "shop-1", "shop.r1")).toThrow("shop.r1 is no older lane");
    const third = published(releaseOf("shop-1", v1), releaseOf("shop-2", v2), releaseOf("shop-3", v2));
    expect(lanes(without(third, "shop-3"), "shop-2", "shop.r1").to).toBe("shop.r2");
  });
});

describe("a migration is refused, with what to do,", () => {
  test.each([
    ["of a release that is not published", two, "shop-9", "shop.r1", "not published; publish it first"],
    ["of a release named as every object's own", two, "constructor", "shop.r1", "not published"],
    ["of a retired release", without(two, "shop-2"), "shop-2", "shop.r1", "retired; publish it first"],
    [
      "of a release that is not the newest",
      two,
      "shop-1",
      "shop.r1",
      "release shop-2 of queue shop is newer",
    ],
    ["from its own lane", two, "shop-2", "shop.r2", "choose one of shop.r1"],
    ["from a newer lane", two, "shop-2", "shop.r3", "choose one of shop.r1"],
    ["from a lane of another queue", two, "shop-2", "mail.r1", "choose one of shop.r1"],
    ["from the parked jobs", two, "shop-2", "shop.parked", "choose one of shop.r1"],
    [
      "from a lane of which it has dropped something",
      published(releaseOf("shop-1", v1), releaseOf("shop-2", v2alone)),
      "shop-2",
      "shop.r1",
      "it reads none",
    ],
  ])("%s", (_what, document, release, fromLane, told) => {
    expect(() => lanes(document, release, fromLane)).toThrow(told);
  });

  test("of a queue that the release has no job on", () => {
    expect(() => lanes(two, "shop-2", "mail.r1", "mail")).toThrow("no job on queue mail");
  });
});

describe("an app", () => {
  const versions = [1, 2].map((version) => ({
    version,
    minReaderVersion: version,
    schema: z.looseObject({ [`v${version}`]: z.string() }),
    upcast: () => ({ v2: "" }),
  }));
  const appOf = (count: number) =>
    resolveApp({
      name: "shop",
      jobs: [
        defineJob(
          defineContract({ type: "receipt.render", queue: "shop", versions: versions.slice(0, count) }),
          () => undefined,
        ),
      ],
    });

  test("that writes what is published may migrate", () => {
    expect(() => requirePublished(two, appOf(2), "shop-2")).not.toThrow();
  });

  test("that would write a version that nobody has published is refused", () => {
    const one = published(releaseOf("shop-1", v1));
    expect(() => requirePublished(one, appOf(2), "shop-1")).toThrow("version 2 of receipt.render");
  });

  test("that would write above the gate is refused until it is raised", () => {
    expect(() => requireActive(two, appOf(2), "shop")).toThrow(
      "the gate of receipt.render is at version 1, and the build would write version 2; raise it first",
    );
    const receipts = { ...(two.types["receipt.render"] as PublishedType), activeVersion: 2 };
    const raised = { ...two, types: { "receipt.render": receipts } };
    expect(() => requireActive(raised, appOf(2), "shop")).not.toThrow();
    expect(() => requireActive(two, appOf(2), "another-queue")).not.toThrow();
  });
});
