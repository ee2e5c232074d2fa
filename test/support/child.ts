/** A child process of a test: awaited by what it says or how it ends, signalled by its own pid. */
import { type ChildProcess, spawn } from "node:child_process";

export interface ChildOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child {
  readonly exited: Promise<ExitFacts>;
  readonly #process: ChildProcess;
  #output = "";
  #ended = false;
  readonly #watchers = new Set<() => void>();

  constructor({ args, env = {}, cwd }: ChildOptions) {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith("SLUICE_") && name !== "NODE_OPTIONS"),
    );
    this.#process = spawn(args[0] ?? "", args.slice(1), {
      env: { ...inherited, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
    });
    const hear = (chunk: Buffer) => {
      this.#output += chunk.toString();
      for (const watcher of this.#watchers) watcher();
    };
    this.#process.stdout?.on("data", hear);
    this.#process.stderr?.on("data", hear);
    this.exited = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => {
        this.#ended = true;
        for (const watcher of this.#watchers) watcher();
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Everything it has printed so far. */
  get output(): string {
    return this.#output;
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.#ended) this.#process.kill(signal);
  }

  /** Resolves with the first match in what the child prints; rejects when it ends or `timeoutMs` passes. */
  said(pattern: RegExp, timeoutMs = 15_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (act: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        act();
      };
      const look = () => {
        const match = pattern.exec(this.#output);
        if (match !== null) finish(() => resolve(match));
        else if (this.#ended)
          finish(() => reject(new Error(`ended without saying ${pattern}:\n${this.#output}`)));
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`did not say ${pattern} in ${timeoutMs} ms:\n${this.#output}`))),
        timeoutMs,
      );
      this.#watchers.add(look);
      look();
    });
  }
}
