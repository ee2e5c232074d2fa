/**
 * Reads what the demo's handlers have written: every `runs-*.jsonl` of a directory.
 *
 * A line that a killed process left half written is left out; it can only be the last of its file.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { RunLine } from "./decide-ledger.ts";

const runLine = z.object({
  event: z.enum(["start", "end", "child"]),
  jobId: z.string(),
  starts: z.int(),
  release: z.string(),
  schemaVersion: z.int(),
  worker: z.string(),
  how: z.enum(["done", "failed", "aborted"]).optional(),
  childId: z.string().optional(),
  atMs: z.number(),
});

/** In the order of each file; none when the directory is not there. @param sinceMs older lines are left out. */
export async function readRunLines(directory: string, sinceMs = 0): Promise<readonly RunLine[]> {
  const names = await readdir(directory).catch(() => []);
  const files = names.filter((name) => name.startsWith("runs-") && name.endsWith(".jsonl"));
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), "utf8")));
  return texts.flatMap((text) => text.split("\n").flatMap(parsed)).filter((it) => it.atMs >= sinceMs);
}

function parsed(line: string): RunLine[] {
  if (line === "") return [];
  try {
    return [runLine.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
