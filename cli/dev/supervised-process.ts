/**
 * One child process, kept running until it is stopped.
 *
 * Until `keepAlive` is called an end is final, because a process that cannot start will not start by
 * trying again. Afterwards an end is followed by a restart, later each time. The child leads a process
 * group of its own, so that a terminal's ^C reaches the supervisor alone; only its own pid is ever
 * signalled. Stopping is safe twice, before the start, and while a restart is pending.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "#shared/clock";
import { decideRestart, RESTART_POLICY } from "./decide-restart.ts";
import { readLines } from "./read-lines.ts";

export interface ProcessSpec {
  /** For messages: `producer`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Give it an IPC channel, by whose end it sees that we are gone. */
  readonly ipc: boolean;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not be started at all, else `null`. */
  readonly failure: string | null;
  readonly ranMs: number;
}

export interface ProcessPorts {
  readonly clock: Clock;
  /** A line of its output. */
  onLine(line: string): void;
  /** It ended by itself and is started again after `delayMs`. */
  onRestart(end: ProcessEnd, delayMs: number): void;
}

export interface StopPlan {
  /** Sent one after the other. */
  readonly signals: readonly NodeJS.Signals[];
  /** After this long it is killed. */
  readonly killAfterMs: number;
}

export class SupervisedProcess {
  readonly #spec: ProcessSpec;
  readonly #ports: ProcessPorts;
  readonly #stopping = new AbortController();
  #child: ChildProcess | null = null;
  #running: Promise<void> | null = null;
  #keptAlive = false;
  #finalEnd: ProcessEnd | null = null;

  constructor(spec: ProcessSpec, ports: ProcessPorts) {
    this.#spec = spec;
    this.#ports = ports;
  }

  get name(): string {
    return this.#spec.name;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** How it ended for good, `null` while it runs or is to be restarted. */
  get finalEnd(): ProcessEnd | null {
    return this.#finalEnd;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** From now on an end is followed by a restart. */
  keepAlive(): void {
    this.#keptAlive = true;
  }

  /** Resolves once it has ended; it is not started again. */
  async stop({ signals, killAfterMs }: StopPlan): Promise<void> {
    this.#stopping.abort();
    for (const name of signals) this.#child?.kill(name);
    const cancelKill = this.#ports.clock.after(killAfterMs, () => this.#child?.kill("SIGKILL"));
    await this.#running;
    cancelKill();
  }

  /** Resolves once it has ended for good. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    let endsBefore = 0;
    while (!this.#stopping.signal.aborted) {
      const end = await this.#runOnce();
      if (this.#stopping.signal.aborted || !this.#keptAlive) {
        this.#finalEnd = end;
        return;
      }
      const { delayMs, ends } = decideRestart({ endsBefore, ranMs: end.ranMs }, RESTART_POLICY);
      endsBefore = ends;
      this.#ports.onRestart(end, delayMs);
      await this.#ports.clock.sleep(delayMs, this.#stopping.signal);
    }
  }

  #runOnce(): Promise<ProcessEnd> {
    const { command, args, env, ipc } = this.#spec;
    const { clock, onLine } = this.#ports;
    const startedMs = clock.monotonicMs();
    const child = spawn(command, [...args], {
      env,
      detached: true,
      stdio: ipc ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) readLines(stream, onLine);
    }
    return new Promise((resolve) => {
      const end = (facts: Omit<ProcessEnd, "ranMs">) => {
        this.#child = null;
        resolve({ ...facts, ranMs: clock.monotonicMs() - startedMs });
      };
      child.once("error", (error) => {
        // The same event tells of a signal that could not be sent; then it still runs.
        if (child.pid === undefined) end({ code: null, signal: null, failure: error.message });
      });
      // Not "close": workers that outlive an autoscaler hold its output open.
      child.once("exit", (code, signal) => end({ code, signal, failure: null }));
    });
  }
}

/** How a process ended, in a few words. */
export function showEnd({ code, signal, failure }: ProcessEnd): string {
  if (failure !== null) return `could not be started: ${failure}`;
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}
