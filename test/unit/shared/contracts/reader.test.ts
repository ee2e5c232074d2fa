import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ReadableContract, ReadableVersion } from "#shared/contracts/contract";
import { type ReadResult, readData, readRangeOf } from "#shared/contracts/reader";
import { DataInvalidError, UpcastFailedError } from "#shared/errors";

/**
 * Three read groups: {1, 2}, {3} and {4, 5}. Version 2 adds `note`; 3 renames `amount` to `total.value`;
 * 4 makes the currency explicit; 5 adds `priority` with a default.
 */
const version1 = { version: 1, minReaderVersion: 1, schema: z.looseObject({ amount: z.int() }) };
const version2 = {
  version: 2,
  minReaderVersion: 1,
  schema: z.looseObject({ amount: z.int(), note: z.string().optional() }),
};
const version3 = {
  version: 3,
  minReaderVersion: 3,
  schema: z.looseObject({ total: z.looseObject({ value: z.int() }) }),
  upcast: ({ amount, ...kept }: { amount: number }) => ({ ...kept, total: { value: amount } }),
};
const version4 = {
  version: 4,
  minReaderVersion: 4,
  schema: z.looseObject({ total: z.looseObject({ value: z.int(), currency: z.string() }) }),
  upcast: ({ total, ...kept }: { total: object }) => ({ ...kept, total: { ...total, currency: "USD" } }),
};
const version5 = {
  version: 5,
  minReaderVersion: 4,
  schema: z.looseObject({
    total: z.looseObject({ value: z.int(), currency: z.string() }),
    priority: z.int().default(3),
  }),
};

function contractOf(...versions: ReadableVersion[]): ReadableContract {
  return { type: "receipt.render", versions };
}

const newest = contractOf(version1, version2, version3, version4, version5);

function read(versions: readonly ReadableVersion[], v: number, m: number, data: unknown): ReadResult {
  return readData(contractOf(...versions), { schemaVersion: v, minReaderVersion: m, data });
}

describe("readRangeOf", () => {
  test("is from the oldest group to the build's own version", () => {
    expect(readRangeOf(newest)).toEqual({ native: 5, oldest: 1 });
    expect(readRangeOf(contractOf(version4, version5))).toEqual({ native: 5, oldest: 4 });
    // A build that dropped version 1 still reads its group.
    expect(readRangeOf(contractOf(version2, version3))).toEqual({ native: 3, oldest: 1 });
  });
});

describe("reading data of the build's own group", () => {
  test("takes no step and keeps unknown fields at every depth", () => {
    const data = { total: { value: 1, currency: "EUR", later: [1] }, priority: 1, "a/b": { c: null } };
    expect(read([version4, version5], 5, 4, data)).toEqual({ data, upcasts: [] });
  });

  test("reads an older version of the group by the newest, defaults filled in", () => {
    const data = { total: { value: 1, currency: "EUR" } };
    expect(read([version4, version5], 4, 4, data).data).toEqual({ ...data, priority: 3 });
  });

  test("reads a newer version of the group as its own, and keeps what it does not know", () => {
    const data = { amount: 5, note: "n", color: "red" };
    expect(read([version1], 2, 1, data)).toEqual({ data, upcasts: [] });
  });
});

describe("reading older data", () => {
  test("takes one step a group and tells which", () => {
    expect(read([version1, version2, version3], 1, 1, { amount: 5 })).toEqual({
      data: { total: { value: 5 } },
      upcasts: [3],
    });
    expect(read(newest.versions, 2, 1, { amount: 5, note: "n", color: "red" })).toEqual({
      data: { note: "n", color: "red", total: { value: 5, currency: "USD" }, priority: 3 },
      upcasts: [3, 4],
    });
    expect(read(newest.versions, 3, 3, { total: { value: 5 } }).upcasts).toEqual([4]);
  });

  test("takes over data as it is where a group needs no upcaster", () => {
    const same = { version: 3, minReaderVersion: 3, schema: version2.schema };
    expect(read([version1, version2, same], 1, 1, { amount: 5 })).toEqual({
      data: { amount: 5 },
      upcasts: [3],
    });
  });

  test("gives each step the data as the newest version of the group before has it", () => {
    const seen: unknown[] = [];
    const withDefault = {
      ...version2,
      schema: z.looseObject({ amount: z.int(), note: z.string().default("-") }),
    };
    const watching = {
      ...version3,
      upcast: (older: { amount: number }) => {
        seen.push(structuredClone(older));
        return version3.upcast(older);
      },
    };
    read([version1, withDefault, watching], 1, 1, { amount: 5 });
    expect(seen).toEqual([{ amount: 5, note: "-" }]);
  });

  test("keeps any field that no version knows, through all steps", () => {
    const name = fc.stringMatching(/^x[a-z]{1,5}$/);
    fc.assert(
      fc.property(fc.integer(), fc.dictionary(name, fc.jsonValue()), (amount, unknown) => {
        const { data } = read(newest.versions, 1, 1, { amount, ...unknown });
        expect(data).toMatchObject({ ...unknown, total: { value: amount } });
      }),
    );
  });
});

describe("poison", () => {
  test.each([
    ["of the own version", 5, 4, { total: { value: "1", currency: "EUR" } }, "/total/value"],
    ["of an older version of the own group", 4, 4, { total: { value: 1 } }, "/total/currency"],
    ["of an older group", 1, 1, { amount: "1" }, "/amount"],
    ["that is no object", 5, 4, "text", ""],
  ])("%s is the writer's fault", (_what, schemaVersion, minReaderVersion, data, pointer) => {
    const error = failureOf(() => readData(newest, { schemaVersion, minReaderVersion, data }));
    expect(error).toBeInstanceOf(DataInvalidError);
    expect(error).toMatchObject({ type: "receipt.render", schemaVersion, issues: [{ pointer }] });
  });

  test("is told by its pointer, names escaped, and never by its value", () => {
    const schema = z.looseObject({ "a/b": z.looseObject({ "c~d": z.int() }) });
    const error = failureOf(() =>
      read([{ version: 1, minReaderVersion: 1, schema }], 1, 1, { "a/b": { "c~d": "hunter2" } }),
    );
    expect(error).toMatchObject({ issues: [{ pointer: "/a~1b/c~0d", rule: "invalid-type" }] });
    expect(String(error)).not.toContain("hunter2");
  });
});

describe("a build that cannot read what it should", () => {
  test.each([
    [
      "throws",
      () => {
        throw new RangeError("hunter2");
      },
      "it threw RangeError",
    ],
    [
      "throws no error",
      () => {
        throw "hunter2";
      },
      "it threw a thrown value",
    ],
    [
      "gives data its version refuses",
      () => ({ total: { value: "5" } }),
      "its result is not valid: /total/value",
    ],
    ["gives nothing", () => undefined, "its result is not valid: data"],
    ["gives a promise", async () => ({ total: { value: 5 } }), "its result is not valid: /total"],
  ])("fails by its own fault when an upcaster %s", (_what, upcast, detail) => {
    const error = failureOf(() =>
      read([version1, { ...version3, version: 2, minReaderVersion: 2, upcast }], 1, 1, { amount: 5 }),
    );
    expect(error).toBeInstanceOf(UpcastFailedError);
    expect(error).toMatchObject({ code: "UPCAST_FAILED", targetVersion: 2 });
    expect(String(error)).toContain(detail);
    expect(String(error)).not.toContain("hunter2");
  });

  test("fails by its own fault when its newest version refuses an older one of its group", () => {
    const stricter = {
      version: 2,
      minReaderVersion: 1,
      schema: z.looseObject({ amount: z.int(), note: z.string() }),
    };
    expect(failureOf(() => read([version1, stricter], 1, 1, { amount: 5 }))).toBeInstanceOf(
      UpcastFailedError,
    );
  });

  test("never blames the writer of a version that it does not have", () => {
    // Version 2 may hold what version 1 did not allow; only a build that has version 2 can tell.
    expect(failureOf(() => read([version1], 2, 1, { amount: 5.5 }))).toBeInstanceOf(UpcastFailedError);
  });

  test("hands the stored data to nobody who could change it", () => {
    const stored = { amount: 5, deep: { list: [1] } };
    const greedy = {
      ...version3,
      upcast: (older: { amount?: number; deep: { list: number[] } }) => {
        older.deep.list.push(2);
        delete older.amount;
        return { total: { value: 1 } };
      },
    };
    read([version1, version2, greedy], 1, 1, stored);
    expect(stored).toEqual({ amount: 5, deep: { list: [1] } });
  });
});

function failureOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
