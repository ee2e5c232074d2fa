/**
 * What an executor keeps on its own disk of the leaders that it has heard: the highest epoch, and what the leader of
 * each told it last.
 *
 * One file a term, `epoch-<n>.json`, and the highest number counts: a leader that was paused in the middle of writing
 * its own wakes up to an older number and can take nothing back. Written whole beside its place, synced, and renamed
 * into it. Files of earlier terms are removed. What cannot be read is never guessed at.
 *
 * Several processes of one machine may use the directory at the same time; only the leader of a term writes its file.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { EpochFileCorruptError, StaleEpochError } from "#shared/errors";

const NAME = /^epoch-(\d{1,15})\.json$/;

const told = z.strictObject({
  epoch: z.int().min(1),
  /** By pool, what was told of it last. */
  pools: z.record(
    z.string(),
    z.strictObject({
      sequence: z.int().min(0),
      /** Workers by release. */
      desired: z.record(z.string(), z.int().min(0)),
      /** Ids of workers of this machine that are there and do not count. */
      leaving: z.array(z.string()).default([]),
    }),
  ),
});

export type Told = z.output<typeof told>;

export class EpochFile {
  readonly #directory: string;

  /** @param directory must be there. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The highest epoch, 0 when there is none. Cheap: it reads names only. @throws as `node:fs` does. */
  highest(): number {
    return Math.max(0, ...this.#epochs());
  }

  /** What the newest leader told last, `null` before the first. @throws {EpochFileCorruptError} */
  read(): Told | null {
    const epoch = this.highest();
    return epoch === 0 ? null : this.#readOf(epoch);
  }

  /** What the leader of a term told last. @throws {EpochFileCorruptError} */
  readOf(epoch: number): Told | null {
    return this.#epochs().includes(epoch) ? this.#readOf(epoch) : null;
  }

  /**
   * Keeps what the leader of a term has told. Once it has resolved, no power failure brings back an earlier epoch.
   *
   * @throws {StaleEpochError} when a higher epoch is there, at the start or in the end.
   */
  async write(next: Told): Promise<void> {
    this.require(next.epoch);
    const path = this.#pathOf(next.epoch);
    const draft = `${path}.${process.pid}.tmp`;
    const file = await open(draft, "w", 0o600);
    try {
      await file.writeFile(JSON.stringify(next));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    const directory = await open(this.#directory, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    this.require(next.epoch);
    for (const epoch of this.#epochs()) {
      if (epoch < next.epoch) rmSync(this.#pathOf(epoch), { force: true });
    }
  }

  /** @throws {StaleEpochError} when a higher epoch is there. @throws {EpochFileCorruptError} */
  require(epoch: number): void {
    const highest = this.highest();
    if (highest > epoch) throw new StaleEpochError(epoch, highest);
    if (highest > 0) this.#readOf(highest);
  }

  #readOf(epoch: number): Told {
    const path = this.#pathOf(epoch);
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      // A newer leader has removed it since its name was read.
      const highest = this.highest();
      if (highest > epoch) throw new StaleEpochError(epoch, highest);
      throw error;
    }
    const result = told.safeParse(parsed(text));
    if (!result.success || result.data.epoch !== epoch) throw new EpochFileCorruptError(path);
    return result.data;
  }

  #epochs(): readonly number[] {
    return readdirSync(this.#directory).flatMap((name) => {
      const number = NAME.exec(name)?.[1];
      return number === undefined ? [] : [Number(number)];
    });
  }

  #pathOf(epoch: number): string {
    return join(this.#directory, `epoch-${epoch}.json`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
