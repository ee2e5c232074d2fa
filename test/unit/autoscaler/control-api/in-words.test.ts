import { describe, expect, test } from "vitest";
import { ago, counted, duration, listed, moment, rate } from "#autoscaler/control-api/in-words";

describe("in words", () => {
  test.each([
    [0, "0 ms"],
    [470.4, "470 ms"],
    [999.6, "1 s"],
    [1_240, "1.2 s"],
    [9_960, "10 s"],
    [47_300, "47 s"],
    // Rounds to 60 s before it picks the unit.
    [59_600, "1 min"],
    [200_000, "3 min 20 s"],
    [3_599_600, "1 h"],
    [7_500_000, "2 h 5 min"],
    // 100 h = 4 d 4 h.
    [360_000_000, "4 d 4 h"],
  ])("a duration of %d ms is %s", (lengthMs, words) => {
    expect(duration(lengthMs)).toBe(words);
  });

  test("one thing is not plural and thousands have commas", () => {
    expect([counted(1, "job"), counted(0, "job"), counted(1_840, "job")]).toEqual([
      "1 job",
      "0 jobs",
      "1,840 jobs",
    ]);
  });

  test("a rate keeps three digits", () => {
    expect([rate(51.234), rate(0.03456)]).toEqual(["51.2/s", "0.0346/s"]);
  });

  test("a long list is cut and says by how much", () => {
    expect(listed(["a", "b", "c", "d"], 2)).toBe("a, b and 2 more");
    expect(listed(["a", "b"], 2)).toBe("a, b");
  });

  test("a moment is UTC to the second, and a text that is none stays itself", () => {
    expect(moment("2026-03-01T04:00:00.500+01:00")).toBe("2026-03-01 03:00:00 UTC");
    expect(moment("<soon>")).toBe("<soon>");
  });

  test("what a stepping clock puts into the future is just now", () => {
    expect(ago("2026-03-01T03:00:05Z", "2026-03-01T03:00:00Z")).toBe("0 ms ago");
    expect(ago("soon", "2026-03-01T03:00:00Z")).toBeNull();
  });
});
