/** Installs the npm packages when they are missing or not those of package-lock.json. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packagesProblem } from "./decide-packages.mjs";
import { run, SetupProblem, step } from "./run.mjs";

const INSTALL_TRIES = 2;
/**
 * npm names the cause first and then explains at length; all of it is in npm's own log, which it names
 * last.
 */
const CAUSE_LINES_SHOWN = 12;

/** Why packages must be installed, or `null`. */
export function findPackagesProblem(root) {
  const wanted = readJson(join(root, "package-lock.json"));
  if (wanted === null) throw new SetupProblem("package-lock.json is missing or broken; restore it from git.");
  return packagesProblem(wanted, readJson(installedLockPath(root)));
}

/** @throws {SetupProblem} when npm fails twice, or says that trying again cannot help. */
export async function installPackages(root) {
  for (let tries = 1; tries <= INSTALL_TRIES; tries += 1) {
    const title = tries === 1 ? "Installing packages (npm ci)" : "Installing packages, second try (npm ci)";
    // An install that is cut short must not be taken for the one before it.
    rmSync(installedLockPath(root), { force: true });
    const { exitCode, output } = await step(title, () => npmCi(root));
    if (exitCode === 0) return;
    console.error(`${causeIn(output)}\nnpm ci failed with exit code ${exitCode}.`);
    if (output.includes("EUSAGE")) {
      throw new SetupProblem(
        "package-lock.json does not fit package.json: run `npm install`, and keep the lock file it writes.",
      );
    }
  }
  throw new SetupProblem(
    `The packages could not be installed: npm ci failed ${INSTALL_TRIES} times, with the messages above.\n` +
      "Check the network, the npm registry set in your .npmrc and the free disk space, then try again.",
  );
}

function npmCi(root) {
  // npm says in npm_execpath which npm it is; outside of npm, PATH decides.
  const npmCli = process.env.npm_execpath ?? "";
  const [command, ...first] = npmCli.endsWith("npm-cli.js") ? [process.execPath, npmCli] : ["npm"];
  // With NODE_ENV=production npm would leave out the compiler, which the build needs.
  const args = [...first, "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  return run(command, args, { cwd: root });
}

function causeIn(output) {
  const lines = output.trimEnd().split("\n");
  if (lines.length <= CAUSE_LINES_SHOWN) return lines.join("\n");
  return [...lines.slice(0, CAUSE_LINES_SHOWN), "…", lines.at(-1)].join("\n");
}

function installedLockPath(root) {
  return join(root, "node_modules", ".package-lock.json");
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
