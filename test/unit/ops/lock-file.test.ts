import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  packages: Readonly<Record<string, LockedPackage>>;
};

/** Whether a package at `path` finds `name` as Node would look for it: in its own node_modules, then outwards. */
function finds(path: string, name: string): boolean {
  if (`${path}/node_modules/${name}` in packages) return true;
  const outer = path.lastIndexOf("/node_modules/");
  return outer === -1 ? `node_modules/${name}` in packages : finds(path.slice(0, outer), name);
}

// npm 11.16 and later leave out an optional package that the registry at hand does not have, such as a build for
// another platform, and then `npm ci` refuses the lock file they wrote: here, or on machines whose registry has it.
test("the lock file names every optional package, also those for other platforms", () => {
  const missing = Object.entries(packages).flatMap(([path, locked]) =>
    Object.entries(locked.optionalDependencies ?? {})
      .filter(([name]) => !finds(path, name))
      .map(([name, version]) => `${name}@${version}`),
  );
  expect(missing).toEqual([]);
});

test("the lock file records no address of the registry it was written with", () => {
  const withAddress = Object.entries(packages).filter(([, locked]) => locked.resolved?.startsWith("http"));
  expect(withAddress.map(([path]) => path)).toEqual([]);
});
