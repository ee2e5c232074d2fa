import { describe, expect, test } from "vitest";
import { ConfigInvalidError } from "#shared/errors";
import { isLoopback, namesLoopback, requireLoopback } from "#shared/http/loopback";

describe("isLoopback", () => {
  test.each(["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])("%s is", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  test.each([
    "",
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "128.0.0.1",
    "127.0.0.1.evil.example",
    "evil.example",
    "localhost.evil.example",
    "127.evil.example",
    "x127.0.0.1",
    "127.0.0.1\n",
    "127.0.0",
  ])("%j is not", (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe("requireLoopback", () => {
  test("lets a loopback address pass", () => {
    expect(() => requireLoopback("127.0.0.1", false)).not.toThrow();
  });

  test("refuses an address that others reach, naming the variable and both ways out", () => {
    expect(() => requireLoopback("0.0.0.0", false)).toThrow(ConfigInvalidError);
    expect(() => requireLoopback("0.0.0.0", false)).toThrow(
      /SLUICE_HOST.*127\.0\.0\.1.*SLUICE_ALLOW_UNAUTHENTICATED=true/s,
    );
  });

  test("lets any address pass when the operator insists", () => {
    expect(() => requireLoopback("0.0.0.0", true)).not.toThrow();
  });
});

describe("namesLoopback", () => {
  test.each(["localhost", "localhost:7700", "127.0.0.1:7700", "[::1]:7700", "[::1]", "LocalHost:7700"])(
    "%s does",
    (header) => {
      expect(namesLoopback(header)).toBe(true);
    },
  );

  test.each([
    undefined,
    "",
    "evil.example",
    "evil.example:7700",
    "localhost.evil.example:7700",
    "localhost:7700.evil.example",
    "localhost:evil.example",
    "evil.example:80@localhost",
    "localhost@evil.example",
    "127.0.0.1:7700:7700",
    "localhost, evil.example",
  ])("%j does not", (header) => {
    expect(namesLoopback(header)).toBe(false);
  });
});
