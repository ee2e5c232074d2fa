/** Looks for a Redis server program on PATH. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CliError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { decideRedisServer } from "./decide-redis-server.ts";

/** Valkey speaks the same protocol and takes the same options. */
const NAMES = ["redis-server", "valkey-server"];

const ANSWER_MS_MAX = 5_000;

const ADVICE = [
  "Do one of these and run it again:",
  "  Debian, Ubuntu   sudo apt-get install -y redis-server",
  "  macOS            brew install redis",
  "  elsewhere        put redis-server or valkey-server 7.0.8 or newer on your PATH",
  "  another Redis    set SLUICE_REDIS_URL, e.g. redis://127.0.0.1:6379 after `docker compose -f ops/compose/redis-only.yml up -d`",
].join("\n");

/** @throws {CliError} when there is none that can be used. */
export function findRedisServer(pathVariable: string): { readonly path: string; readonly version: string } {
  const paths = NAMES.flatMap((name) =>
    pathVariable
      .split(delimiter)
      .filter((directory) => directory !== "")
      .map((directory) => join(directory, name))
      .filter(isProgram)
      .slice(0, 1),
  );
  const decision = decideRedisServer(paths.map((path) => ({ path, answer: askVersion(path) })));
  if (decision.kind === "run") return decision;
  throw new CliError({
    exitCode: CLI_EXIT.unexpected,
    code: "REDIS_MISSING",
    message: `Jobs are kept in Redis, and ${decision.reason}.`,
    hint: ADVICE,
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function askVersion(path: string): string {
  return spawnSync(path, ["--version"], { encoding: "utf8", timeout: ANSWER_MS_MAX }).stdout ?? "";
}
