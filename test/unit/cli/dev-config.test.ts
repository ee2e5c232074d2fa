import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configFileOf, devEnv } from "#cli/dev/config";
import { readConfig } from "#shared/read-config";

describe("the environment of sluice dev", () => {
  test("may be empty", () => {
    const config = readConfig(devEnv, {});
    expect(config).toEqual({
      redisUrl: null,
      dataDir: join(process.cwd(), ".sluice"),
      redisMaxmemory: "512mb",
      apiPort: { port: 7700, chosen: false },
      controlPort: { port: 7701, chosen: false },
      host: "127.0.0.1",
      auth: "off",
      configPath: null,
      drainDeadlineMs: 30_000,
      logLevel: "warn",
    });
    expect(configFileOf(config, "/package")).toBe("/package/examples/shop/sluice.config.json");
  });

  test("tells a chosen port from a default one, even when they are the same", () => {
    expect(readConfig(devEnv, { SLUICE_API_PORT: "7700" }).apiPort).toEqual({ port: 7700, chosen: true });
    expect(readConfig(devEnv, { SLUICE_API_PORT: "" }).apiPort).toEqual({ port: 7700, chosen: false });
  });

  test("tells all its problems at once, and no value", () => {
    const env = {
      SLUICE_REDIS_URL: "http://u:secret@host",
      SLUICE_REDIS_MAXMEMORY: "lots",
      SLUICE_API_PORT: "70000",
      SLUICE_CONTROL_PORT: "0",
      SLUICE_DRAIN_DEADLINE_MS: "30s",
      SLUICE_LOG_LEVEL: "loud",
    };
    const read = () => readConfig(devEnv, env);
    for (const name of Object.keys(env)) expect(read).toThrow(name);
    expect(read).not.toThrow("secret");
  });
});
