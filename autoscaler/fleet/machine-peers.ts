/**
 * The autoscalers that share a directory of the executor, as the directory has them: one empty file each, whose name
 * says which process it is. It asks nobody, so a stop knows whom it leaves the workers to also while Redis is away.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId, isRunning, startTicksOf } from "./machine.ts";

export class MachinePeers {
  readonly #directory: string;
  readonly #bootId = bootId() || "-";
  readonly #own = `${process.pid}_${startTicksOf(process.pid) ?? ""}_${this.#bootId}`;

  constructor(directory: string) {
    this.#directory = join(directory, "autoscalers");
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  join(): void {
    writeFileSync(join(this.#directory, this.#own), "", { mode: 0o600 });
  }

  /** From now on nobody leaves anything to this process. */
  leave(): void {
    rmSync(join(this.#directory, this.#own), { force: true });
  }

  /** Process id of another that runs, `null` when there is none. */
  other(): number | null {
    for (const name of readdirSync(this.#directory)) {
      const [pid = "", ticks = "", boot = ""] = name.split("_");
      if (name === this.#own) continue;
      const isThere = boot === this.#bootId && isRunning(Number(pid), ticks === "" ? null : Number(ticks));
      if (isThere) return Number(pid);
      rmSync(join(this.#directory, name), { force: true });
    }
    return null;
  }
}
