import { describe, expect, test } from "vitest";
import { z } from "zod";
import { UPCAST_WARNINGS, upcastFindings } from "#shared/contracts/compatibility/upcast-proof";
import type { ReadableVersion } from "#shared/contracts/contract";
import { toJsonSchema } from "#shared/contracts/json-schema";

const loose = z.looseObject;

interface Older {
  amount: number;
  note?: string;
}

/** Read group {1, 2}, in which 2 adds `note`, and version 3, which puts the amount into `total`. */
const version1 = { version: 1, minReaderVersion: 1, schema: loose({ amount: z.int().min(0).max(1_000) }) };
const version2 = {
  version: 2,
  minReaderVersion: 1,
  schema: loose({ amount: z.int().min(0).max(1_000), note: z.string().optional() }),
};
const schema3 = loose({ total: loose({ value: z.int() }) });

const sound = ({ amount, ...kept }: Older) => ({ ...kept, total: { value: amount } });

/** What is found in this step from the group {1, 2} to version 3. */
function findingsOf(upcast: ReadableVersion["upcast"], newer: readonly ReadableVersion[] = []) {
  const version3 = { version: 3, minReaderVersion: 3, schema: schema3, ...(upcast && { upcast }) };
  const versions = [version1, version2, version3, ...newer];
  const writers = [version1, version2].map((it) => ({
    version: it.version,
    schema: toJsonSchema(it.schema),
  }));
  return upcastFindings({ type: "receipt.render", versions }, 3, { writers, runs: 100 });
}

/** The codes found with data of `fromVersion`. */
function codesFrom(fromVersion: number, upcast: ReadableVersion["upcast"]): readonly string[] {
  return findingsOf(upcast)
    .filter((it) => it.fromVersion === fromVersion)
    .map((it) => it.code);
}

test("a sound step passes, and so does a version without one", () => {
  expect(findingsOf(sound)).toEqual([]);
  expect(findingsOf(undefined)).toEqual([]);
});

describe("a step that", () => {
  let calls = 0;
  const defects: [string, string, (older: Older) => unknown][] = [
    ["throws", "UPCAST_THROWS", () => JSON.parse("{")],
    ["returns a promise", "UPCAST_ASYNC", async (older) => sound(older)],
    ["is a promise that fails", "UPCAST_ASYNC", () => Promise.reject(new Error("unreachable"))],
    [
      "changes its input",
      "UPCAST_IMPURE",
      (older) => {
        const { amount } = older;
        older.amount = -1;
        const { amount: _gone, ...kept } = older;
        return { ...kept, total: { value: amount } };
      },
    ],
    ["draws random numbers", "UPCAST_IMPURE", (older) => ({ ...sound(older), drawn: Math.random() })],
    ["counts its calls", "UPCAST_IMPURE", (older) => ({ ...sound(older), calls: calls++ })],
    // The same for the two calls with a document, and another one later.
    ["changes slowly", "UPCAST_IMPURE", (older) => ({ ...sound(older), era: Math.floor(calls++ / 150) })],
    ["looks at a clock", "UPCAST_IMPURE", (older) => ({ ...sound(older), at: performance.now() })],
    ["gives the wrong type", "UPCAST_INVALID_RESULT", (older) => ({ ...sound(older), total: "5" })],
    ["gives nothing", "UPCAST_INVALID_RESULT", () => undefined],
    ["loses what it does not know", "UPCAST_DROPS_UNKNOWN", ({ amount }) => ({ total: { value: amount } })],
  ];

  test.each(defects)("%s is found, with data of each version it may be given", (_what, code, upcast) => {
    expect(codesFrom(1, upcast)).toContain(code);
    expect(codesFrom(2, upcast)).toContain(code);
  });

  test("only loses unknown fields is warned of and no more", () => {
    const findings = findingsOf(({ amount }: Older) => ({ total: { value: amount } }));
    expect(findings.every(({ code }) => UPCAST_WARNINGS.has(code))).toBe(true);
    expect(UPCAST_WARNINGS.has("UPCAST_IMPURE")).toBe(false);
  });

  test("has several defects is told all of them, each once", () => {
    const codes = codesFrom(1, (older: Older) => {
      if (older.amount > 500) throw new RangeError("too much");
      older.amount = 1;
      return { total: { value: "1" } };
    });
    expect(codes.toSorted()).toEqual(["UPCAST_IMPURE", "UPCAST_INVALID_RESULT", "UPCAST_THROWS"]);
  });
});

describe("a finding", () => {
  const throwing = (older: Older) => {
    if (older.amount > 500) throw new RangeError("too much");
    return sound(older);
  };

  test("shows a small document of the version it was found with, and says what happened", () => {
    const [finding] = findingsOf(throwing);
    expect(finding).toMatchObject({ code: "UPCAST_THROWS", version: 3, fromVersion: 1 });
    expect(finding?.message).toBe("it throws on valid data: RangeError: too much");
    // The smallest amount that is refused; the unknown field is the proof's own and not in it.
    expect(finding?.counterexample).toEqual({ amount: 501 });
  });

  test("is the same for the same seed", () => {
    expect(findingsOf(throwing)).toEqual(findingsOf(throwing));
  });

  test("is only made by versions that have what it takes", () => {
    const needsNoNote = (older: Older) => {
      if (older.note !== undefined) throw new Error("a note");
      return sound(older);
    };
    expect(codesFrom(1, needsNoNote)).toEqual([]);
    expect(codesFrom(2, needsNoNote)).toEqual(["UPCAST_THROWS"]);
  });
});

test("the step gets data as the newest reader of the older group has it, defaults filled in", () => {
  const withDefault = { ...version2, schema: loose({ amount: z.int(), note: z.string().default("-") }) };
  const version3 = {
    version: 3,
    minReaderVersion: 3,
    schema: loose({ note: z.string() }),
    upcast: (older: object) => older,
  };
  const writers = [version1, withDefault].map((it) => ({
    version: it.version,
    schema: toJsonSchema(it.schema),
  }));
  const contract = { type: "receipt.render", versions: [version1, withDefault, version3] };
  expect(upcastFindings(contract, 3, { writers, runs: 50 })).toEqual([]);
});

test("the result must be valid for the newest version of its group too, as the reader wants it", () => {
  const stricter = {
    version: 4,
    minReaderVersion: 3,
    schema: loose({ total: loose({ value: z.int().max(9) }) }),
  };
  const findings = findingsOf(sound, [stricter]);
  expect(findings.map(({ code, fromVersion }) => `${code} ${fromVersion}`)).toEqual([
    "UPCAST_INVALID_RESULT 1",
    "UPCAST_INVALID_RESULT 2",
  ]);
  expect(findings[0]?.message).toContain("not valid as version 4: total.value: ");
});

test("a version that nothing can be written as proves nothing", () => {
  const impossible = { version: 1, schema: toJsonSchema(loose({ a: z.never() })) };
  const version3 = { version: 3, minReaderVersion: 3, schema: schema3, upcast: () => 1 };
  const contract = { type: "receipt.render", versions: [version2, version3] };
  expect(upcastFindings(contract, 3, { writers: [impossible] })).toEqual([]);
});
