/** What dist/ is made from, and a fingerprint of it that tells whether dist/ is up to date. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { SetupProblem } from "./run.mjs";

/** Beside the built folders, these decide what comes out. */
const BUILD_SETTINGS = [
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "ops/dist.mjs",
];

/** The folders that tsconfig.build.json compiles and that exist. */
export function builtFolders(root) {
  let settings;
  try {
    settings = JSON.parse(readFileSync(join(root, "tsconfig.build.json"), "utf8"));
  } catch (error) {
    throw new SetupProblem(
      `tsconfig.build.json must be plain JSON, since the build reads it: ${error.message}`,
    );
  }
  return settings.include.filter((folder) => existsSync(join(root, folder)));
}

/** Every file in the built folders, as sorted paths from `root` with forward slashes. */
export function listSources(root) {
  return builtFolders(root)
    .flatMap((folder) => listFiles(root, folder))
    .sort();
}

/**
 * A hash over path, size and time of change of all that the build reads. Contents are not read, because
 * every start pays for this; the price is a build too many after a `git checkout` there and back.
 */
export function fingerprintSources(root) {
  const hash = createHash("sha256");
  for (const path of [...BUILD_SETTINGS, ...listSources(root)]) {
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    hash.update(`${path} ${stat?.size} ${stat?.mtimeMs}\n`);
  }
  return hash.digest("hex");
}

/**
 * An asset is a file that the compiler does not carry over but the running code may read, such as sample
 * data.
 */
export function isAsset(path) {
  return !/\.(ts|tsx|md)$/.test(path);
}

function listFiles(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith(".") && entry.name !== "node_modules")
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? listFiles(root, path) : [path];
    });
}
