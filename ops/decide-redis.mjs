/**
 * Which Redis to use and how to get one: the decisions only. redis-server.mjs and install-redis.mjs carry
 * them out.
 */

/** BullMQ trusts a blocking wait of 1 ms from 7.0.8 on; we run and measure on nothing older. */
const VERSION_MIN = [7, 0, 8];
export const REDIS_VERSION_MIN = VERSION_MIN.join(".");

/** The version in the answer of `redis-server --version` or `valkey-server --version`, or `null`. */
export function parseServerVersion(answer) {
  return /\bv=(\d+\.\d+\.\d+)/.exec(answer)?.[1] ?? null;
}

/** Whether a version such as "7.0.15" is new enough. Valkey began at 7.2, so one bound serves both. */
export function isRedisVersionEnough(version) {
  const parts = version.split(".").map(Number);
  for (const [index, min] of VERSION_MIN.entries()) {
    if (parts[index] !== min) return parts[index] > min;
  }
  return true;
}

/**
 * The first server that is new enough, of those on PATH as `{path, answer}` in order of preference, where
 * `answer` is what it says of its version.
 *
 * Returns `{kind: "found", path, version}`, else `{kind: "too-old", path, version}` (`version` is `null`
 * when the answer named none), else `{kind: "missing"}`.
 */
export function chooseRedisServer(servers) {
  const choices = servers.map(({ path, answer }) => {
    const version = parseServerVersion(answer);
    const kind = version !== null && isRedisVersionEnough(version) ? "found" : "too-old";
    return { kind, path, version };
  });
  return choices.find((choice) => choice.kind === "found") ?? choices[0] ?? { kind: "missing" };
}

/**
 * How a machine without Redis gets one: `apt` (as root), `apt-sudo`, `brew`, or `by-hand` with the reason
 * why nothing can be done from here.
 *
 * `machine`: `platform` as Node names it, `hasAptGet`, `hasBrew`, `isRoot`, and `hasSudo`: sudo asks for no
 * password.
 */
export function decideRedisInstall(machine) {
  if (machine.platform === "linux" && machine.hasAptGet) {
    if (machine.isRoot) return { kind: "apt" };
    if (machine.hasSudo) return { kind: "apt-sudo" };
    return {
      kind: "by-hand",
      reason: "installing it needs root, and sudo is missing or asks for a password",
    };
  }
  if (machine.platform === "darwin" && machine.hasBrew) return { kind: "brew" };
  return { kind: "by-hand", reason: "neither apt-get nor Homebrew is here to install it with" };
}

/** What the user can do to get a Redis, for the end of an error message. */
export function redisAdvice(mode) {
  const lines = [
    "  Debian, Ubuntu   sudo apt-get install -y redis-server",
    "  macOS            brew install redis",
    `  elsewhere        put redis-server or valkey-server, ${REDIS_VERSION_MIN} or newer, on your PATH`,
  ];
  // The tests start servers of their own to kill and to fill, so one that runs elsewhere does not help them.
  if (mode === "start") {
    lines.push(
      "  with Docker      docker compose -f ops/compose/redis-only.yml up -d",
      "                   SLUICE_REDIS_URL=redis://127.0.0.1:6379 npm start",
    );
  }
  const again = mode === "start" ? "npm start" : "npm test";
  return `Do one of these, then run \`${again}\` again:\n${lines.join("\n")}`;
}
