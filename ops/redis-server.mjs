/** Looks for a Redis server program on PATH. */
import { spawnSync } from "node:child_process";
import { chooseRedisServer } from "./decide-redis.mjs";
import { findOnPath } from "./run.mjs";

/** Valkey speaks the same protocol and takes the same options. */
const SERVER_NAMES = ["redis-server", "valkey-server"];

const VERSION_ANSWER_MAX_MS = 5_000;

/** The server to use, as `chooseRedisServer` describes it. */
export function findRedisServer() {
  const paths = SERVER_NAMES.map(findOnPath).filter((path) => path !== null);
  return chooseRedisServer(paths.map((path) => ({ path, answer: askVersion(path) })));
}

function askVersion(path) {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: VERSION_ANSWER_MAX_MS });
  return stdout ?? "";
}
