import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type Contract,
  type ContractVersion,
  contractProblems,
  defineContract,
  type JobPolicy,
} from "#shared/contracts/contract";

const schema = z.looseObject({ orderId: z.string() });

function contractOf(changed: Partial<Contract> = {}): Contract {
  const versions = [{ version: 1, schema }];
  return { ...defineContract({ type: "receipt.render", queue: "shop", versions }), ...changed };
}

/** Problems of a contract whose versions have these numbers. */
function problemsOf(...numbers: number[]): string[] {
  const versions = numbers.map((version): ContractVersion => ({ version, schema }));
  return contractProblems(contractOf({ versions }));
}

describe("defineContract", () => {
  test("fills in the policy that is not given", () => {
    expect(contractOf().policy).toEqual({
      attempts: 5,
      timeoutMs: 60_000,
      backoff: { baseMs: 1_000, maxMs: 60_000 },
      excess: "reject",
    });
    const policy = { attempts: 1, excess: "delay" } as const;
    expect(defineContract({ type: "a.b", queue: "q", policy, versions: [] }).policy).toMatchObject({
      ...policy,
      timeoutMs: 60_000,
    });
  });
});

describe("contractProblems", () => {
  test("finds nothing wrong with a plain contract", () => {
    expect(contractProblems(contractOf())).toEqual([]);
  });

  test.each([
    ["all from the first", [1, 2, 3]],
    ["begun later", [4, 5]],
  ])("lets versions pass that are %s", (_what, numbers) => {
    expect(problemsOf(...numbers)).toEqual([]);
  });

  test.each([
    ["a gap", [1, 3], "receipt.render version 3: follows version 1; versions rise by one"],
    ["the same twice", [1, 1], "receipt.render version 1: follows version 1; versions rise by one"],
    ["the wrong order", [2, 1], "receipt.render version 1: follows version 2; versions rise by one"],
  ])("finds %s in the versions", (_what, numbers, problem) => {
    expect(problemsOf(...numbers)).toEqual([problem]);
  });

  test.each([
    ["type", { type: "Receipt" }],
    ["queue", { queue: "Shop.r1" }],
    ["versions", { versions: [] }],
    ["versions", { versions: undefined }],
    ["versions.0.version", { versions: [{ version: 0, minReaderVersion: 1, schema }] }],
    ["versions.0.version", { versions: [{ version: 1.5, minReaderVersion: 1, schema }] }],
    ["versions.0.minReaderVersion", { versions: [{ version: 1, minReaderVersion: 0, schema }] }],
    ["versions.0.minReaderVersion", { versions: [{ version: 1, minReaderVersion: "1", schema }] }],
    ["versions.0.upcast", { versions: [{ version: 1, schema, upcast: {} }] }],
    ["versions.0.samples", { versions: [{ version: 1, schema, samples: {} }] }],
  ])("names %s when it is wrong", (field, changed) => {
    const problems = contractProblems(contractOf(changed as Partial<Contract>));
    expect(problems).toEqual([expect.stringContaining(`: ${field}: `)]);
  });

  test.each([
    ["attempts", 0],
    ["attempts", 101],
    ["attempts", undefined],
    ["timeoutMs", 0],
    ["timeoutMs", 86_400_001],
    ["backoff.baseMs", { baseMs: 0, maxMs: 1 }],
    ["backoff.maxMs", { baseMs: 1, maxMs: 86_400_001 }],
    ["excess", "drop"],
  ])("names policy.%s when it is %j", (field, value) => {
    const policy = { ...contractOf().policy, [field.split(".")[0] ?? ""]: value } as JobPolicy;
    expect(contractProblems(contractOf({ policy }))).toEqual([
      expect.stringContaining(`: policy.${field}: `),
    ]);
  });

  test("names a policy that is unknown", () => {
    const policy = { ...contractOf().policy, retries: 3 } as JobPolicy;
    expect(contractProblems(contractOf({ policy }))).toEqual([expect.stringContaining("retries")]);
  });

  test("lists the contract's and its schemas' problems at once", () => {
    const versions = [
      { version: 1, minReaderVersion: 1, schema: z.object({ at: z.coerce.number() }) },
      { version: 3, minReaderVersion: 2, schema: z.string() },
    ];
    const problems = contractProblems(contractOf({ type: "Receipt", versions }));
    expect(problems).toEqual([
      expect.stringContaining("Receipt: type: "),
      "Receipt version 1: data must be z.looseObject: anything else drops or refuses fields of newer versions",
      "Receipt version 1: data.at coerces; declare the type that is really sent",
      "Receipt version 3: follows version 1; versions rise by one",
      "Receipt version 3: data must be an object (z.looseObject)",
    ]);
  });
});
