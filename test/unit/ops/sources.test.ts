import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fingerprintSources, isAsset, listSources } from "../../../ops/sources.mjs";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-sources-"));
  writeFileSync(join(root, "tsconfig.build.json"), JSON.stringify({ include: ["worker", "not-there-yet"] }));
  mkdirSync(join(root, "worker", "lanes"), { recursive: true });
  writeFileSync(join(root, "worker", "lanes", "take.ts"), "export {};");
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test("sources are the files below the compiled folders, and what is hidden or installed is none", () => {
  writeFileSync(join(root, "worker", "a.ts"), "");
  writeFileSync(join(root, "worker", ".a.ts.swp"), "");
  writeFileSync(join(root, "elsewhere.ts"), "");
  mkdirSync(join(root, "worker", "node_modules"));
  writeFileSync(join(root, "worker", "node_modules", "b.js"), "");
  expect(listSources(root)).toEqual(["worker/a.ts", "worker/lanes/take.ts"]);
});

test("the fingerprint stays while nothing changes", () => {
  expect(fingerprintSources(root)).toBe(fingerprintSources(root));
});

test.for<[string, () => void]>([
  ["a file is new", () => writeFileSync(join(root, "worker", "new.ts"), "")],
  ["a file is gone", () => rmSync(join(root, "worker", "lanes", "take.ts"))],
  ["a file was written again", () => utimesSync(join(root, "worker", "lanes", "take.ts"), 1, 1)],
  ["a build setting changed", () => writeFileSync(join(root, "tsconfig.json"), "{}")],
])("the fingerprint changes when %s", ([, change]) => {
  const before = fingerprintSources(root);
  change();
  expect(fingerprintSources(root)).not.toBe(before);
});

test("assets are what the compiler leaves behind and running code may read", () => {
  const paths = [
    "examples/shop/orders.csv",
    "examples/shop/logo.png",
    "examples/shop/app.ts",
    "examples/README.md",
  ];
  expect(paths.filter(isAsset)).toEqual(["examples/shop/orders.csv", "examples/shop/logo.png"]);
});
