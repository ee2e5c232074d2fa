import { describe, expect, test } from "vitest";
import { parseDurationMs } from "#cli/parse-duration";

describe("a length of time", () => {
  test.for([
    ["500ms", 500],
    ["30s", 30_000],
    ["30", 30_000],
    ["1.5s", 1_500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["24h", 86_400_000],
  ] as const)("%s is %d ms", ([text, durationMs]) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  test.for(["", "s", "-1s", "0", "0s", "1d", "25h", "1 s", "1e3", "NaN", "1s2", "９s", "9999999999s"])(
    "%j is none",
    (text) => {
      expect(parseDurationMs(text)).toBeNull();
    },
  );
});
