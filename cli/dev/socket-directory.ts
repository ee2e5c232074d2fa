/**
 * Where the Unix sockets of one data directory lie: in it, or, since a socket's path has room for about
 * a hundred bytes only and goes into a URL, in a directory of the same owner under the system's temporary one.
 */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";

/** macOS has room for 103 bytes, Linux for 107. */
const PATH_BYTES_MAX = 103;

/** What a `unix://` URL takes as it is: it would escape everything else, and the clients would not undo that. */
const PLAIN_PATH = /^[\w/.~+@:-]+$/;

/** The longest name of a socket in there: that of a lock on its way, with the largest process id. */
const LONGEST_NAME = "dev.4194304.sock";

export interface SocketDirectory {
  readonly path: string;
  /** It is outside the data directory. */
  readonly elsewhere: boolean;
}

/** @throws {CliError} when neither place is short enough. */
export function socketDirectoryFor(dataDir: string, temporaryDir: string): SocketDirectory {
  if (fits(dataDir)) return { path: dataDir, elsewhere: false };
  const hash = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  const path = join(temporaryDir, `sluice-${hash}`);
  if (fits(path)) return { path, elsewhere: true };
  const why = "too long for a socket in it, or has characters beyond letters, digits and /._-";
  throw usageError(`The path of the data directory is ${why}.`, "Set SLUICE_DATA_DIR to another one.");
}

/**
 * Makes a directory only we can enter. One that is there already under the temporary directory may be a
 * stranger's, who could then put a Redis of his own in front of us.
 *
 * @throws {CliError} when it is not ours alone.
 */
export function makePrivateDirectory(path: string, userId: number | null): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  const ours = found.isDirectory() && (userId === null || found.uid === userId) && (found.mode & 0o077) === 0;
  if (ours) return;
  throw new CliError({
    exitCode: CLI_EXIT.conflict,
    code: "DIRECTORY_NOT_PRIVATE",
    message: `The directory ${path} belongs to or can be entered by others.`,
    hint: "Remove it, or set SLUICE_DATA_DIR to a shorter path.",
  });
}

function fits(directory: string): boolean {
  return PLAIN_PATH.test(directory) && Buffer.byteLength(join(directory, LONGEST_NAME)) <= PATH_BYTES_MAX;
}
