import { mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createShop, SHOP_DIRECTORIES } from "#examples/shop/shop";
import { TerminalJobError } from "#shared/errors";
import { openTemporaryShop, run } from "./temporary-shop.ts";

async function summarise(content: string | Uint8Array, data: object = {}) {
  const shop = await openTemporaryShop();
  await shop.addFile("sample.csv", content);
  return run(shop.csvSummarise, { file: "sample.csv", ...data });
}

/** The percentile by its textbook formula, linear between neighbours. */
function naivePercentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(rank)] ?? 0, sorted[Math.ceil(rank)] ?? 0];
  return low * (1 - (rank - Math.floor(rank))) + high * (rank - Math.floor(rank));
}

describe("csv.summarise", () => {
  it("summarises the New York taxi counts", async () => {
    const result = await run(createShop(SHOP_DIRECTORIES).csvSummarise, { file: "nyc_taxi.csv" });

    // Computed apart from Sluice by Python over the same file: the sum of the values is 156,219,716.
    expect(result).toEqual({
      rows: 10_320,
      columns: {
        timestamp: {
          kind: "text",
          count: 10_320,
          empty: 0,
          distinct: 1_000,
          distinctIsExact: false,
          min: "2014-07-01 00:00:00",
          max: "2015-01-31 23:30:00",
        },
        value: {
          kind: "number",
          count: 10_320,
          empty: 0,
          mean: 156_219_716 / 10_320,
          min: 8,
          max: 39_197,
          p50: 16_778,
          p90: 23_595,
          p99: expect.closeTo(26_899.81, 6),
          percentiles: "exact",
        },
      },
    });
  });

  it("agrees with a naive computation over the same file", async () => {
    const text = await readFile(join(SHOP_DIRECTORIES.dataDir, "nyc_taxi.csv"), "utf8");
    const lines = text.trim().split("\n").slice(1);
    const values = lines.map((line) => Number(line.split(",")[1]));
    const result = await run(createShop(SHOP_DIRECTORIES).csvSummarise, { file: "nyc_taxi.csv" });
    expect(result).toMatchObject({
      rows: lines.length,
      columns: {
        value: {
          mean: values.reduce((sum, value) => sum + value) / values.length,
          min: Math.min(...values),
          max: Math.max(...values),
          p50: expect.closeTo(naivePercentile(values, 0.5), 6),
          p90: expect.closeTo(naivePercentile(values, 0.9), 6),
          p99: expect.closeTo(naivePercentile(values, 0.99), 6),
        },
      },
    });
  });

  it("tells numbers from text, counts empty values apart and names nameless columns by their place", async () => {
    const content = '\uFEFFprice,note,\n1.5,"a, b",\n-2e1,,\n\n,a,\n';
    // Mean of 1.5 and -20; the median lies half way between them.
    expect(await summarise(content)).toEqual({
      rows: 3,
      columns: {
        price: {
          kind: "number",
          count: 2,
          empty: 1,
          mean: -9.25,
          min: -20,
          max: 1.5,
          p50: -9.25,
          p90: expect.closeTo(-20 + 0.9 * 21.5, 9),
          p99: expect.closeTo(-20 + 0.99 * 21.5, 9),
          percentiles: "exact",
        },
        note: { kind: "text", count: 2, empty: 1, distinct: 2, distinctIsExact: true, min: "a", max: "a, b" },
        column_3: {
          kind: "text",
          count: 0,
          empty: 3,
          distinct: 0,
          distinctIsExact: true,
          min: null,
          max: null,
        },
      },
    });
  });

  it("takes a column for text from its first value that is no number on, earlier values included", async () => {
    const result = await summarise("code\n1\n2\n2\n0x1F\n");
    expect(result).toMatchObject({
      columns: { code: { kind: "text", count: 4, distinct: 3, min: "0x1F", max: "2" } },
    });
  });

  it("reads the delimiter it is given", async () => {
    const result = await summarise("a;b\n1;2\n", { delimiter: ";" });
    expect(result).toMatchObject({ rows: 1, columns: { a: { mean: 1 }, b: { mean: 2 } } });
  });

  it("keeps a column that is called __proto__", async () => {
    const result = (await summarise("__proto__\n1\n")) as { columns: object };
    expect(Object.keys(result.columns)).toEqual(["__proto__"]);
  });

  it("samples the percentiles of a column beyond 100,000 values, says so, and comes to the same twice", async () => {
    // The numbers 0 to 199,999, scattered: 7919 is prime to 200,000, so each occurs once.
    const values = Array.from({ length: 200_000 }, (_value, index) => (index * 7_919) % 200_000);
    const content = `n\n${values.join("\n")}\n`;
    const [first, second] = [await summarise(content), await summarise(content)];

    expect(second).toEqual(first);
    // A sample of half of them misses a share of p by about sqrt(p (1 - p) / 100,000 / 2): at the median
    // 0.0011, that is 224 of 200,000. Six times that is never seen by chance.
    expect(first).toMatchObject({
      rows: 200_000,
      columns: { n: { count: 200_000, mean: 99_999.5, min: 0, max: 199_999, percentiles: "sampled" } },
    });
    const { p50, p90, p99 } = (first as { columns: { n: Record<"p50" | "p90" | "p99", number> } }).columns.n;
    expect(Math.abs(p50 - 100_000)).toBeLessThan(1_350);
    expect(Math.abs(p90 - 180_000)).toBeLessThan(1_350);
    expect(Math.abs(p99 - 198_000)).toBeLessThan(1_350);
  });

  it.each([
    ["an empty file", "", "is empty"],
    ["a line longer than the header", "a,b\n1,2\n1,2,3\n", "malformed at line 3"],
    ["a quote that never ends", 'a\n"secret\n', "malformed at line"],
    ["two columns of one name", "a,b,a\n1,2,3\n", "column 3"],
    ["33 columns", `${Array.from({ length: 33 }, (_name, at) => `c${at}`).join()}\n`, "at most 32"],
    ["a line without end", `a\n${"x".repeat(70_000)}\n`, "malformed at line"],
    ["a summary that would not be kept", `${"x".repeat(20_000)}\n1\n`, "over 16 KiB"],
  ])("refuses %s for good, without quoting the file", async (_what, content, message) => {
    const refused = await summarise(content).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TerminalJobError);
    expect((refused as Error).message).toContain(message);
    expect((refused as Error).message).not.toContain("secret");
  });

  it("stops between rows when its run must end", async () => {
    const shop = await openTemporaryShop();
    await shop.addFile("long.csv", `n\n${"1\n".repeat(2_000_000)}`);
    const abort = new AbortController();
    const reason = new Error("the worker is draining");
    const summary = run(shop.csvSummarise, { file: "long.csv" }, { signal: abort.signal });
    await nextTurn();
    abort.abort(reason);
    await expect(summary).rejects.toBe(reason);
  });

  it("reads nothing when its run must end before it began", async () => {
    const shop = await openTemporaryShop();
    await shop.addFile("sample.csv", "a\n1\n");
    const reason = new Error("cancelled");
    const signal = AbortSignal.abort(reason);
    await expect(run(shop.csvSummarise, { file: "sample.csv" }, { signal })).rejects.toBe(reason);
  });
});

describe("the data directory", () => {
  it("gives files below it, also by a link that stays inside", async () => {
    const shop = await openTemporaryShop();
    const path = await shop.addFile("real.csv", "a\n1\n");
    await symlink(path, join(shop.dataDir, "link.csv"));
    await expect(run(shop.csvSummarise, { file: "link.csv" })).resolves.toMatchObject({ rows: 1 });
  });

  it.each([
    ["a file that is not there", "none.csv"],
    ["a way up", "../outside.csv"],
    ["a way up in the middle", "folder/../../outside.csv"],
    ["an absolute path", "/etc/passwd"],
    ["the directory itself", "."],
    ["a directory in it", "folder"],
    ["a link that leads out", "link-out.csv"],
    ["a file below a link that leads out", "folder-out/outside.csv"],
    ["a link to itself", "loop.csv"],
    ["a sibling that begins with the same name", "../data-more/outside.csv"],
    ["a file below a file", "inside.csv/more"],
    ["a name with a zero byte", "inside.csv\0"],
    ["a name too long for a file", "x".repeat(300)],
  ])("gives one and the same answer to %s", async (_what, file) => {
    const shop = await openTemporaryShop();
    const root = dirname(shop.dataDir);
    await shop.addFile("inside.csv", "a\n1\n");
    await shop.addFile("../outside.csv", "a\n1\n");
    await mkdir(join(shop.dataDir, "folder"));
    await mkdir(join(root, "data-more"));
    await shop.addFile("../data-more/outside.csv", "a\n1\n");
    await symlink(join(root, "outside.csv"), join(shop.dataDir, "link-out.csv"));
    await symlink(root, join(shop.dataDir, "folder-out"));
    await symlink("loop.csv", join(shop.dataDir, "loop.csv"));

    const refused = await run(shop.csvSummarise, { file }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TerminalJobError);
    expect((refused as Error).message).toBe("data.file does not name a file in the data directory");
  });
});
