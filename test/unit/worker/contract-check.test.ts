import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { CheckFinding, CheckReport, TypeReport } from "#shared/contracts/check-report";
import { type Contract, type ContractVersion, defineContract } from "#shared/contracts/contract";
import type { ContractDocument } from "#shared/contracts/contract-document";
import { toJsonSchema } from "#shared/contracts/json-schema";
import { AppInvalidError } from "#shared/errors";
import { checkApp } from "#worker/contract-check";
import { exportApp } from "#worker/contract-export";

const loose = z.looseObject;
const amount = loose({ amount: z.int() });
const withNote = loose({ amount: z.int(), note: z.string().optional() });
const total = loose({ total: loose({ value: z.int() }) });
const stepToTotal = ({ amount: value, ...kept }: { amount: number }) => ({ ...kept, total: { value } });
const version1 = { version: 1, schema: amount };
const version2 = { version: 2, schema: withNote };
const version3 = { version: 3, schema: total, upcast: stepToTotal };

function contractOf(...versions: readonly ContractVersion[]): Contract {
  return defineContract({ type: "receipt.render", queue: "shop", versions });
}

function appOf(...contracts: readonly Contract[]) {
  return { name: "shop", jobs: contracts.map((contract) => ({ contract, handler: () => undefined })) };
}

/** The document as an earlier build wrote it. */
function documentOf(...versions: readonly ContractVersion[]): ContractDocument {
  const [document] = exportApp(appOf(contractOf(...versions)), []).documents;
  if (document === undefined) throw new Error("nothing was exported");
  return document;
}

const published = documentOf(version1, version2);

function check(
  versions: readonly ContractVersion[],
  document: ContractDocument | null = published,
): TypeReport {
  const { types, verdict } = checkApp(appOf(contractOf(...versions)), document === null ? [] : [document], {
    runs: 200,
  });
  const [type] = types;
  if (type === undefined) throw new Error("nothing was checked");
  expect(verdict).toBe(type.verdict);
  return type;
}

/** "code severity version" of each finding about the type. */
function told({ findings }: { readonly findings: readonly CheckFinding[] }): readonly string[] {
  return findings.map(({ code, severity, version }) => `${code} ${severity} ${version ?? "-"}`);
}

describe("a build with nothing new", () => {
  test("is allowed, has read every sample and proved its steps", () => {
    const report = check([version1, version2, version3], documentOf(version1, version2, version3));
    expect(report).toMatchObject({
      type: "receipt.render",
      queue: "shop",
      state: "known",
      verdict: "allowed",
      findings: [],
    });
    expect(report.versions).toEqual(
      [1, 2, 3].map((version) => ({
        version,
        state: "unchanged",
        minReaderVersion: version === 3 ? 3 : 1,
        kind: null,
        raisedByAuthor: false,
        findings: [],
        upcast: version === 3 ? [] : null,
        samplesRead: 3,
      })),
    );
  });

  test("is plain JSON", () => {
    const report = check([version1, version2, version3]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe("a new version", () => {
  test("that is additive is allowed, and the document is out of date", () => {
    const report = check([
      version1,
      version2,
      { version: 3, schema: withNote.extend({ tag: z.string().optional() }) },
    ]);
    expect(report.verdict).toBe("allowed");
    expect(told(report)).toEqual(["DOCUMENT_STALE hint -"]);
    expect(report.versions[2]).toMatchObject({
      version: 3,
      state: "new",
      kind: "additive",
      minReaderVersion: 1,
    });
  });

  test("that is breaking and has a sound upcaster is breaking, and each reason is shown by a document", () => {
    const report = check([version1, version2, version3]);
    expect(report.verdict).toBe("breaking");
    const version = report.versions[2];
    expect(version).toMatchObject({ kind: "breaking-with-upcaster", minReaderVersion: 3, upcast: [] });
    const pairs = version?.findings.map(
      (it) => `${it.direction} ${it.againstVersion} ${it.code} ${it.conservative}`,
    );
    expect(pairs).toEqual([
      "backward 1 REQUIRED_ADDED false",
      "backward 2 REQUIRED_ADDED false",
      "forward 1 REQUIRED_ADDED false",
      "forward 2 REQUIRED_ADDED false",
    ]);
    for (const finding of version?.findings ?? []) expect(finding.counterexample).not.toBeNull();
  });

  test("without the upcaster it needs is rejected, and its samples cannot be read", () => {
    const report = check([version1, version2, { version: 3, schema: total }]);
    expect(report.verdict).toBe("rejected");
    expect(report.versions[2]).toMatchObject({ kind: "rejected", minReaderVersion: 3, upcast: null });
    expect(told(report)).toContain("SAMPLE_UNREADABLE rejected 1");
    expect(told(report)).not.toContain("CONTRACT_INVALID rejected 3");
  });

  test.each([
    ["UPCAST_THROWS", "rejected", () => JSON.parse("{")],
    ["UPCAST_INVALID_RESULT", "rejected", () => ({})],
    ["UPCAST_DROPS_UNKNOWN", "breaking", (it: { amount: number }) => ({ total: { value: it.amount } })],
  ])("whose upcaster has the defect %s is %s", (code, verdict, upcast) => {
    const report = check([version1, version2, { ...version3, upcast }]);
    expect(report.verdict).toBe(verdict);
    const found = report.versions[2]?.upcast ?? [];
    expect(found.map((it) => `${it.code} ${it.fromVersion}`)).toEqual([`${code} 1`, `${code} 2`]);
  });

  test("uses a name of a version that only the document remembers, and is rejected", () => {
    const later = { version: 3, minReaderVersion: 3, schema: loose({}) };
    const document = documentOf(version1, version2, later);
    const report = check([later, { version: 4, schema: loose({ note: z.string().optional() }) }], document);
    expect(report.verdict).toBe("rejected");
    expect(report.versions[3]?.findings).toEqual([
      expect.objectContaining({
        code: "NAME_REUSED",
        direction: "history",
        againstVersion: 2,
        path: "/note",
      }),
    ]);
  });

  test("is judged by the versions of its lane that the build has dropped", () => {
    const document = documentOf({ version: 1, schema: withNote }, { version: 2, schema: amount });
    const kept = { version: 2, minReaderVersion: 1, schema: amount };
    const report = check(
      [kept, { version: 3, schema: loose({ amount: z.int(), note: z.int().optional() }) }],
      document,
    );
    expect(report.verdict).toBe("rejected");
    const codes = report.versions[2]?.findings.map((it) => it.code);
    expect(codes).toEqual(["TYPE_NARROWED", "TYPE_NARROWED", "NAME_REUSED", "MIN_READER_LOWERED"]);
  });

  test("that the author raises is breaking for no other reason", () => {
    const report = check([version1, version2, { version: 3, minReaderVersion: 3, schema: withNote }]);
    expect(report.versions[2]).toMatchObject({ kind: "breaking", raisedByAuthor: true, findings: [] });
  });

  test("has an upcaster that is never called: a hint", () => {
    const report = check([version1, version2, { version: 3, schema: withNote, upcast: (it: object) => it }]);
    expect(told(report)).toEqual(["DOCUMENT_STALE hint -", "UPCAST_UNUSED hint 3"]);
    expect(report.verdict).toBe("allowed");
  });
});

describe("a published version", () => {
  test.each([
    ["another schema", { version: 2, schema: withNote.extend({ more: z.int().optional() }) }],
    ["another M", { version: 2, minReaderVersion: 2, schema: withNote }],
  ])("with %s is rejected", (_what, changed) => {
    const report = check([version1, changed]);
    expect(told(report)).toContain("PUBLISHED_VERSION_CHANGED rejected 2");
    expect(report).toMatchObject({
      verdict: "rejected",
      versions: [{ state: "unchanged" }, { state: "changed" }],
    });
  });

  test("that the build has dropped is breaking only when nothing else reads its lane", () => {
    const dropped = check([{ ...version2, minReaderVersion: 1 }]);
    expect([dropped.verdict, told(dropped)]).toEqual(["allowed", []]);
    expect(dropped.versions[0]).toMatchObject({ version: 1, state: "not-in-build", samplesRead: 3 });
    const document = documentOf(version1, version2, version3);
    const gone = check([{ version: 3, minReaderVersion: 3, schema: total }], document);
    expect(gone.verdict).toBe("breaking");
    expect(told(gone)).toEqual(["VERSION_DROPPED breaking 1", "VERSION_DROPPED breaking 2"]);
    expect(gone.versions[0]?.samplesRead).toBe(0);
  });

  test("that the build is too old for is left alone", () => {
    const report = check([version1], documentOf(version1, version2, version3));
    expect([report.verdict, told(report)]).toEqual(["allowed", []]);
    expect(report.versions.map((it) => it.samplesRead)).toEqual([3, 3, 0]);
  });

  test("without an M in a build that lacks version 1 keeps it from starting", () => {
    const report = check([version2]);
    expect(told(report)).toContain("CONTRACT_INVALID rejected 2");
  });
});

describe("samples", () => {
  test("of the document must be readable by this build, whatever the schemas say", () => {
    const [first, ...others] = published.versions;
    if (first === undefined) throw new Error("no version");
    const document = {
      ...published,
      versions: [{ ...first, samples: [{ amount: 1 }, { amount: 2.5 }] }, ...others],
    };
    const report = check([version1, version2], document);
    expect(told(report)).toEqual(["SAMPLE_UNREADABLE rejected 1"]);
    expect(report.findings[0]?.message).toMatch(/^this build cannot read sample 2 of it: /);
    expect(report.versions[0]?.samplesRead).toBe(1);
  });

  test("of the author must be valid", () => {
    const report = check([version1, { ...version2, samples: [{ amount: 1, other: 2 }] }]);
    expect(told(report)).toEqual(["CONTRACT_INVALID rejected 2"]);
  });

  test("of the author go through the steps of this build too", () => {
    const picky = (it: { amount: number }) => {
      if (it.amount === 4_242) throw new Error("never made up");
      return stepToTotal(it);
    };
    const report = check([
      version1,
      { ...version2, samples: [{ amount: 4_242 }] },
      { ...version3, upcast: picky },
    ]);
    expect(told(report)).toContain("SAMPLE_UNREADABLE rejected 2");
  });
});

describe("a type", () => {
  test("without a document is new, allowed, and its versions are judged by each other", () => {
    const report = check([version1, version2, version3], null);
    expect(report).toMatchObject({ state: "new", verdict: "allowed" });
    expect(told(report)).toEqual(["TYPE_NEW hint -"]);
    expect(report.versions.map((it) => it.kind)).toEqual(["first", "additive", "breaking-with-upcaster"]);
    expect(check([version1, { version: 2, schema: total }], null).verdict).toBe("rejected");
  });

  test("that is in no contract any more is breaking, and what to do is said", () => {
    const other = defineContract({ type: "csv.summarise", queue: "shop", versions: [version1] });
    const report = checkApp(appOf(other), [published]);
    expect(report.types.map((it) => `${it.type} ${it.state} ${it.verdict}`)).toEqual([
      "csv.summarise new allowed",
      "receipt.render removed breaking",
    ]);
    expect(report.verdict).toBe("breaking");
    expect(report.types[1]?.findings[0]?.message).toContain("keep one until there are none");
  });

  test("keeps its queue", () => {
    const moved = defineContract({ type: "receipt.render", queue: "media", versions: [version1, version2] });
    const { types } = checkApp(appOf(moved), [published]) as CheckReport & { types: [TypeReport] };
    expect(told(types[0])).toEqual(["QUEUE_CHANGED rejected -"]);
  });

  test("whose schema the lint refuses is rejected with the codes and places, and not compared", () => {
    const report = check([version1, { version: 2, schema: z.object({ amount: z.coerce.number() }) }]);
    expect(report).toMatchObject({ verdict: "rejected", versions: [] });
    expect(report.findings.map(({ code, version, path }) => `${code} ${version} ${path}`)).toEqual([
      "STRIPPING_OBJECT 2 data",
      "COERCION 2 data.amount",
    ]);
  });

  test("with other problems of form is rejected with all of them", () => {
    const report = check([
      version1,
      { version: 3, schema: withNote },
      { version: 4, schema: z.string() as never },
    ]);
    expect(told(report)).toEqual(["CONTRACT_INVALID rejected -", "ROOT_NOT_OBJECT rejected 4"]);
  });
});

test("something that is no app is refused", () => {
  expect(() => checkApp({ name: "shop", jobs: [] }, [])).toThrow(AppInvalidError);
  expect(() => exportApp({ name: "shop", jobs: [] }, [])).toThrow(AppInvalidError);
});

describe("exportApp", () => {
  test("writes the documents of the app's types and keeps the others", () => {
    const other = defineContract({ type: "csv.summarise", queue: "shop", versions: [version1] });
    const { documents, refused } = exportApp(appOf(other), [published]);
    expect(documents.map((it) => it.type)).toEqual(["receipt.render", "csv.summarise"]);
    expect(documents[0]).toBe(published);
    expect(refused).toEqual([]);
  });

  test("leaves a document as it was when the contract cannot be published, and says why", () => {
    const { documents, refused } = exportApp(
      appOf(contractOf(version1, version2, { version: 3, schema: total })),
      [published],
    );
    expect(documents).toEqual([published]);
    expect(refused).toEqual([
      { type: "receipt.render", problems: expect.arrayContaining([expect.any(String)]) },
    ]);
  });

  test("makes documents that the same build is allowed by", () => {
    const app = appOf(contractOf(version1, version2, version3));
    const { documents } = exportApp(app, []);
    expect(checkApp(app, documents)).toMatchObject({ verdict: "allowed" });
    expect(documents[0]?.versions[0]?.schema).toEqual(toJsonSchema(amount));
  });
});
