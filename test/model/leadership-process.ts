/**
 * A process of the model: production code runs in it, and stands still at any await when it is paused or killed.
 *
 * Whatever the code waits for comes through the gate of its process: sleeps, answers of Redis, each step of a write to
 * disk, news of a child. Between two awaits nothing comes in, as in a real process that is stopped between two calls;
 * that a pause falls between two synchronous calls is not modelled. The fake machine below stands in for
 * `autoscaler/fleet/machine.ts`, the fake files for `node:fs/promises`: they find the process that calls by its context.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { renameSync, writeFileSync } from "node:fs";
import type { Clock, SleepOutcome } from "#shared/clock";
import type { FakeClock } from "#test/support/fake-clock";

const GIB = 1_073_741_824;

export class Gate {
  isPaused = false;
  isDead = false;
  #pauseIn: number | null = null;
  #waiting: (() => void)[] = [];

  /** Resolves while the process runs; never, once it is killed. */
  pass(): Promise<void> {
    if (this.#pauseIn !== null) {
      this.#pauseIn -= 1;
      if (this.#pauseIn < 0) this.pauseIn(0);
    }
    if (this.isDead) return new Promise(() => undefined);
    if (!this.isPaused) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Stands still after so many more awaits, 0 at once. One that stands still already does so. */
  pauseIn(awaits: number): void {
    if (this.isPaused) return;
    this.isPaused = awaits === 0;
    this.#pauseIn = awaits === 0 ? null : awaits;
  }

  resume(): void {
    this.isPaused = false;
    this.#pauseIn = null;
    for (const go of this.#waiting.splice(0)) go();
  }

  kill(): void {
    this.isDead = true;
    this.#waiting = [];
  }
}

/** What the code that runs may ask of its process. */
export interface Running {
  readonly gate: Gate;
  /** Tells it from all others, since all of them have this test's process id. */
  readonly ticks: number;
  readonly machine: ModelMachine;
}

export interface ModelMachine {
  readonly bootId: string;
  /** Moments of the start of the processes that are there, paused ones too. */
  readonly ticks: Set<number>;
  /** Ids of the workers' processes that are there. */
  readonly pids: Set<number>;
}

export const current = new AsyncLocalStorage<Running>();

function running(): Running {
  const found = current.getStore();
  if (found === undefined) throw new Error("code of the model runs outside a process");
  return found;
}

export const fakeMachine = {
  bootId: () => running().machine.bootId,
  startTicksOf: (pid: number) => (pid === process.pid ? running().ticks : pid),
  isRunning: (pid: number | null, ticks: number | null = null) => {
    const { machine } = running();
    if (pid === null) return false;
    return pid === process.pid ? ticks !== null && machine.ticks.has(ticks) : machine.pids.has(pid);
  },
  residentBytesOf: () => 100_000_000,
  machineMemory: () => ({ freeBytes: GIB, totalBytes: GIB }),
};

/** As much of it as the executor uses; nothing is synced, since the model's machines lose no power in a write. */
export const fakeFiles = {
  open: async (path: string) => {
    const { gate } = running();
    await gate.pass();
    return {
      writeFile: async (text: string) => {
        await gate.pass();
        writeFileSync(path, text);
      },
      sync: () => gate.pass(),
      close: () => gate.pass(),
    };
  },
  rename: async (from: string, to: string) => {
    const { gate } = running();
    await gate.pass();
    renameSync(from, to);
    await gate.pass();
  },
};

/** Time as a process sees it: what falls due while it stands still comes when it goes on. */
export class ProcessClock implements Clock {
  readonly #base: FakeClock;
  readonly #gate: Gate;

  constructor(base: FakeClock, gate: Gate) {
    this.#base = base;
    this.#gate = gate;
  }

  nowMs(): number {
    return this.#base.nowMs();
  }

  monotonicMs(): number {
    return this.#base.monotonicMs();
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<SleepOutcome> {
    const outcome = await this.#base.sleep(durationMs, signal);
    await this.#gate.pass();
    return outcome;
  }

  after(durationMs: number, act: () => void): () => void {
    let isCancelled = false;
    const cancel = this.#base.after(durationMs, () => {
      void this.#gate.pass().then(() => {
        if (!isCancelled) act();
      });
    });
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}
