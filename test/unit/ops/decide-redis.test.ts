import { describe, expect, test } from "vitest";
import {
  chooseRedisServer,
  decideRedisInstall,
  isRedisVersionEnough,
  parseServerVersion,
  redisAdvice,
} from "../../../ops/decide-redis.mjs";

const redis7 = {
  path: "/usr/bin/redis-server",
  answer: "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0",
};
const redis6 = { path: "/usr/bin/redis-server", answer: "Redis server v=6.0.16 sha=00000000:0 bits=64" };
const valkey8 = { path: "/usr/bin/valkey-server", answer: "Valkey server v=8.0.1 sha=00000000:0 bits=64" };

describe("the version of a server", () => {
  test("is read from what Redis and Valkey say", () => {
    expect([redis7, redis6, valkey8].map(({ answer }) => parseServerVersion(answer))).toEqual([
      "7.0.15",
      "6.0.16",
      "8.0.1",
    ]);
  });

  test("is not known when the program says something else", () => {
    expect(parseServerVersion("redis-server: error while loading shared libraries")).toBeNull();
  });

  test.for(["7.0.8", "7.0.15", "7.2.0", "8.0.0", "10.0.1"])("%s is enough", (version) => {
    expect(isRedisVersionEnough(version)).toBe(true);
  });

  test.for(["7.0.7", "6.2.14", "5.9.9"])("%s is too old", (version) => {
    expect(isRedisVersionEnough(version)).toBe(false);
  });
});

describe("the server to use", () => {
  test("is the first on PATH that is new enough", () => {
    expect(chooseRedisServer([redis7, valkey8])).toEqual({
      kind: "found",
      path: "/usr/bin/redis-server",
      version: "7.0.15",
    });
    expect(chooseRedisServer([redis6, valkey8])).toMatchObject({
      kind: "found",
      path: "/usr/bin/valkey-server",
    });
  });

  test("is refused as too old, rather than missing, when no newer one is there", () => {
    expect(chooseRedisServer([redis6])).toEqual({
      kind: "too-old",
      path: "/usr/bin/redis-server",
      version: "6.0.16",
    });
  });

  test("is refused when it does not tell its version", () => {
    expect(chooseRedisServer([{ path: "/opt/redis-server", answer: "" }])).toMatchObject({
      kind: "too-old",
      version: null,
    });
  });

  test("is missing when PATH has none", () => {
    expect(chooseRedisServer([])).toEqual({ kind: "missing" });
  });
});

describe("a machine without Redis", () => {
  const bareLinux = { platform: "linux", hasAptGet: false, hasBrew: false, isRoot: false, hasSudo: false };
  const debian = { ...bareLinux, hasAptGet: true };
  const mac = { ...bareLinux, platform: "darwin" };

  test("gets it by apt-get as root, even where sudo is there", () => {
    expect(decideRedisInstall({ ...debian, isRoot: true, hasSudo: true })).toEqual({ kind: "apt" });
  });

  test("gets it by sudo where that asks for no password", () => {
    expect(decideRedisInstall({ ...debian, hasSudo: true })).toEqual({ kind: "apt-sudo" });
  });

  test("gets it by Homebrew on a Mac", () => {
    expect(decideRedisInstall({ ...mac, hasBrew: true })).toEqual({ kind: "brew" });
  });

  test.for([
    ["Debian without root", debian],
    ["another Linux as root", { ...bareLinux, isRoot: true }],
    ["a Mac without Homebrew", mac],
    ["Windows", { ...bareLinux, platform: "win32" }],
  ] as const)("leaves it to the user, with the reason, on %s", ([, machine]) => {
    expect(decideRedisInstall(machine)).toEqual({ kind: "by-hand", reason: expect.stringMatching(/\w/) });
  });
});

test("the advice offers a Redis in Docker to `npm start` only, since tests start servers of their own", () => {
  expect(redisAdvice("start")).toContain("SLUICE_REDIS_URL=redis://127.0.0.1:6379 npm start");
  expect(redisAdvice("test")).not.toContain("docker");
});
