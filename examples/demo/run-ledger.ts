/**
 * What really ran, written by the handlers themselves: a line at each start and end, in a file of this process.
 *
 * It is the side effect by which a job that ran twice is seen, whatever Sluice believes of it. Each line is one append,
 * so a killed process loses no line that a handler has written. It reads nothing.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface RunLine {
  readonly event: "start" | "end" | "child";
  readonly jobId: string;
  /** Starts of the job so far, this one included. */
  readonly starts: number;
  readonly attempt: number;
  readonly release: string;
  /** The version that the data was written as. */
  readonly schemaVersion: number;
  /** How an end came about. */
  readonly how?: "done" | "failed" | "aborted";
  /** Of a `child`: the job that this one's handler enqueued, once Redis had it. */
  readonly childId?: string;
}

export class RunLedger {
  readonly #directory: string;
  readonly #worker: string;
  #file: number | null = null;

  constructor(directory: string, worker: string) {
    this.#directory = directory;
    this.#worker = worker;
  }

  /** Is on its way to disk before this returns. @throws when the file cannot be written: a run that nobody saw is none. */
  write(line: RunLine): void {
    const atMs = Math.round(performance.timeOrigin + performance.now());
    writeSync(this.#open(), `${JSON.stringify({ ...line, worker: this.#worker, pid: process.pid, atMs })}\n`);
  }

  /** Which of all processes that share the directory and asked this one is, from 1. */
  place(): number {
    mkdirSync(this.#directory, { recursive: true });
    for (let place = 1; ; place += 1) {
      if (this.#take(join(this.#directory, `place-${place}`))) return place;
    }
  }

  #take(path: string): boolean {
    try {
      closeSync(openSync(path, "wx"));
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
      throw error;
    }
  }

  #open(): number {
    if (this.#file !== null) return this.#file;
    mkdirSync(this.#directory, { recursive: true });
    this.#file = openSync(join(this.#directory, `runs-${this.#worker}-${process.pid}.jsonl`), "a", 0o600);
    return this.#file;
  }
}
