import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-closing-line-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** The closing line of a real run over one test file with this text, which finds Vitest's functions as globals. */
async function closingLineOf(testFile: string): Promise<string> {
  writeFileSync(join(root, "some.test.js"), testFile);
  const closingLineFile = join(root, "closing-line");
  const args = [
    resolve("node_modules/vitest/vitest.mjs"),
    ...["run", "--root", root, "--globals"],
    `--reporter=${resolve("test/support/closing-line.reporter.ts")}`,
  ];
  const env = { ...process.env, SLUICE_CLOSING_LINE_FILE: closingLineFile };
  const stdout = await new Promise<string>((done) => {
    // A run with a failing test ends with 1, which is no error here.
    execFile(process.execPath, args, { env }, (_error, text) => done(text));
  });
  const line = readFileSync(closingLineFile, "utf8").trimEnd();
  expect(stdout.split("\n")).toContain(line);
  return line;
}

test.for<[string, { testFile: string; line: string }]>([
  [
    "counts tests by how they ended, and one that is still to be written as skipped",
    {
      testFile: `test("a", () => {}); test("b", () => {}); test("c", () => { throw new Error("c"); });
               test.skip("d", () => {}); test.todo("e");`,
      line: "2 passed, 1 failed, 2 skipped",
    },
  ],
  [
    "counts a test file that does not load as failed",
    {
      testFile: `throw new Error("not today");`,
      line: "0 passed, 1 failed, 0 skipped",
    },
  ],
  [
    "counts a file without a test as failed",
    {
      testFile: "",
      line: "0 passed, 1 failed, 0 skipped",
    },
  ],
  [
    "counts a beforeAll that throws as failed, beside the test it kept from running",
    {
      testFile: `describe("s", () => { beforeAll(() => { throw new Error("b"); }); test("a", () => {}); });`,
      line: "0 passed, 1 failed, 1 skipped",
    },
  ],
  [
    "counts an error that nobody handled as failed, though the test passed",
    {
      testFile: `test("a", () => { Promise.reject(new Error("lost")); });`,
      line: "1 passed, 1 failed, 0 skipped",
    },
  ],
])("%s", async ([, { testFile, line }]) => {
  expect(await closingLineOf(testFile)).toBe(line);
});
