/**
 * What the executor did and refused, a JSON line each, in its own directory: who told it, by epoch and sequence.
 *
 * For a person who asks later who started what. Bounded: of the lines before the last ones only one file is kept.
 */
import { appendFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";

const BYTES_MAX = 1_048_576;

export interface JournalLine {
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly what: "start" | "stop" | "refused" | "kept";
  readonly epoch: number;
  readonly sequence?: number;
  readonly queue?: string;
  readonly release?: string;
  readonly worker?: string;
  /** The highest epoch that was known when the command was refused. */
  readonly newest?: number | null;
  /** Why a request was refused that was no command. */
  readonly reason?: string;
}

export class ExecutorJournal {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, "journal.jsonl");
  }

  /** Never throws: a full disk keeps no worker from being started. */
  write(line: JournalLine): void {
    try {
      const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > BYTES_MAX) renameSync(this.#path, `${this.#path}.1`);
      appendFileSync(this.#path, `${JSON.stringify({ ...line, by: process.pid })}\n`, { mode: 0o600 });
    } catch {
      // What was done is in the log too.
    }
  }
}
