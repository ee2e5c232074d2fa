/**
 * The releases of the configuration file as it is now: a release that is added there can be started without a restart.
 *
 * Only `releases` is read anew, the rest of the file with the next start. A file that became invalid is told once, and
 * the list stays as it was. Who may write the file may run commands here already; nothing else brings any in.
 */
import { stat } from "node:fs/promises";
import type { Log } from "#shared/log";
import { type ReleaseConfig, readSluiceConfig, type SluiceConfig } from "#shared/sluice-config";

export interface ReleaseListPorts {
  readonly config: SluiceConfig;
  readonly log: Log;
}

export class ReleaseList {
  readonly #path: string;
  readonly #log: Log;
  #releases: readonly ReleaseConfig[];
  /** Of the file when it was read last. */
  #mark: string | null = null;
  #hasChanged = false;

  constructor({ config, log }: ReleaseListPorts) {
    this.#path = config.path;
    this.#log = log;
    this.#releases = config.releases;
  }

  get releases(): readonly ReleaseConfig[] {
    return this.#releases;
  }

  /** Answers whether the list has changed since this was asked last. Never rejects. */
  async look(): Promise<boolean> {
    await this.refresh();
    const hasChanged = this.#hasChanged;
    this.#hasChanged = false;
    return hasChanged;
  }

  /** Reads the file if it is another one than last time. Never rejects. */
  async refresh(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      const mark = `${mtimeMs}|${size}|${ino}`;
      if (mark === this.#mark) return;
      this.#mark = mark;
      const { releases } = await readSluiceConfig(this.#path);
      const before = this.#releases;
      if (JSON.stringify(releases) === JSON.stringify(before)) return;
      this.#releases = releases;
      this.#hasChanged = true;
      this.#log.info(
        { releases: releases.map(({ id }) => id) },
        "the releases of the configuration have changed",
      );
    } catch (error) {
      if (this.#mark !== UNREADABLE)
        this.#log.error({ err: error }, "the configuration cannot be read anew; its releases stay");
      if (isMissing(error)) this.#mark = UNREADABLE;
    }
  }
}

const UNREADABLE = "unreadable";

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** The configuration with the releases of `list` at any moment. */
export function withReleases(config: SluiceConfig, list: Pick<ReleaseList, "releases">): SluiceConfig {
  const { releases: _first, ...rest } = config;
  return {
    ...rest,
    get releases() {
      return list.releases;
    },
  };
}
