import { describe, expect, test } from "vitest";
import { z } from "zod";
import { decideVersion } from "#shared/contracts/compatibility/decide-version";
import { explainFindings } from "#shared/contracts/compatibility/explain-findings";
import { toJsonSchema } from "#shared/contracts/json-schema";
import { openEnum } from "#shared/contracts/open-enum";
import { compileCheck } from "#shared/contracts/strict-check";
import { closed, opened } from "#shared/contracts/wire-schema";

const loose = z.looseObject;

/** The findings of version 2 after version 1, each with what shows it. */
function explained(older: z.ZodType, newer: z.ZodType, samples: readonly unknown[] = []) {
  const known = [{ version: 1, schema: toJsonSchema(older), samples }];
  const candidate = { version: 2, schema: toJsonSchema(newer), hasUpcast: false };
  const { findings } = decideVersion(candidate, { lane: known, history: known });
  return explainFindings(findings, { candidate, known }, { runs: 500 });
}

describe("a finding is shown by a document", () => {
  test("that the older writer may send and the new reader refuses", () => {
    const [older, newer] = [loose({ a: z.string() }), loose({ a: z.string().max(3) })];
    const [finding, ...others] = explained(older, newer);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: "LENGTH_NARROWED", conservative: false, behavioural: false });
    const { document } = finding?.counterexample ?? {};
    expect(compileCheck(closed(toJsonSchema(older)), "")(document)).toEqual([]);
    expect(compileCheck(opened(toJsonSchema(newer)), "")(document)).not.toEqual([]);
    expect(finding?.counterexample?.rejectedBecause).toContain("/a");
  });

  test("that the new writer may send and the older reader refuses", () => {
    const [finding] = explained(loose({ kind: z.enum(["a"]) }), loose({ kind: z.enum(["a", "b"]) }));
    expect(finding).toMatchObject({
      direction: "forward",
      code: "ENUM_NARROWED",
      counterexample: { document: { kind: "b" } },
    });
  });

  test("and all findings of one pair of versions by the same", () => {
    const both = explained(loose({ a: z.string(), b: z.string() }), loose({ a: z.int(), b: z.int() }));
    const backward = both.filter((it) => it.direction === "backward");
    expect(backward).toHaveLength(2);
    expect(backward[0]?.counterexample).toBe(backward[1]?.counterexample);
  });

  test("taken from the samples where one shows it", () => {
    const [finding] = explained(loose({ a: z.string() }), loose({ a: z.string().regex(/^[a-y]*$/) }), [
      { a: "z" },
    ]);
    expect(finding?.counterexample?.document).toEqual({ a: "z" });
  });
});

test("a finding that no document shows may be stricter than needed, and says so", () => {
  // Both patterns match the same texts, which is more than the comparison can prove.
  const [older, newer] = [z.string().regex(/^(a|b)*$/), z.string().regex(/^(?=.*)[ab]*$/)];
  const findings = explained(loose({ a: older }), loose({ a: newer }));
  expect(findings.length).toBeGreaterThan(0);
  for (const finding of findings) {
    expect(finding).toMatchObject({ code: "PATTERN_CHANGED", conservative: true, counterexample: null });
  }
});

test("a change of behaviour is called that, and nothing is looked for", () => {
  const fallback = (name: string) => loose({ m: openEnum(["a"], { fallback: name }) });
  const cases = [
    explained(loose({ n: z.int().default(1) }), loose({ n: z.int().default(2) })),
    explained(fallback("x"), fallback("y")),
    explained(loose({ m: openEnum(["a", "b"], { fallback: "x" }) }), fallback("x")),
  ];
  for (const findings of cases) {
    expect(findings.length).toBeGreaterThan(0);
    for (const finding of findings) {
      expect(finding).toMatchObject({ behavioural: true, conservative: false, counterexample: null });
    }
  }
});

test("a name that is used again is a finding about the history, which no document shows", () => {
  const schema = toJsonSchema(loose({ a: z.string().optional() }));
  const known = [
    { version: 1, minReaderVersion: 1, schema },
    { version: 2, minReaderVersion: 1, schema: toJsonSchema(loose({})) },
  ];
  const candidate = { version: 3, schema, hasUpcast: false };
  const { findings } = decideVersion(candidate, { lane: known, history: known });
  expect(explainFindings(findings, { candidate, known })).toEqual([
    expect.objectContaining({
      code: "NAME_REUSED",
      conservative: false,
      behavioural: false,
      counterexample: null,
    }),
  ]);
});
