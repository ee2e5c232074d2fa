/**
 * One process that is measured or that helps to measure, started and ended by its own pid.
 *
 * Node programs get an IPC channel, by which they notice when the bench is gone; nothing else of the
 * bench's own process (loaders, conditions) is passed on.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Cleanup } from "./cleanup.ts";

const READY_MAX_MS = 20_000;
const STOP_MAX_MS = 15_000;
const LOG_CHARS_KEPT = 8_000;

export interface ChildOptions {
  /** Shown when something goes wrong. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Gets everything the process prints, and not just its end. */
  onOutput?(text: string): void;
}

export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<string>;
  #log = "";

  private constructor({ name, command, args, env, onOutput }: ChildOptions) {
    this.#name = name;
    const inherited = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" };
    const isNode = command === process.execPath;
    this.#process = spawn(command, [...args], {
      env: { ...inherited, ...env },
      stdio: isNode ? ["ignore", "pipe", "pipe", "ipc"] : ["ignore", "pipe", "pipe"],
    });
    // Read to the end of the process: a full pipe would stop it.
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString()).slice(-LOG_CHARS_KEPT);
        onOutput?.(chunk.toString());
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#process.once("error", (error) => resolve(`could not be started: ${error.message}`));
      this.#process.once("exit", (code, signal) => resolve(`ended with ${code ?? signal}`));
    });
  }

  static start(options: ChildOptions, cleanup: Cleanup): Child {
    const child = new Child(options);
    cleanup.add({ undo: () => child.stop(), undoNow: () => child.#process.kill("SIGKILL") });
    return child;
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw this.#failure("was not started");
    return this.#process.pid;
  }

  /** Waits for output that matches. @throws when the process ends first, or takes too long. */
  async untilPrinted(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#within(READY_MAX_MS, "was not ready in time", (resolve) => {
      const look = () => {
        const match = pattern.exec(this.#log);
        if (match !== null) resolve(match);
      };
      this.#process.stdout?.on("data", look);
      this.#process.stderr?.on("data", look);
      look();
    });
  }

  /** Sends one message and gives the one it is answered with. */
  async ask<Answer>(message: object, answerMaxMs: number): Promise<Answer> {
    return this.#within(answerMaxMs, "did not answer in time", (resolve) => {
      this.#process.once("message", (answer) => resolve(answer as Answer));
      this.#process.send(message);
    });
  }

  /** Resolves when the process has ended by itself with code 0. */
  async untilDone(): Promise<void> {
    const end = await this.#within(READY_MAX_MS, "did not end in time", (resolve) => {
      this.#process.once("exit", (code) => resolve(code));
    });
    if (end !== 0) throw this.#failure(`ended with ${end}`);
  }

  /** Asks the process to end and waits for it; one that does not is killed. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    if (this.#process.pid === undefined) return;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_MAX_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #within<Result>(
    maxMs: number,
    tooLate: string,
    act: (resolve: (result: Result) => void) => void,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#failure(tooLate)), maxMs);
      const settle = (end: () => void) => {
        clearTimeout(timer);
        end();
      };
      act((result) => settle(() => resolve(result)));
      // A result that is already on its way wins over the end of the process.
      this.#ended.then((how) => setImmediate(() => settle(() => reject(this.#failure(how)))), reject);
    });
  }

  #failure(what: string): Error {
    return new Error(`${this.#name} ${what}\n${this.#log}`.trimEnd());
  }
}
