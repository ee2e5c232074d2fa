import { describe, expect, test } from "vitest";
import { showDuration } from "#cli/terminal/show-duration";
import { renderTable } from "#cli/terminal/table";

const columns = [
  { title: "LANE", align: "left" },
  { title: "WAITING", align: "right" },
  { title: "READERS", align: "left" },
] as const;

describe("a table", () => {
  test("aligns names to the left and numbers to the right, without space at the ends of lines", () => {
    const rows = [
      ["shop.r1", "7", "v1 v2"],
      ["media", "12345678", ""],
    ];
    expect(renderTable(columns, rows)).toEqual([
      "LANE      WAITING  READERS",
      "shop.r1         7  v1 v2",
      "media    12345678",
    ]);
  });

  test("without rows shows its titles", () => {
    expect(renderTable(columns, [])).toEqual(["LANE  WAITING  READERS"]);
  });

  test("shows a stranger's cell on one line, cut and harmless", () => {
    const [, row] = renderTable(columns, [["a\u001b[2J\nb", "1", "x".repeat(100)]]);
    expect(row).toBe(`a\\x1b[2J\\x0ab        1  ${"x".repeat(59)}…`);
  });
});

describe("a length of time in a table", () => {
  test.for([
    [null, "-"],
    [-5, "0 ms"],
    [999, "999 ms"],
    [1_250, "1.2 s"],
    [59_999, "59.9 s"],
    [61_000, "1 m 1 s"],
    [3_660_000, "1 h 1 m"],
    [90_000_000, "1 d 1 h"],
  ] as const)("%s is shown as %s", ([durationMs, shown]) => {
    expect(showDuration(durationMs)).toBe(shown);
  });
});
