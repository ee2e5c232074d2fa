import { chmodSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makePrivateDirectory, socketDirectoryFor } from "#cli/dev/socket-directory";

const LONG = `/home/ana/${"deep/".repeat(20)}.sluice`;

describe("the directory of the sockets", () => {
  test("is the data directory when a socket's path has room for it", () => {
    expect(socketDirectoryFor("/home/ana/shop/.sluice", "/tmp")).toEqual({
      path: "/home/ana/shop/.sluice",
      elsewhere: false,
    });
  });

  test("is a short one under the temporary directory when it has not, another for each data directory", () => {
    const one = socketDirectoryFor(LONG, "/tmp");
    expect(one.elsewhere).toBe(true);
    expect(one.path).toMatch(/^\/tmp\/sluice-[0-9a-f]{16}$/);
    expect(socketDirectoryFor(LONG, "/tmp")).toEqual(one);
    expect(socketDirectoryFor(`${LONG}2`, "/tmp").path).not.toBe(one.path);
  });

  test("is another one too when a unix:// URL would change the path", () => {
    expect(socketDirectoryFor("/home/ana maria/.sluice", "/tmp").elsewhere).toBe(true);
    expect(socketDirectoryFor("/home/aña/.sluice", "/tmp").elsewhere).toBe(true);
  });

  test("fits with the longest name within what macOS allows", () => {
    // 103 bytes less "/dev.4194304.sock" (17) leaves 86 for the directory.
    expect(socketDirectoryFor(`/${"d".repeat(85)}`, "/tmp").elsewhere).toBe(false);
    expect(socketDirectoryFor(`/${"d".repeat(86)}`, "/tmp").elsewhere).toBe(true);
  });

  test("is refused when neither place is short enough", () => {
    expect(() => socketDirectoryFor(LONG, `/${"t".repeat(100)}`)).toThrow(/SLUICE_DATA_DIR|too long/);
  });
});

describe("a private directory", () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-test-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const userId = process.getuid?.() ?? null;

  test("is made, and taken again when it is ours alone", () => {
    makePrivateDirectory(join(directory, "new"), userId);
    makePrivateDirectory(join(directory, "new"), userId);
  });

  test("is refused when others may enter it, when it is another's, and when it is a link", () => {
    makePrivateDirectory(join(directory, "open"), userId);
    chmodSync(join(directory, "open"), 0o755);
    expect(() => makePrivateDirectory(join(directory, "open"), userId)).toThrow("others");
    makePrivateDirectory(join(directory, "theirs"), userId);
    expect(() => makePrivateDirectory(join(directory, "theirs"), (userId ?? 0) + 1)).toThrow("others");
    symlinkSync(join(directory, "theirs"), join(directory, "link"));
    expect(() => makePrivateDirectory(join(directory, "link"), userId)).toThrow("others");
  });
});
