/** The tables of limits in configuration.md say what the schemas say. */
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { queueLimits, throttle, throttleList } from "#shared/limits/limits-document";
import { applyOverride } from "#shared/limits/override-paths";
import { aThrottle } from "../shared/limits/limits-builder.ts";
import { readDocument } from "./rendered-blocks.ts";

interface Row {
  readonly name: string;
  readonly default: string;
  readonly range: string;
}

/** The documented fields below `place`, such as `throttles[]`. */
function rowsOf(place: string): readonly Row[] {
  return readDocument("docs/reference/configuration.md")
    .split("\n")
    .flatMap((line) => {
      const [, field = "", byDefault = "", range = ""] = line.split(" | ").join("|").split("|");
      const name = field.trim().replaceAll("`", "");
      if (!name.startsWith(`${place}.`) || name.slice(place.length + 1).includes(".")) return [];
      return [{ name: name.slice(place.length + 1), default: byDefault.trim(), range: range.trim() }];
    });
}

test("the throttles of the guide can be used, and it has one of the commands' kind, too", () => {
  const guide = readDocument("docs/guides/limits.md");
  const [, list = ""] = /```json\n([^`]+)```/.exec(guide) ?? [];
  expect(throttleList.parse(JSON.parse(`{${list}}`).throttles)).toHaveLength(3);
  const [, path = "", value = ""] = /limits set (\/throttles\/\S+) '([^']+)'/.exec(guide) ?? [];
  const base = { queues: {}, throttles: [] };
  expect(applyOverride(base, { path, value: JSON.parse(value) })).toMatchObject({
    throttles: [{ name: "noisy" }],
  });
});

const bucket = aThrottle();
const places = [
  { place: "queues.*.limits", schema: queueLimits as z.ZodType, fields: queueLimits.shape, whole: {} },
  { place: "throttles[]", schema: throttle as z.ZodType, fields: throttle.shape, whole: bucket },
];

describe.each(places)("the table of $place", ({ place, schema, fields, whole }) => {
  const rows = rowsOf(place);
  const accepts = (name: string, value: unknown) => schema.safeParse({ ...whole, [name]: value }).success;

  test("names every field and no other", () => {
    expect(rows.map((it) => it.name)).toEqual(Object.keys(fields));
  });

  test.each(rows.filter((it) => / to /.test(it.range)))("has the range of $name", ({ name, range }) => {
    const [min = Number.NaN, max = Number.NaN] = range
      .split(" to ")
      .map((it) => Number(it.replaceAll(",", "")));
    const values = [min, max, min - 1, max + 1];
    expect(values.map((value) => accepts(name, value))).toEqual([true, true, false, false]);
  });

  test.each(rows.filter((it) => /^`\w/.test(it.range)))("has the words of $name", ({ name, range }) => {
    const { excess: _excess, ...rest } = whole as Record<string, unknown>;
    for (const [, word = ""] of range.matchAll(/`([^`]+)`/g)) {
      const value = name === "priorities" ? word === "true" : word;
      expect(schema.safeParse({ ...rest, [name]: value }).success, word).toBe(true);
    }
    expect(accepts(name, "another")).toBe(false);
  });

  test.each(rows)("has the default of $name", ({ name, default: told }) => {
    const { [name]: _left, ...rest } = whole as Record<string, unknown>;
    const result = schema.safeParse(rest);
    const value = (result.data as Record<string, unknown> | undefined)?.[name];
    if (told === "required") expect(result.success).toBe(false);
    else
      expect(
        value === undefined
          ? "–"
          : Number.isInteger(value)
            ? Number(value).toLocaleString("en-US")
            : String(value),
      ).toBe(told);
  });
});
