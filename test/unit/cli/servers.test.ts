import { describe, expect, test } from "vitest";
import { readServers } from "#cli/config";

describe("where the servers are", () => {
  test("is said by options first, then the environment, then ports, then defaults", () => {
    const env = { SLUICE_URL: "http://env:1", SLUICE_API_PORT: "9000", SLUICE_CONTROL_PORT: "9001" };
    expect(readServers({ url: "https://option/base/" }, env)).toEqual({
      apiUrl: "https://option/base",
      controlUrl: "http://127.0.0.1:9001",
    });
    expect(readServers({}, env).apiUrl).toBe("http://env:1");
    expect(readServers({}, {})).toEqual({
      apiUrl: "http://127.0.0.1:7700",
      controlUrl: "http://127.0.0.1:7701",
    });
  });

  test.for(["localhost:7700", "ftp://host", "http://u:secret@host", "nonsense"])("is not %s", (url) => {
    expect(() => readServers({ url }, {})).toThrow("--url");
    expect(() => readServers({ url }, {})).not.toThrow("secret");
  });
});
