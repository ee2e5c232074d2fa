import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ReadableVersion } from "#shared/contracts/contract";
import { readableOf, unreadableSamples } from "#shared/contracts/replay-samples";

const loose = z.looseObject;
const version1 = { version: 1, minReaderVersion: 1, schema: loose({ amount: z.int() }) };
const version2 = {
  version: 2,
  minReaderVersion: 2,
  schema: loose({ total: z.int() }),
  upcast: ({ amount }: { amount: number }) => {
    if (amount > 9) throw new RangeError("hunter2");
    return { total: amount };
  },
};

function unreadable(
  versions: readonly ReadableVersion[],
  version: number,
  m: number,
  samples: readonly unknown[],
) {
  return unreadableSamples({ type: "receipt.render", versions }, [{ version, minReaderVersion: m, samples }]);
}

describe("unreadableSamples", () => {
  test("finds nothing where every sample can be read", () => {
    expect(unreadable([version1, version2], 1, 1, [{ amount: 1 }, { amount: 9, more: true }])).toEqual([]);
    expect(unreadable([version1, version2], 2, 2, [{ total: 1 }])).toEqual([]);
  });

  test("tells which sample a step of this build fails for, and never its values", () => {
    const found = unreadable([version1, version2], 1, 1, [{ amount: 1 }, { amount: 10 }]);
    expect(found).toEqual([{ version: 1, index: 1, message: expect.stringContaining("threw RangeError") }]);
    expect(found[0]?.message).not.toContain("hunter2");
  });

  test("finds data of a newer version of the same group that this build cannot read", () => {
    expect(unreadable([version1], 3, 1, [{ amount: "1" }])).toHaveLength(1);
    expect(unreadable([version1], 3, 1, [{ amount: 1, later: 1 }])).toEqual([]);
  });

  test("asks nothing of a build that does not say it reads the version", () => {
    expect(unreadable([version2], 1, 1, ["anything"])).toEqual([]);
    expect(unreadable([version1], 2, 2, ["anything"])).toEqual([]);
  });
});

test("readableOf gives the versions from the build's oldest group to its own version", () => {
  const published = [1, 2, 3, 4].map((minReaderVersion) => ({ minReaderVersion }));
  const versions = [
    { ...version1, version: 2, minReaderVersion: 2 },
    { ...version1, version: 3, minReaderVersion: 3 },
  ];
  expect(readableOf({ type: "receipt.render", versions }, published)).toEqual([
    { minReaderVersion: 2 },
    { minReaderVersion: 3 },
  ]);
});
