/** Starts the open-loop load in a process of its own and asks it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface LoadKind {
  readonly name: string;
  /** Of all requests; the shares add up to 1. */
  readonly share: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Load {
  readonly ratePerSec: number;
  readonly seconds: number;
  readonly kinds: readonly LoadKind[];
  /** Send a refused request again when it was told to. */
  readonly obeys?: boolean;
}

export interface KindResult {
  readonly sent: number;
  readonly accepted: number;
  /** By the problem's code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly acceptedP50Ms: number | null;
  readonly acceptedP95Ms: number | null;
  readonly acceptedP99Ms: number | null;
  readonly rejectedP99Ms: number | null;
  readonly promises: number;
  readonly promiseErrorMedian: number | null;
}

export interface LoadResult {
  /** Requests that were never answered. */
  readonly owed: number;
  readonly kinds: Readonly<Record<string, KindResult>>;
}

const CONNECTIONS = 64;

export class OpenLoop {
  readonly #child: ChildProcess;
  readonly #port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(port: number): Promise<OpenLoop> {
    const script = fileURLToPath(new URL("./open-loop.mjs", import.meta.url));
    const child = fork(script, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    if (child.stdout !== null) await once(child.stdout, "data");
    return new OpenLoop(child, port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async run(load: Load): Promise<LoadResult> {
    this.#child.send({ connections: CONNECTIONS, port: this.#port, ...load });
    const [result] = (await once(this.#child, "message")) as [LoadResult];
    return result;
  }

  stop(): void {
    this.#child.kill("SIGTERM");
  }
}
