/** Where the gate of a type stands after a release has published versions of it. */
import { describe, expect, test } from "vitest";
import { decidePublish } from "#shared/registry/decide-publish";
import type { RegistryDocument, ReleaseDescriptor } from "#shared/registry/registry-document";
import {
  MOVED_AT,
  movedTo,
  PUBLICATION,
  PUBLISHED_AT,
  published,
  publishedOn,
  publishedType,
  releaseOf,
  typeOf,
  without,
} from "./registry-builder.ts";

type Pairs = readonly (readonly [number, number])[];

const build = (id: string, pairs: Pairs): ReleaseDescriptor => releaseOf(id, typeOf("receipt.render", pairs));

const gateOf = (document: RegistryDocument): number => publishedType(document).activeVersion;

const LATER = { at: "2026-05-05T05:05:05.000Z", by: "zoe@ci" };

function publishedLater(document: RegistryDocument, descriptor: ReleaseDescriptor): RegistryDocument {
  const decision = decidePublish(document, descriptor, LATER);
  if (decision.kind !== "published") throw new Error(`the release is ${decision.kind}`);
  return decision.document;
}

describe("the first release of a type", () => {
  test.each<[Pairs, number]>([
    [[[1, 1]], 1],
    [
      [
        [1, 1],
        [2, 1],
        [3, 3],
        [4, 4],
      ],
      4,
    ],
    [
      [
        [7, 7],
        [8, 7],
      ],
      8,
    ],
  ])("with %j puts the gate at its newest version", (pairs, gate) => {
    expect(gateOf(published(build("v1", pairs)))).toBe(gate);
  });

  test("supersedes its older versions at once, without a sunset", () => {
    const document = published(
      build("v1", [
        [1, 1],
        [2, 2],
      ]),
    );
    expect(publishedType(document).superseded).toEqual({ 1: { since: PUBLISHED_AT } });
  });

  test("leaves the gates of other types alone", () => {
    const before = published(build("v1", [[1, 1]]));
    const after = publishedOn(before, releaseOf("mail-1", typeOf("mail.send", [[1, 1]], "mail")));
    expect(after.types["receipt.render"]).toEqual(before.types["receipt.render"]);
    expect(after.types["mail.send"]?.activeVersion).toBe(1);
  });
});

describe("a further release", () => {
  const two: Pairs = [
    [1, 1],
    [2, 1],
  ];
  const first = published(build("v1", two));

  test.each<{ added: Pairs; gate: number; what: string }>([
    { what: "an additive version raises the gate by itself", added: [[3, 1]], gate: 3 },
    {
      what: "several additive versions raise it to the last",
      added: [
        [3, 1],
        [4, 1],
      ],
      gate: 4,
    },
    { what: "a breaking version waits above it", added: [[3, 3]], gate: 2 },
    {
      what: "versions that follow a breaking one wait with it",
      added: [
        [3, 3],
        [4, 3],
      ],
      gate: 2,
    },
    {
      what: "an additive version passes and the breaking one after it waits",
      added: [
        [3, 1],
        [4, 4],
      ],
      gate: 3,
    },
    { what: "nothing new leaves it", added: [], gate: 2 },
  ])("$what", ({ added, gate }) => {
    expect(gateOf(publishedOn(first, build("v2", [...two, ...added])))).toBe(gate);
  });

  test("supersedes what an additive version passes, from the moment it is published", () => {
    const document = publishedLater(first, build("v2", [...two, [3, 1]]));
    expect(publishedType(document).superseded).toEqual({
      1: { since: PUBLISHED_AT },
      2: { since: LATER.at },
    });
  });

  test("does not raise a gate that was lowered", () => {
    const document = publishedOn(movedTo(first, 1), build("v2", [...two, [3, 1]]));
    expect(gateOf(document)).toBe(1);
    expect(publishedType(document).superseded).toEqual({});
  });

  test("does not raise a gate over a breaking version that waits", () => {
    const withBreaking = publishedOn(first, build("v2", [...two, [3, 3]]));
    const document = publishedOn(without(withBreaking, "v1"), build("v3", [...two, [3, 3], [4, 3]]));
    expect(gateOf(document)).toBe(2);
    // Once raised to the newest of all, additive ones follow again.
    const raised = movedTo(document, 4);
    expect(gateOf(publishedOn(raised, build("v4", [...two, [3, 3], [4, 3], [5, 3]])))).toBe(5);
  });

  test("that brings older versions late supersedes them, since the gate is past them", () => {
    const windowed = published(
      build("v2", [
        [3, 3],
        [4, 3],
      ]),
    );
    const document = publishedLater(windowed, build("v1", two));
    expect(gateOf(document)).toBe(4);
    expect(publishedType(document).versions.map((it) => it.version)).toEqual([1, 2, 3, 4]);
    expect(publishedType(document).superseded).toEqual({
      1: { since: LATER.at },
      2: { since: LATER.at },
      3: { since: PUBLISHED_AT },
    });
  });
});

describe("a publication is kept", () => {
  const two: Pairs = [
    [1, 1],
    [2, 1],
  ];

  test("one event a version, then where the gate went and why", () => {
    const document = publishedLater(published(build("v1", two)), build("v2", [...two, [3, 1], [4, 4]]));
    expect(publishedType(document).events).toEqual([
      { ...PUBLICATION, change: "published", version: 1, why: "release v1" },
      { ...PUBLICATION, change: "published", version: 2, why: "release v1" },
      { ...PUBLICATION, change: "gate-raised", version: 2, why: "the first release of the type" },
      { ...LATER, change: "published", version: 3, why: "release v2" },
      { ...LATER, change: "published", version: 4, why: "release v2" },
      { ...LATER, change: "gate-raised", version: 3, why: "additive" },
    ]);
  });

  test("not again when a release that brings nothing new is published", () => {
    const before = published(build("v1", two));
    const after = publishedLater(before, build("v2", two));
    expect(publishedType(after).events).toEqual(publishedType(before).events);
  });

  test("when a release that was retired comes back, the gate stays where it is", () => {
    const both = movedTo(published(build("v1", two), build("v2", [...two, [3, 3]])), 3);
    const back = publishedOn(without(movedTo(both, 2), "v2"), build("v2", [...two, [3, 3]]));
    expect(gateOf(back)).toBe(2);
    expect(publishedType(back).events.at(-1)).toMatchObject({ at: MOVED_AT, change: "gate-lowered" });
  });
});
