import fc from "fast-check";
import { expect, test } from "vitest";
import { shrinkDocument } from "#shared/contracts/compatibility/documents/shrink-document";

test("everything that does not matter goes", () => {
  const document = { a: { b: [1, 2, "long text", { c: true }] }, d: null, e: "f" };
  expect(shrinkDocument(document, (it) => JSON.stringify(it).includes('"c"'))).toEqual({
    a: { b: [{ c: false }] },
  });
});

test.each<[unknown, (it: never) => boolean, unknown]>([
  [7_777, (it: number) => it > 100, 101],
  ["hello world", (it: string) => it.length > 3, "aaaa"],
  ["hello world", (it: string) => it.includes("w"), "w"],
  [[5, 6, 7, 8], (it: unknown[]) => it.length >= 2, [0, 0]],
  [-4.5, (it: number) => it < 0, -1],
  [true, (it: unknown) => typeof it === "boolean", false],
])("%j becomes as plain as its reason allows", (document, shows, expected) => {
  expect(shrinkDocument(document, (it) => typeof it === typeof document && shows(it as never))).toEqual(
    expected,
  );
});

test("the result shows what the start showed, and no part of it can go", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9)), fc.nat(20), (items, total) => {
      const shows = (it: unknown) => (it as number[]).reduce((sum, item) => sum + item, 0) >= total;
      fc.pre(shows(items));
      const small = shrinkDocument(items, shows) as number[];
      expect(shows(small)).toBe(true);
      for (const index of small.keys()) expect(shows(small.toSpliced(index, 1))).toBe(false);
    }),
  );
});

test("asks a bounded number of questions, however large the document", () => {
  let questions = 0;
  const document = Array.from({ length: 5_000 }, () => "text");
  shrinkDocument(document, (it) => {
    questions += 1;
    return (it as unknown[]).length === 5_000;
  });
  expect(questions).toBeLessThanOrEqual(1_500);
});
