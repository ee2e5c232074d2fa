/**
 * One holder to a directory of one machine.
 *
 * The lock is a file that names its holder by process id, the moment of that process's start and the machine's boot;
 * one whose holder has ended is replaced. Two that find the same dead lock may both replace it, so nobody counts as
 * its holder before it has lain there for a while, and the holder looks again right before each act.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "#shared/clock";
import { bootId, isRunning, startTicksOf } from "./machine.ts";

/** Long beside what lies between finding a dead lock and replacing it. */
const SETTLE_MS = 200;

const holder = z.object({ pid: z.int(), startTicks: z.number().nullable(), bootId: z.string() });

export class MachineLock {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #own = JSON.stringify({
    pid: process.pid,
    startTicks: startTicksOf(process.pid),
    bootId: bootId(),
  });
  #settledAtMs: number | null = null;

  constructor(directory: string, clock: Clock) {
    this.#path = join(directory, "keeper.lock");
    this.#clock = clock;
  }

  /** Whether it is held by this process now; tries to take it when it is free. Call it again until it is. */
  hold(): boolean {
    if (this.#read() === this.#own) {
      // A process of the same id cannot have left it: the moment of the start is in it.
      this.#settledAtMs ??= this.#clock.monotonicMs() + SETTLE_MS;
      return this.#clock.monotonicMs() >= this.#settledAtMs;
    }
    this.#settledAtMs = null;
    if (!isHeld(this.#read())) this.#take();
    return false;
  }

  /** Gives it back; safe when it is not held. */
  release(): void {
    this.#settledAtMs = null;
    if (this.#read() === this.#own) rmSync(this.#path, { force: true });
  }

  #take(): void {
    const draft = `${this.#path}.${process.pid}.tmp`;
    writeFileSync(draft, this.#own, { mode: 0o600 });
    try {
      rmSync(this.#path, { force: true });
      linkSync(draft, this.#path);
    } catch {
      // Another was quicker.
    } finally {
      rmSync(draft, { force: true });
    }
  }

  #read(): string | null {
    try {
      return readFileSync(this.#path, "utf8");
    } catch {
      return null;
    }
  }
}

function isHeld(text: string | null): boolean {
  if (text === null) return false;
  try {
    const found = holder.parse(JSON.parse(text));
    return found.bootId === bootId() && isRunning(found.pid, found.startTicks);
  } catch {
    return false;
  }
}
