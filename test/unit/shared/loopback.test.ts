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
    expect(() => requireLoopback({ host: "127.0.0.1", auth: "off" })).not.toThrow();
  });

  test("refuses an address that others reach without a key, naming both ways out", () => {
    const start = () => requireLoopback({ host: "0.0.0.0", auth: "off" });
    expect(start).toThrow(ConfigInvalidError);
    expect(start).toThrow(/SLUICE_AUTH.*off.*SLUICE_AUTH=keys.*127\.0\.0\.1/s);
  });

  test("lets any address pass where a key is asked for", () => {
    expect(() => requireLoopback({ host: "0.0.0.0", auth: "keys" })).not.toThrow();
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
