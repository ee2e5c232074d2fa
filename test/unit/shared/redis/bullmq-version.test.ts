import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigInvalidError } from "#shared/errors";
import { BULLMQ_WRITTEN_FOR, requireKnownBullmq } from "#shared/redis/bullmq-version";

describe("the BullMQ that jobs are stored for", () => {
  test("is the one that package.json pins, and the one that is installed", () => {
    const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(dependencies.bullmq).toBe(BULLMQ_WRITTEN_FOR);
    expect(() => requireKnownBullmq()).not.toThrow();
  });

  test.each(["6.7.1", "6.6.9", "7.0.0"])("is not %s, and a process says so at its start", (installed) => {
    expect(() => requireKnownBullmq(installed)).toThrow(ConfigInvalidError);
    expect(() => requireKnownBullmq(installed)).toThrow(installed);
  });
});
