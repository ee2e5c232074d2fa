import { describe, expect, test } from "vitest";
import { decideDraft } from "#shared/registry/decide-draft";
import { retireLane } from "#shared/registry/decide-publish";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { type VersionState, versionStates } from "#shared/registry/version-state";
import {
  MOVED_AT,
  movedTo,
  PUBLICATION,
  PUBLISHED_AT,
  published,
  publishedOn,
  releaseOf,
  typeOf,
  without,
} from "./registry-builder.ts";

const pairs = [
  [1, 1],
  [2, 1],
  [3, 3],
] as const;
const v1 = releaseOf("v1", typeOf("receipt.render", pairs.slice(0, 2)));
const v2 = releaseOf("v2", typeOf("receipt.render", pairs));
/** Reads nothing older than version 3. */
const only3 = releaseOf("v3", typeOf("receipt.render", pairs.slice(2)));

function livesIn(document: RegistryDocument, type = "receipt.render"): readonly string[] {
  return versionStates(document, type).map(({ version, state }) => `${version} ${state}`);
}

function stateIn(document: RegistryDocument, version: number): VersionState | undefined {
  return versionStates(document, "receipt.render").find((it) => it.version === version);
}

/** Lane 1 of the shop, found empty for good. */
function withoutLane1(document: RegistryDocument): RegistryDocument {
  return retireLane(document, { queue: "shop", generation: 1, at: MOVED_AT, by: "autoscaler" });
}

describe("the life of a version", () => {
  test("is published above the gate, active at it and superseded below", () => {
    const document = published(v1, v2);
    expect(livesIn(document)).toEqual(["1 superseded", "2 active", "3 published"]);
    expect(livesIn(movedTo(document, 3))).toEqual(["1 superseded", "2 superseded", "3 active"]);
    expect(livesIn(movedTo(document, 1))).toEqual(["1 active", "2 published", "3 published"]);
  });

  test("starts as a draft, which stands among the others by its number", () => {
    const drafted = decideDraft(published(v1), v2, { ...PUBLICATION, why: "look" });
    expect(livesIn(drafted)).toEqual(["1 superseded", "2 active", "3 draft"]);
    expect(livesIn(publishedOn(drafted, v2))).toEqual(["1 superseded", "2 active", "3 published"]);
  });

  test("ends when no live release reads it and no lane can hold it", () => {
    const both = movedTo(published(v1, v2), 3);
    // v2 reads versions 1 and 2 as well: nothing of theirs ends with v1.
    expect(livesIn(withoutLane1(without(both, "v1")))).toEqual(["1 superseded", "2 superseded", "3 active"]);

    const dropping = publishedOn(movedTo(published(v1), 1), only3);
    // The gate is at 1 and nobody is left to read it, but jobs may still lie in lane 1.
    const withoutV1 = without(dropping, "v1");
    expect(livesIn(withoutV1)).toEqual(["1 active", "2 published", "3 published"]);
    expect(livesIn(withoutLane1(withoutV1))).toEqual(["1 retired", "2 retired", "3 published"]);
  });

  test("does not end while an older lane that holds its group is not retired", () => {
    // Lane 2 has groups 1 and 3; after v1 and v2 are gone, lanes 1 and 2 may both hold version 1.
    const document = without(publishedOn(without(published(v1, v2), "v1"), only3), "v2");
    expect(livesIn(withoutLane1(document))[0]).toBe("1 superseded");
    const retired = retireLane(withoutLane1(document), {
      queue: "shop",
      generation: 2,
      at: MOVED_AT,
      by: "autoscaler",
    });
    expect(livesIn(retired)).toEqual(["1 retired", "2 retired", "3 published"]);
  });

  test("does not end while a live release reads it, though the lanes that held it are retired", () => {
    // v2 has both groups, and its own lane 2 cannot retire; lane 1 is.
    const document = withoutLane1(without(movedTo(published(v1, v2), 3), "v1"));
    expect(livesIn(document)).toEqual(["1 superseded", "2 superseded", "3 active"]);
  });

  test("begins again when a release that reads it comes back", () => {
    const gone = withoutLane1(without(publishedOn(published(v1), only3), "v1"));
    expect(livesIn(gone)[1]).toBe("2 retired");
    expect(livesIn(publishedOn(gone, v1))[1]).toBe("2 active");
  });

  test("is nothing for a type that nobody has shown", () => {
    expect(versionStates(published(v1), "mail.send")).toEqual([]);
    expect(versionStates(published(v1), "constructor")).toEqual([]);
  });
});

describe("what is told of a version", () => {
  test("is what happened to it last, when and by whom", () => {
    const raised = movedTo(published(v1, v2), { version: 3, by: "eve@ops" });
    expect(stateIn(raised, 3)).toEqual({
      version: 3,
      state: "active",
      since: MOVED_AT,
      by: "eve@ops",
      sunset: null,
    });
    // A superseded version is told with the time that its writers are told, and with who published it.
    expect(stateIn(raised, 2)).toMatchObject({ since: MOVED_AT, by: PUBLICATION.by });
  });

  test("has the sunset that was announced, until the gate is lowered again", () => {
    const raised = movedTo(published(v1, v2), { version: 3, sunset: "2027-01-01T00:00:00Z" });
    expect(stateIn(raised, 2)?.sunset).toBe("2027-01-01T00:00:00Z");
    expect(stateIn(raised, 1)?.sunset).toBeNull();
    expect(stateIn(movedTo(raised, 2), 2)?.sunset).toBeNull();
  });

  test("no longer says by whom once 50 newer events have pushed it out", () => {
    let document = published(v1, v2);
    for (let move = 0; move < 50; move += 1) document = movedTo(document, move % 2 === 0 ? 3 : 2);
    expect(stateIn(document, 1)).toEqual({
      version: 1,
      state: "superseded",
      since: PUBLISHED_AT,
      by: null,
      sunset: null,
    });
  });
});
