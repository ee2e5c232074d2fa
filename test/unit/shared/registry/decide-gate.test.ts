import { describe, expect, test } from "vitest";
import type { GateRefusal } from "#shared/registry/decide-gate";
import { acceptedVersions } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";
import {
  type Asked,
  askGate,
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

const pairs = [
  [1, 1],
  [2, 1],
  [3, 3],
  [4, 3],
  [5, 5],
] as const;

/** Release `id` of a build with the versions up to `last`. */
const build = (id: string, last: number) => releaseOf(id, typeOf("receipt.render", pairs.slice(0, last)));

/** The gate is at 2 and version 3 waits above it, read by v2. */
const waiting = published(build("v1", 2), build("v2", 3));

/** Raised to 5 by the first release: nothing is above. */
const allOfIt = published(build("v1", 5));

function gateOf(document: RegistryDocument): number {
  return publishedType(document).activeVersion;
}

function refusalOf(document: RegistryDocument, asked: Asked): { code: GateRefusal; reason: string } {
  const decision = askGate(document, asked);
  if (decision.kind !== "refused") throw new Error(`the move was not refused: ${decision.kind}`);
  return decision;
}

describe("a gate goes up", () => {
  test.each([
    // ceil(load) slots are needed; a hair above a whole number takes one more.
    { loadSlots: 0, readerSlots: 0 },
    { loadSlots: 0.01, readerSlots: 1 },
    { loadSlots: 4, readerSlots: 4 },
    { loadSlots: 4.01, readerSlots: 5 },
    { loadSlots: 4.01, readerSlots: 500 },
    // 0.1 + 0.2 = 0.30000000000000004: ten times that is not four slots.
    { loadSlots: (0.1 + 0.2) * 10, readerSlots: 3 },
  ])("when $readerSlots slots bear a load of $loadSlots", (readiness) => {
    const decision = askGate(waiting, { version: 3, ...readiness });
    expect(decision).toMatchObject({ kind: "moved", from: 2 });
  });

  test.each([
    { loadSlots: 0.01, readerSlots: 0, needed: 1 },
    { loadSlots: 4, readerSlots: 3, needed: 4 },
    { loadSlots: 4.01, readerSlots: 4, needed: 5 },
  ])("not when $readerSlots slots face a load of $loadSlots", ({ needed, ...readiness }) => {
    expect(refusalOf(waiting, { version: 3, ...readiness })).toEqual({
      kind: "refused",
      code: "slots-missing",
      reason:
        `receipt.render keeps ${needed} slots busy, and the workers that read version 3 and do not drain have ` +
        `${readiness.readerSlots}; start more of them first`,
    });
  });

  test("not while the load is not known, however many slots there are", () => {
    expect(refusalOf(waiting, { version: 3, loadSlots: null, readerSlots: 1_000 }).code).toBe("load-unknown");
  });

  test("not to a version that no live release reads", () => {
    const document = without(waiting, "v2");
    const asked = { version: 3, loadSlots: 0, readerSlots: 9 };
    expect(refusalOf(document, asked)).toMatchObject({
      code: "no-reader",
      reason: "no live release reads version 3 of receipt.render; deploy one first",
    });
  });

  test("to another version of its own read group at once", () => {
    expect(gateOf(movedTo(movedTo(allOfIt, 3), { version: 4 }))).toBe(4);
  });

  test("to any version of the next read group", () => {
    expect(gateOf(movedTo(movedTo(allOfIt, 2), { version: 4 }))).toBe(4);
    expect(gateOf(movedTo(movedTo(allOfIt, 1), { version: 3 }))).toBe(3);
  });

  test("not over a whole read group", () => {
    expect(refusalOf(movedTo(allOfIt, 2), { version: 5 })).toMatchObject({
      code: "more-than-one-step",
      reason: "version 5 of receipt.render is 2 read groups above the gate; raise to 3 first",
    });
  });

  test("over a read group that no live release reads, since no raise could ever stop there", () => {
    // v2 alone read group 3 and is gone; v3 has dropped it.
    const v3 = releaseOf("v3", typeOf("receipt.render", [pairs[0], pairs[1], pairs[4]]));
    const document = publishedOn(without(published(build("v1", 2), build("v2", 4)), "v2"), v3);
    expect(refusalOf(document, { version: 3 }).code).toBe("no-reader");
    expect(askGate(document, { version: 5 })).toMatchObject({ kind: "moved", from: 2 });
  });

  test("naming a version of the group below that can be raised to", () => {
    // Version 3 was never published: group 3 starts with version 4, which v2 brought first.
    const v2 = releaseOf("v2", typeOf("receipt.render", pairs.slice(3)));
    const document = movedTo(published(v2, build("v1", 1)), 1);
    expect(refusalOf(document, { version: 5 }).reason).toMatch(/raise to 4 first$/);
    expect(gateOf(movedTo(document, { version: 4 }))).toBe(4);
  });
});

describe("force", () => {
  test.each([
    { loadSlots: null, readerSlots: 0 },
    { loadSlots: 100, readerSlots: 0 },
  ])("raises without the slots: $readerSlots for $loadSlots", (readiness) => {
    expect(gateOf(movedTo(waiting, { version: 3, force: true, ...readiness }))).toBe(3);
  });

  test.each<[GateRefusal, RegistryDocument, Asked]>([
    ["no-reader", without(waiting, "v2"), { version: 3 }],
    ["more-than-one-step", movedTo(allOfIt, 2), { version: 5 }],
    ["gate-moved", waiting, { version: 3, expected: 1 }],
    ["version-unknown", waiting, { version: 4 }],
    ["type-unknown", waiting, { version: 1, type: "mail.send" }],
  ])("does not help against %s", (code, document, asked) => {
    expect(refusalOf(document, { ...asked, force: true }).code).toBe(code);
  });
});

describe("a gate goes down", () => {
  test.each<[string, RegistryDocument, Partial<Asked>]>([
    ["at any time", allOfIt, { loadSlots: 0, readerSlots: 10 }],
    ["with a load that is not known", allOfIt, { loadSlots: null }],
    ["with no slot for the load", allOfIt, { loadSlots: 50, readerSlots: 0 }],
    ["over any number of read groups", allOfIt, { version: 1 }],
    ["also to a version that nobody reads any more", without(allOfIt, "v1"), {}],
  ])("%s", (_when, document, asked) => {
    const version = asked.version ?? 4;
    const decision = askGate(document, { version, ...asked });
    expect(decision).toMatchObject({ kind: "moved", from: 5 });
    expect(gateOf(movedTo(document, { version, ...asked }))).toBe(version);
  });

  test("and takes back what it had superseded from there on, and nothing below", () => {
    const raised = movedTo(movedTo(allOfIt, 2), { version: 3, sunset: "2027-01-01T00:00:00Z" });
    expect(publishedType(raised).superseded).toEqual({
      1: { since: PUBLISHED_AT },
      2: { since: MOVED_AT, sunset: "2027-01-01T00:00:00Z" },
    });
    expect(publishedType(movedTo(raised, 2)).superseded).toEqual({ 1: { since: PUBLISHED_AT } });
    expect(publishedType(movedTo(raised, 1)).superseded).toEqual({});
  });

  test("and up again, and all that was accepted is accepted again", () => {
    const lowered = movedTo(allOfIt, 1);
    expect(acceptedVersions(lowered, "receipt.render")).toEqual([1]);
    const back = movedTo(movedTo(lowered, 3), 5);
    expect(acceptedVersions(back, "receipt.render")).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("a raise supersedes", () => {
  test("every version that it passes, with the sunset that is announced", () => {
    const raised = movedTo(movedTo(allOfIt, 1), { version: 4, sunset: "2027-01-01T00:00:00Z" });
    const entry = { since: MOVED_AT, sunset: "2027-01-01T00:00:00Z" };
    expect(publishedType(raised).superseded).toEqual({ 1: entry, 2: entry, 3: entry });
  });

  test("without touching since when older ones are, or their sunset", () => {
    const first = movedTo(movedTo(allOfIt, 2), { version: 3, sunset: "2027-01-01T00:00:00Z" });
    const later = movedTo(first, { version: 5, at: "2026-03-01T00:00:00.000Z" });
    expect(publishedType(later).superseded).toEqual({
      1: { since: PUBLISHED_AT },
      2: { since: MOVED_AT, sunset: "2027-01-01T00:00:00Z" },
      3: { since: "2026-03-01T00:00:00.000Z" },
      4: { since: "2026-03-01T00:00:00.000Z" },
    });
  });
});

describe("a move is refused", () => {
  test.each<[GateRefusal, string, RegistryDocument, Asked]>([
    [
      "type-unknown",
      "no release has published the type mail.send",
      waiting,
      { version: 1, type: "mail.send" },
    ],
    ["type-unknown", "no release has published the type toString", waiting, { version: 1, type: "toString" }],
    [
      "version-unknown",
      "version 9 of receipt.render is not published; published: 1, 2, 3",
      waiting,
      { version: 9 },
    ],
    ["version-unknown", "version 0 of receipt.render is not published", waiting, { version: 0 }],
    [
      "gate-moved",
      "the gate of receipt.render is at 2, not at 3; look again",
      waiting,
      { version: 1, expected: 3 },
    ],
    // Also when the gate is where the caller wants it: somebody else has moved it meanwhile.
    ["gate-moved", "the gate of receipt.render is at 2", waiting, { version: 2, expected: 1 }],
  ])("with %s: %s", (code, reason, document, asked) => {
    expect(refusalOf(document, asked)).toMatchObject({ code, reason: expect.stringContaining(reason) });
  });

  test("and where the caller saw the gate is compared before anything else is", () => {
    expect(refusalOf(waiting, { version: 9, expected: 1 }).code).toBe("gate-moved");
  });
});

describe("a move", () => {
  test("with the right expectation is made", () => {
    expect(gateOf(movedTo(waiting, { version: 3, expected: 2 }))).toBe(3);
    expect(gateOf(movedTo(waiting, { version: 1, expected: 2 }))).toBe(1);
  });

  test("to where the gate is changes nothing, whatever the load", () => {
    const asked = { version: 2, loadSlots: null, expected: 2 };
    expect(askGate(waiting, asked)).toEqual({ kind: "unchanged", activeVersion: 2 });
  });

  test("is one revision, and touches nothing but its type", () => {
    const moved = movedTo(waiting, 3);
    expect({ ...moved, types: null }).toEqual({ ...waiting, types: null, revision: waiting.revision + 1 });
    const other = published(releaseOf("v1", typeOf("a.a", [[1, 1]]), typeOf("receipt.render", pairs)));
    expect(movedTo(other, 1).types["a.a"]).toBe(other.types["a.a"]);
  });

  test("leaves the document it was given as it was", () => {
    const before = structuredClone(waiting);
    movedTo(waiting, 3);
    movedTo(waiting, 1);
    expect(waiting).toEqual(before);
  });

  test("is kept with when, by whom and why, after what happened before", () => {
    const moves = movedTo(movedTo(waiting, { version: 3, by: "eve@ops", why: "soaked" }), {
      version: 2,
      by: "ben@ops",
      why: "errors",
    });
    expect(publishedType(moves).events.slice(-3)).toEqual([
      { ...PUBLICATION, change: "published", version: 3, why: "release v2" },
      { at: MOVED_AT, by: "eve@ops", change: "gate-raised", version: 3, why: "soaked" },
      { at: MOVED_AT, by: "ben@ops", change: "gate-lowered", version: 2, why: "errors" },
    ]);
  });

  test("is remembered among the last 50", () => {
    let document = waiting;
    // 60 moves: 3, 2, 3, 2, ...; the last one goes back to 2.
    for (let move = 0; move < 60; move += 1) {
      document = movedTo(document, { version: move % 2 === 0 ? 3 : 2, force: true, why: `move ${move}` });
    }
    const { events } = publishedType(document);
    expect(events.map((it) => it.why)).toEqual(Array.from({ length: 50 }, (_, n) => `move ${n + 10}`));
  });
});

describe("a sunset is refused", () => {
  test.each([
    ["that has passed", { version: 3, sunset: "2026-01-31T11:59:59.999Z" }],
    ["of a gate that is lowered", { version: 1, sunset: "2027-01-31T12:00:00.000Z" }],
  ])("%s", (_what, asked) => {
    expect(refusalOf(waiting, asked).code).toBe("sunset-wrong");
  });
});
