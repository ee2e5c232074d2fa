/**
 * Files a job names: opened only when they really lie inside the data directory.
 *
 * The name comes from whoever enqueued the job, so it is hostile until shown otherwise: links are
 * followed first and the place they lead to is judged, and only regular files of a bounded size are
 * opened. A name outside and a name of nothing get the same answer, which tells a prober nothing.
 * Whoever can write to the data directory is trusted.
 */
import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { TerminalJobError } from "sluice/worker";

export interface NamedFile {
  /** The field of the job's data that holds the name, for error messages: they never hold the name. */
  readonly field: string;
  readonly name: string;
  readonly bytesMax: number;
}

/** What the file system says of a name that leads nowhere; anything else may pass, so it is retried. */
const NOWHERE = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "ERR_INVALID_ARG_VALUE"]);

/**
 * Opens the file for reading; the caller closes it.
 *
 * @throws {TerminalJobError} when the name leads nowhere, out of `dataDir` or to something that is no
 *   regular file, or when the file is larger than `bytesMax`.
 */
export async function openDataFile(
  dataDir: string,
  { field, name, bytesMax }: NamedFile,
): Promise<FileHandle> {
  const path = await realPathInside(dataDir, name);
  if (path === null) throw new TerminalJobError(`${field} does not name a file in the data directory`);

  // Not a link any more, and opening must not wait should it be a pipe.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new TerminalJobError(`${field} does not name a file in the data directory`);
    if (stats.size > bytesMax) {
      throw new TerminalJobError(
        `${field} names a file of ${stats.size} bytes; at most ${bytesMax} are read`,
      );
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The place `name` leads to once every link is followed, `null` when that is not inside `dataDir`. */
async function realPathInside(dataDir: string, name: string): Promise<string | null> {
  const root = await realpath(dataDir);
  const path = await realpath(resolve(root, name)).catch((error: NodeJS.ErrnoException) => {
    if (NOWHERE.has(error.code ?? "")) return root;
    throw error;
  });
  const below = relative(root, path);
  const isInside = below !== "" && below !== ".." && !below.startsWith(`..${sep}`) && !isAbsolute(below);
  return isInside ? path : null;
}
