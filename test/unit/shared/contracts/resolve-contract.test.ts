import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { type Contract, type ContractVersion, defineContract } from "#shared/contracts/contract";
import { resolveContract, resolved } from "#shared/contracts/resolve-contract";
import { AppInvalidError } from "#shared/errors";
import { defineJob } from "#worker/app";

const loose = z.looseObject;
const amount = loose({ amount: z.int() });
const withNote = loose({ amount: z.int(), note: z.string().optional() });
const total = loose({ total: loose({ value: z.int() }) });
const stepToTotal = ({ amount: value, ...kept }: { amount: number }) => ({ ...kept, total: { value } });

function contractOf(...versions: readonly ContractVersion[]): Contract {
  return defineContract({ type: "receipt.render", queue: "shop", versions });
}

function minReadersOf(...versions: readonly ContractVersion[]): readonly number[] {
  return resolved(contractOf(...versions)).versions.map((it) => it.minReaderVersion);
}

function problemsOf(...versions: readonly ContractVersion[]): readonly string[] {
  const resolution = resolveContract(contractOf(...versions));
  if (resolution.kind === "resolved") throw new Error("the contract was not refused");
  return resolution.problems;
}

describe("M that is left out", () => {
  test("is 1 for the first version, the same for additive ones, and the version for breaking ones", () => {
    const versions = [
      { version: 1, schema: amount },
      { version: 2, schema: withNote },
      { version: 3, schema: total, upcast: stepToTotal },
      { version: 4, schema: total },
    ];
    expect(minReadersOf(...versions)).toEqual([1, 1, 3, 3]);
  });

  test("needs no upcaster where only older readers fail", () => {
    const versions = [
      { version: 1, schema: loose({ kind: z.enum(["a"]) }) },
      { version: 2, schema: loose({ kind: z.enum(["a", "b"]) }) },
    ];
    expect(minReadersOf(...versions)).toEqual([1, 2]);
  });

  test("stays where optional fields come and go", () => {
    const versions = [
      { version: 1, schema: loose({ a: z.string().optional() }) },
      { version: 2, schema: loose({ b: z.string().optional() }) },
      { version: 3, schema: loose({ b: z.string().optional(), c: z.int().optional() }) },
    ];
    expect(minReadersOf(...versions)).toEqual([1, 1, 1]);
  });
});

describe("M that is given", () => {
  test("may be what it would be anyway", () => {
    const versions = [
      { version: 1, minReaderVersion: 1, schema: amount },
      { version: 2, minReaderVersion: 1, schema: withNote },
      { version: 3, minReaderVersion: 3, schema: total, upcast: stepToTotal },
    ];
    expect(minReadersOf(...versions)).toEqual([1, 1, 3]);
  });

  test("may raise an additive version, whose meaning has changed", () => {
    const versions = [
      { version: 1, schema: amount },
      { version: 2, minReaderVersion: 2, schema: amount },
      { version: 3, schema: withNote },
    ];
    expect(minReadersOf(...versions)).toEqual([1, 2, 2]);
  });

  test("may not promise readers that cannot read it, and the first of the reasons is told", () => {
    const versions = [
      { version: 1, schema: amount },
      { version: 2, minReaderVersion: 1, schema: loose({ amount: z.string() }), upcast: (it: object) => it },
    ];
    const [problem, ...others] = problemsOf(...versions);
    expect(others).toEqual([]);
    expect(problem).toMatch(/^receipt\.render version 2: minReaderVersion 1 is too low, because it /);
    expect(problem).toContain("version 1: /amount (TYPE_NARROWED)");
    expect(problem).toMatch(/; it must be 2$/);
  });

  test.each([
    [3, "minReaderVersion 3 must be 2 (older readers can read it) or 4 (they cannot)"],
    [1, "minReaderVersion 1 must be 2 (older readers can read it) or 4 (they cannot)"],
    [5, "minReaderVersion 5 is above the version itself"],
  ])("may not be %i for an additive version 4 of the group of 2", (minReaderVersion, problem) => {
    const before = [1, 2, 3].map((version) => ({
      version,
      schema: amount,
      ...(version === 2 && { minReaderVersion: 2 }),
    }));
    const versions = [...before, { version: 4, minReaderVersion, schema: amount }];
    expect(problemsOf(...versions)).toEqual([`receipt.render version 4: ${problem}`]);
  });

  test("of version 1 is 1", () => {
    expect(problemsOf({ version: 1, minReaderVersion: 2, schema: amount })).toEqual([
      "receipt.render version 1: minReaderVersion 2 is above the version itself",
    ]);
  });
});

describe("a build without version 1", () => {
  test("must say the M of the first version it has, and the problem says where to get it", () => {
    expect(problemsOf({ version: 4, schema: amount }, { version: 5, schema: withNote })).toEqual([
      "receipt.render version 4: is the first version that this build has, so its minReaderVersion cannot be " +
        "computed; give it the one that it was published with",
    ]);
  });

  test("works out the others from it", () => {
    const first = { version: 4, minReaderVersion: 3, schema: amount };
    expect(minReadersOf(first, { version: 5, schema: withNote })).toEqual([3, 3]);
    expect(minReadersOf(first, { version: 5, schema: total, upcast: stepToTotal })).toEqual([3, 5]);
  });
});

describe("a version that cannot read older data", () => {
  test("needs an upcaster, and the problem says so", () => {
    const problems = problemsOf({ version: 1, schema: amount }, { version: 2, schema: total });
    expect(problems).toEqual([
      expect.stringMatching(
        /^receipt\.render version 2: cannot stand in for version 1: \/total \(REQUIRED_ADDED\): .*; give the version an upcast/,
      ),
    ]);
  });

  test("may use a name that was given up never again, not even with the same schema", () => {
    const step = (it: object) => it;
    const problems = problemsOf(
      { version: 1, schema: loose({ note: z.string().optional() }) },
      { version: 2, schema: loose({}) },
      { version: 3, schema: loose({ note: z.string().optional() }), upcast: step },
    );
    expect(problems).toEqual([
      expect.stringContaining("/note (NAME_REUSED): the field was given up after version 1"),
    ]);
  });
});

describe("samples", () => {
  test("that the door lets in are kept, and are not asked for", () => {
    const versions = [{ version: 1, schema: withNote, samples: [{ amount: 1 }, { amount: 2, note: "x" }] }];
    expect(resolved(contractOf(...versions)).versions[0]?.samples).toHaveLength(2);
    expect(resolveContract(contractOf({ version: 1, schema: withNote })).kind).toBe("resolved");
  });

  test.each([
    ["of an undeclared field", { amount: 1, extra: 2 }, "/extra is not a field of this version; remove it"],
    ["of another type", { amount: "1" }, "/amount must be integer"],
    ["that is no object", "text", "it must be object"],
    [
      "with a name that no document may have",
      JSON.parse('{"__proto__": 1}'),
      '/__proto__ the name "__proto__" is not allowed; rename it',
    ],
  ])("%s are refused by their number", (_what, sample, problem) => {
    expect(problemsOf({ version: 1, schema: amount, samples: [{ amount: 1 }, sample] })).toEqual([
      `receipt.render version 1: sample 2 is not valid: ${problem}`,
    ]);
  });
});

test("versions are compared only when each is right by itself", () => {
  const problems = problemsOf(
    { version: 1, schema: amount, samples: ["text"] },
    { version: 2, schema: z.object({}) },
  );
  expect(problems).toEqual([expect.stringContaining("version 2: data must be z.looseObject")]);
});

test("a contract is worked out once, and its resolved form is resolved already", () => {
  const contract = contractOf({ version: 1, schema: amount });
  expect(resolved(contract)).toBe(resolved(contract));
  expect(resolved(resolved(contract))).toBe(resolved(contract));
});

test("a malformed contract is refused with its problems", () => {
  expect(() => resolved(contractOf({ version: 1, schema: z.object({}) }))).toThrow(AppInvalidError);
});

test("a handler gets the data of the last version, M given or not", () => {
  const contract = defineContract({
    type: "receipt.render",
    queue: "shop",
    versions: [
      { version: 1, schema: amount },
      {
        version: 2,
        minReaderVersion: 2,
        schema: total,
        upcast: stepToTotal,
        samples: [{ total: { value: 1 } }],
      },
    ],
  });
  expectTypeOf(contract).toEqualTypeOf<Contract<z.output<typeof total>>>();
  defineJob(contract, ({ data }) => {
    expectTypeOf(data.total.value).toEqualTypeOf<number>();
  });
});
