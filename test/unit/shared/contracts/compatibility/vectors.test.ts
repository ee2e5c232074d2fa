import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { renderVectorReport } from "#test/vectors/render-report";
import { MalformedVectors, parseVectors, runVectors } from "#test/vectors/run-vectors";

const file = new URL(
  "../../../../fixtures/json-schema-compatibility/json-schema-compatibility.json",
  import.meta.url,
);
const report = runVectors(parseVectors(readFileSync(file, "utf8")), () => 0);

describe("On pairs that other projects test themselves with", () => {
  test("none with a known counterexample is called compatible", () => {
    const { inProfile, outOfProfile } = report;
    expect([...inProfile.unsound, ...outOfProfile.unsound]).toEqual([]);
    // As many as the file has, so that an empty file proves nothing.
    expect([inProfile.refuted, outOfProfile.refuted]).toEqual([163, 146]);
  });

  test("in zod's profile, all that are compatible are proved", () => {
    expect(report.inProfile.missed).toEqual([]);
    expect(report.inProfile.expected).toBe(227);
  });

  test("outside of it, at least 95 % are proved", () => {
    const { proved, expected } = report.outOfProfile;
    expect(expected).toBe(100);
    expect(proved).toBeGreaterThanOrEqual(95);
  });
});

describe("The run", () => {
  const row = {
    suite: "s",
    id: "widens",
    writer: { type: "integer" },
    reader: { type: "number" },
    expect: true,
    inZodProfile: true,
  };
  const run = (...rows: object[]) => runVectors(parseVectors(JSON.stringify(rows)), () => 0);

  test("counts a compatible answer beside a counterexample as unsound, whatever the suite expects", () => {
    const { inProfile } = run({ ...row, counterexample: null });
    expect(inProfile).toMatchObject({ refuted: 1, expected: 0, unsound: [{ id: "widens", reasons: [] }] });
    expect(renderVectorReport(run({ ...row, counterexample: null }))).toContain("row 0, s: widens");
  });

  test("lists each miss with its reasons", () => {
    const { inProfile } = run(row, { ...row, id: "narrows", reader: { type: "string" } });
    expect(inProfile).toMatchObject({
      expected: 2,
      proved: 1,
      missed: [{ id: "narrows", row: 1, reasons: [{ code: "TYPE_NARROWED", path: "" }] }],
    });
    expect(renderVectorReport(run(row))).toContain("1 of 1 (100.0 %)");
  });

  test("tells apart the pairs outside of zod's profile", () => {
    const { inProfile, outOfProfile } = run({ ...row, inZodProfile: false, reader: true });
    expect([inProfile.pairs, outOfProfile.proved]).toEqual([0, 1]);
  });

  test.each(["{", "{}", '[{"suite":"s"}]', JSON.stringify([{ ...row, reader: 3 }])])("refuses %s", (text) => {
    expect(() => parseVectors(text)).toThrow(MalformedVectors);
  });
});
