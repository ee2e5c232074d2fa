/**
 * Builds dist/ from the sources.
 *
 * The compiler writes beside dist/, and only a build that succeeded takes its place, by renaming: a build
 * that fails, or is interrupted, leaves the dist/ before it. Two builds at once are kept apart by the
 * setup lock, which the callers hold.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { run, SetupProblem } from "./run.mjs";
import { fingerprintSources, isAsset, listSources } from "./sources.mjs";

/**
 * Not inside .sluice/, because source maps hold relative paths and must be written as deep as they are
 * read.
 */
const NEXT_FOLDER = "dist.next";
const PREVIOUS_FOLDER = ".sluice/dist.previous";
const STAMP_FILE = ".build-stamp";
const COMMAND_FILE = "cli/main.js";

/** Whether dist/ was built from the sources as they are now. */
export function isDistFresh(root) {
  const stampPath = join(root, "dist", STAMP_FILE);
  return existsSync(stampPath) && readFileSync(stampPath, "utf8") === fingerprintSources(root);
}

/** @throws {SetupProblem} with the compiler's words, and dist/ left as it was. */
export async function buildDist(root) {
  // Taken before compiling: what is edited meanwhile makes this build out of date, as it should.
  const fingerprint = fingerprintSources(root);
  const next = join(root, NEXT_FOLDER);
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next);
  // The folder hides itself from git, and so from the linter, for the seconds it lives.
  writeFileSync(join(next, ".gitignore"), "*\n");
  try {
    await compile(root);
    copyAssets(root, next);
    const command = join(next, COMMAND_FILE);
    if (existsSync(command)) chmodSync(command, 0o755);
    writeFileSync(join(next, STAMP_FILE), fingerprint);
    rmSync(join(next, ".gitignore"));
    swapIn(root, next);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

async function compile(root) {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "-p", "tsconfig.build.json", "--outDir", NEXT_FOLDER];
  const { exitCode, output } = await run(process.execPath, args, { cwd: root });
  if (exitCode !== 0)
    throw new SetupProblem(`${output}\nThe build failed (above); dist/ is as it was before.`);
}

function copyAssets(root, next) {
  for (const path of listSources(root).filter(isAsset)) {
    mkdirSync(dirname(join(next, path)), { recursive: true });
    copyFileSync(join(root, path), join(next, path));
  }
}

function swapIn(root, next) {
  const dist = join(root, "dist");
  const previous = join(root, PREVIOUS_FOLDER);
  rmSync(previous, { recursive: true, force: true });
  mkdirSync(dirname(previous), { recursive: true });
  if (existsSync(dist)) renameSync(dist, previous);
  renameSync(next, dist);
  rmSync(previous, { recursive: true, force: true });
}
