import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type ContractVersion, defineContract } from "#shared/contracts/contract";
import { type ContractDocument, contractDocument } from "#shared/contracts/contract-document";
import { exportDocument } from "#shared/contracts/export-document";
import { toJsonSchema } from "#shared/contracts/json-schema";
import { openEnum } from "#shared/contracts/open-enum";
import { resolved } from "#shared/contracts/resolve-contract";
import { compileStrictCheck } from "#shared/contracts/strict-check";

const loose = z.looseObject;
const amount = loose({ amount: z.int().min(0) });
const withNote = loose({ amount: z.int().min(0), note: z.string().max(20).optional() });

function exported(existing: ContractDocument | null, ...versions: readonly ContractVersion[]) {
  return exportDocument(
    resolved(defineContract({ type: "receipt.render", queue: "shop", versions })),
    existing,
  );
}

function documentOf(
  existing: ContractDocument | null,
  ...versions: readonly ContractVersion[]
): ContractDocument {
  const result = exported(existing, ...versions);
  if (result.kind === "refused") throw new Error(result.problems.join("; "));
  return result.document;
}

describe("a type's first document", () => {
  test("has every version with its M, its schema and three samples that the door lets in", () => {
    const method = openEnum(["card", "cash"], { fallback: "other" });
    const document = documentOf(
      null,
      { version: 1, schema: amount },
      { version: 2, schema: withNote },
      {
        version: 3,
        minReaderVersion: 3,
        schema: loose({ amount: z.int().min(0), method: method.optional() }),
      },
    );
    expect(document).toMatchObject({
      type: "receipt.render",
      queue: "shop",
      versions: [
        { version: 1, minReaderVersion: 1, schema: toJsonSchema(amount) },
        { version: 2, minReaderVersion: 1 },
        { version: 3, minReaderVersion: 3 },
      ],
    });
    for (const { schema, samples } of document.versions) {
      expect(samples).toHaveLength(3);
      const check = compileStrictCheck(schema, "");
      for (const sample of samples) expect(check(sample)).toEqual([]);
    }
  });

  test("is valid as a document, and plain JSON", () => {
    const document = documentOf(null, { version: 1, schema: amount });
    expect(contractDocument.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  test("is the same each time, and other versions have other samples", () => {
    const first = documentOf(null, { version: 1, schema: amount }, { version: 2, schema: amount });
    expect(documentOf(null, { version: 1, schema: amount }, { version: 2, schema: amount })).toEqual(first);
    expect(first.versions[1]?.samples).not.toEqual(first.versions[0]?.samples);
  });

  test("keeps the author's samples and only makes up what is missing", () => {
    const own = [{ amount: 7 }, { amount: 8 }, { amount: 9 }, { amount: 10 }];
    const samplesOf = (samples: readonly unknown[]) =>
      documentOf(null, { version: 1, schema: amount, samples }).versions[0]?.samples;
    expect(samplesOf(own)).toEqual(own);
    const toppedUp = samplesOf(own.slice(0, 1));
    expect(toppedUp).toHaveLength(3);
    expect(toppedUp?.[0]).toEqual({ amount: 7 });
  });

  test("has as many samples as there can be", () => {
    expect(documentOf(null, { version: 1, schema: loose({}) }).versions[0]?.samples).toEqual([{}]);
  });
});

describe("a document that is there", () => {
  const existing: ContractDocument = {
    type: "receipt.render",
    queue: "shop",
    versions: [{ version: 1, minReaderVersion: 1, schema: toJsonSchema(amount), samples: [{ amount: 1 }] }],
  };

  test("is only added to", () => {
    const document = documentOf(
      existing,
      { version: 1, schema: amount, samples: [{ amount: 5 }] },
      {
        version: 2,
        schema: withNote,
      },
    );
    expect(document.versions[0]).toBe(existing.versions[0]);
    expect(document.versions.map((it) => it.version)).toEqual([1, 2]);
  });

  test("keeps versions that the build has dropped", () => {
    const document = documentOf(existing, { version: 2, minReaderVersion: 1, schema: withNote });
    expect(document.versions.map((it) => [it.version, it.minReaderVersion])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  test("counts for the verdict: what the build alone would take for additive can be refused", () => {
    const other = loose({ amount: z.string() });
    const result = exported(existing, { version: 2, minReaderVersion: 1, schema: other });
    expect(result).toMatchObject({ kind: "refused" });
    expect(result.kind === "refused" && result.problems[0]).toMatch(
      /^receipt\.render version 2: minReaderVersion 1 is too low/,
    );
  });
});

describe("a document", () => {
  const version = { version: 1, minReaderVersion: 1, schema: {}, samples: [{}] };
  const document = { type: "receipt.render", queue: "shop", versions: [version] };

  test.each([
    ["no type", { ...document, type: "Receipt" }],
    ["no queue", { ...document, queue: "" }],
    ["no version", { ...document, versions: [] }],
    ["no sample", { ...document, versions: [{ ...version, samples: [] }] }],
    ["a version twice", { ...document, versions: [version, version] }],
    ["versions in another order", { ...document, versions: [{ ...version, version: 2 }, version] }],
  ])("with %s is refused", (_what, value) => {
    expect(contractDocument.safeParse(document).success).toBe(true);
    expect(contractDocument.safeParse(value).success).toBe(false);
  });
});
