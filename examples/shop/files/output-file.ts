/**
 * Files a handler makes: whole or absent, at a name that only the job decides.
 *
 * A run may end at any line, or overlap with a later run of the same job. So the bytes go to a
 * temporary file of this run first and are moved into place in one step: a reader never sees half a
 * file, and the last run to finish wins with the same bytes.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface WrittenFile {
  /** Path below the output directory, with forward slashes. */
  readonly file: string;
  readonly bytes: number;
}

/**
 * A file name from parts that may be hostile: each is percent-encoded, so that no part can hold a
 * separator, and joined by a sign that encoding leaves in none, so that different parts never give the
 * same name. The first part is the kind of file, which keeps the name from being `.` or `..`.
 */
export function outputName(parts: readonly [kind: string, ...others: string[]], extension: string): string {
  return `${parts.map(encodeURIComponent).join("+")}.${extension}`;
}

/** Writes `content` to `file` below `outputDir`; both are made when they are missing. */
export async function writeOutput(
  outputDir: string,
  file: string,
  content: string | Uint8Array,
): Promise<WrittenFile> {
  const path = join(outputDir, file);
  const temporaryPath = `${path}.${randomUUID()}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(temporaryPath, content, { flag: "wx", flush: true });
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
  return { file, bytes: Buffer.byteLength(content) };
}
