import { describe, expect, test } from "vitest";
import { decideDraft } from "#shared/registry/decide-draft";
import { decideLane, routeOf } from "#shared/registry/decide-lane";
import {
  EMPTY_REGISTRY,
  type RegistryDocument,
  type ReleaseDescriptor,
  registryDocument,
} from "#shared/registry/registry-document";
import {
  askGate,
  PUBLICATION,
  problemsOf,
  published,
  publishedOn,
  publishedType,
  releaseOf,
  typeOf,
} from "./registry-builder.ts";

const DRAFTED = { at: "2026-02-02T00:00:00.000Z", by: "ana@ops1", why: "to look at" };
const REDRAFTED = { at: "2026-02-03T00:00:00.000Z", by: "ben@ops2", why: "another try" };

const one = typeOf("receipt.render", [[1, 1]]);
const two = typeOf("receipt.render", [
  [1, 1],
  [2, 2],
]);
const v1 = releaseOf("v1", one);
const v2 = releaseOf("v2", two);
const base = published(v1);

/** Version 2 with a field that `two` does not have. */
const changed: ReleaseDescriptor = releaseOf("v2", {
  ...two,
  versions: two.versions.map((it) =>
    it.version === 2 ? { ...it, schema: { type: "object", properties: { total: {} } } } : it,
  ),
});

function drafted(document: RegistryDocument, descriptor = v2): RegistryDocument {
  return decideDraft(document, descriptor, DRAFTED);
}

describe("a draft", () => {
  test("shows the versions that are not published, by whom and since when", () => {
    const document = drafted(base);
    expect(publishedType(document).drafts).toEqual([
      { version: 2, schema: two.versions[1]?.schema, draftedAt: DRAFTED.at, draftedBy: DRAFTED.by },
    ]);
    expect(publishedType(document).events.at(-1)).toEqual({ ...DRAFTED, change: "drafted", version: 2 });
    expect(document.revision).toBe(base.revision + 1);
  });

  test("changes nothing of what is published, and enters no release and no lane", () => {
    const document = drafted(base);
    const { drafts: _drafts, events: _events, ...rest } = publishedType(document);
    expect(rest).toEqual({
      ...publishedType(base),
      drafts: undefined,
      events: undefined,
    });
    expect([document.queues, document.releases]).toEqual([base.queues, base.releases]);
  });

  test("is never accepted", () => {
    const document = drafted(base);
    expect(decideLane(document, "receipt.render", 2)).toEqual({
      kind: "unknown-version",
      acceptedVersions: [1],
    });
    expect(routeOf(document, "receipt.render", 2)).toBeNull();
    expect(askGate(document, { version: 2, force: true })).toMatchObject({ code: "version-unknown" });
  });

  test("is replaced by the next one of its version", () => {
    const document = decideDraft(drafted(base), changed, REDRAFTED);
    expect(publishedType(document).drafts).toEqual([
      {
        version: 2,
        schema: { type: "object", properties: { total: {} } },
        draftedAt: REDRAFTED.at,
        draftedBy: REDRAFTED.by,
      },
    ]);
  });

  test("that is shown already is left as it is, so that drafting on every commit tells of changes alone", () => {
    const document = drafted(base);
    expect(decideDraft(document, v2, REDRAFTED)).toBe(document);
  });

  test("of versions that are all published is nothing", () => {
    expect(drafted(base, v1)).toBe(base);
    expect(drafted(base, releaseOf("v9"))).toBe(base);
  });

  test("ends when its version is published, and others stay", () => {
    const three = typeOf("receipt.render", [
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    const document = publishedOn(drafted(base, releaseOf("v3", three)), v2);
    expect(publishedType(document).drafts.map((it) => it.version)).toEqual([3]);
    expect(publishedType(document).versions.map((it) => it.version)).toEqual([1, 2]);
  });

  test("promises no schema: another one may be published", () => {
    const document = publishedOn(drafted(base), changed);
    expect(publishedType(document).versions[1]?.schema).toEqual({
      type: "object",
      properties: { total: {} },
    });
  });

  test("is kept whole by Redis' text", () => {
    const document = drafted(drafted(EMPTY_REGISTRY));
    expect(registryDocument.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });
});

describe("a draft of a type that is not published", () => {
  const onlyDraft = drafted(EMPTY_REGISTRY, v1);

  test("shows the type, and its door stays closed", () => {
    expect(publishedType(onlyDraft)).toMatchObject({ queue: "shop", versions: [], activeVersion: 0 });
    expect(decideLane(onlyDraft, "receipt.render", 1)).toEqual({ kind: "unknown-type", knownTypes: [] });
    expect(askGate(onlyDraft, { version: 1 })).toMatchObject({ code: "type-unknown" });
  });

  test("promises no queue: the first release brings its own, as if there were no draft", () => {
    const elsewhere = releaseOf("v1", typeOf("receipt.render", [[1, 1]], "receipts"));
    const document = publishedOn(onlyDraft, elsewhere);
    expect(publishedType(document)).toEqual({
      ...publishedType(published(elsewhere)),
      events: [
        { ...DRAFTED, change: "drafted", version: 1 },
        { ...PUBLICATION, change: "published", version: 1, why: "release v1" },
        { ...PUBLICATION, change: "gate-raised", version: 1, why: "the first release of the type" },
      ],
    });
    expect(problemsOf(document, v1)).toContain(
      "receipt.render is published on queue receipts; a type keeps its queue",
    );
  });

  test("follows the queue of the newest draft", () => {
    const moved = releaseOf("v1", typeOf("receipt.render", [[2, 1]], "receipts"));
    expect(publishedType(decideDraft(onlyDraft, moved, REDRAFTED))).toMatchObject({ queue: "receipts" });
  });
});
