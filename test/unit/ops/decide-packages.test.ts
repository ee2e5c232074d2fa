import { expect, test } from "vitest";
import { packagesProblem } from "../../../ops/decide-packages.mjs";

const lock = {
  packages: {
    "": { version: "0.1.0" },
    "node_modules/queue": { version: "6.7.0", integrity: "sha512-a" },
    "node_modules/compiler-for-other-chips": { version: "1.0.0", integrity: "sha512-b", optional: true },
  },
};

test("an install of exactly the locked packages will do, without those for other platforms", () => {
  const installed = { packages: { "node_modules/queue": { version: "6.7.0", integrity: "sha512-a" } } };
  expect(packagesProblem(lock, installed)).toBeNull();
});

test("packages beyond the lock file are left alone", () => {
  const installed = { packages: { ...lock.packages, "node_modules/tried-out": { version: "1.0.0" } } };
  expect(packagesProblem(lock, installed)).toBeNull();
});

test("an install that never ended well counts as none", () => {
  expect(packagesProblem(lock, null)).toBe("none are installed");
});

test("a missing package is named", () => {
  expect(packagesProblem(lock, { packages: {} })).toBe("node_modules/queue is missing");
});

test("a package of another version is named with both", () => {
  const installed = { packages: { "node_modules/queue": { version: "5.0.0", integrity: "sha512-z" } } };
  expect(packagesProblem(lock, installed)).toBe(
    "node_modules/queue is 5.0.0, not 6.7.0 as in package-lock.json",
  );
});

test("a package of the same version but other content is found out", () => {
  const installed = { packages: { "node_modules/queue": { version: "6.7.0", integrity: "sha512-z" } } };
  expect(packagesProblem(lock, installed)).toMatch("node_modules/queue is not the one");
});
