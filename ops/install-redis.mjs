/**
 * Installs Redis where the machine's own package manager can, and says exactly what to do where it cannot.
 */
import { join } from "node:path";
import { decideRedisInstall, REDIS_VERSION_MIN, redisAdvice } from "./decide-redis.mjs";
import { findRedisServer } from "./redis-server.mjs";
import { findOnPath, run, SetupProblem, step } from "./run.mjs";

/** Enough of a package manager's output to hold its error. */
const OUTPUT_LINES_SHOWN = 30;

/**
 * Makes sure that a Redis server is on PATH.
 *
 * @throws {SetupProblem} with what to do, when there is none and none can be installed, or it is too old.
 */
export async function ensureRedis(mode) {
  const present = findRedisServer();
  if (present.kind === "found") return;
  // A package manager that has an old one would hardly bring a newer.
  if (present.kind === "too-old") throw tooOld(present, mode);

  await install(mode);
  const installed = findRedisServer();
  if (installed.kind === "too-old") throw tooOld(installed, mode);
  if (installed.kind === "missing") {
    throw new SetupProblem(
      `Redis was installed, but redis-server is not on your PATH; add its folder.\n${redisAdvice(mode)}`,
    );
  }
  console.log(`  Redis ${installed.version} is at ${installed.path}`);
}

async function install(mode) {
  const machine = {
    platform: process.platform,
    hasAptGet: findOnPath("apt-get") !== null,
    hasBrew: findOnPath("brew") !== null,
    isRoot: process.getuid?.() === 0,
    hasSudo: await sudoAsksNoPassword(),
  };
  const plan = decideRedisInstall(machine);
  const script = join(import.meta.dirname, "install-redis-debian.sh");
  switch (plan.kind) {
    case "apt":
      return installWith("apt-get", ["sh", script], mode);
    case "apt-sudo":
      return installWith("sudo apt-get", ["sudo", "-n", "sh", script], mode);
    case "brew":
      return installWith("brew", ["brew", "install", "redis"], mode);
    case "by-hand":
      throw new SetupProblem(`Redis was not found, and ${plan.reason}.\n${redisAdvice(mode)}`);
  }
}

async function installWith(name, [command, ...args], mode) {
  await step(`Redis was not found; installing redis-server with ${name}`, async () => {
    const { exitCode, output } = await run(command, args);
    if (exitCode === 0) return;
    console.error(output.trimEnd().split("\n").slice(-OUTPUT_LINES_SHOWN).join("\n"));
    throw new SetupProblem(
      `${name} could not install Redis; its last lines are above.\n${redisAdvice(mode)}`,
    );
  });
}

async function sudoAsksNoPassword() {
  if (findOnPath("sudo") === null) return false;
  return (await run("sudo", ["-n", "true"])).exitCode === 0;
}

function tooOld({ path, version }, mode) {
  const what = version === null ? "does not tell its version" : `is version ${version}`;
  return new SetupProblem(
    `Sluice needs Redis ${REDIS_VERSION_MIN} or newer, and ${path} ${what}.\n` +
      "Where the distribution's own is too old (Debian 11, Ubuntu 22.04), install from Redis's own\n" +
      `package repository: https://redis.io/docs/latest/operate/oss_and_stack/install/\n${redisAdvice(mode)}`,
  );
}
