/**
 * What a running `sluice dev` leaves in its data directory for commands of the same directory: where its own
 * Redis is and which configuration it runs. Only its owner can read it, and it goes when the run ends. One
 * that a killed run left behind names a Redis that does not answer, so whoever reads it asks that first.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const devNote = z.object({
  /** `unix:///path/redis.sock` */
  redisUrl: z.string(),
  /** Absolute path of the file with queues, pools and releases. */
  configPath: z.string(),
});

export type DevNote = Readonly<z.output<typeof devNote>>;

const NAME = "dev.json";

export function writeDevNote(dataDir: string, note: DevNote): void {
  const path = join(dataDir, NAME);
  // The mode counts only for a file that is made anew.
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(note)}\n`, { mode: 0o600, flag: "wx" });
}

export function forgetDevNote(dataDir: string): void {
  rmSync(join(dataDir, NAME), { force: true });
}

/** `null` when there is none, or none that can be read. */
export function readDevNote(dataDir: string): DevNote | null {
  try {
    return devNote.parse(JSON.parse(readFileSync(join(dataDir, NAME), "utf8")));
  } catch {
    return null;
  }
}
