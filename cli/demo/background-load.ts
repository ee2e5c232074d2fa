/** A load that goes on while something else is watched: begun, ended when asked, and closed to a ledger. */
import type { CommandContext } from "../commands/context.ts";
import type { LoadPlan } from "./decide-demo-jobs.ts";
import { HandIn } from "./hand-in.ts";
import type { DemoPlatform } from "./own-platform.ts";
import { type ClosedLedger, closeLedger } from "./run-load.ts";

type Surroundings = Pick<CommandContext, "clock" | "note" | "stopSignals">;

export class BackgroundLoad {
  /** For single jobs beside the load. */
  readonly handIn: HandIn;
  readonly #platform: DemoPlatform;
  readonly #context: Surroundings;
  readonly #over = new AbortController();
  readonly #sinceMs: number;
  #running: Promise<unknown> = Promise.resolve();
  #failure: unknown = null;

  constructor(platform: DemoPlatform, context: Surroundings) {
    this.#platform = platform;
    this.#context = context;
    this.#sinceMs = context.clock.nowMs();
    const stop = AbortSignal.any([this.#over.signal, context.stopSignals().stop]);
    this.handIn = new HandIn({ apiUrl: platform.apiUrl, clock: context.clock, stop });
  }

  begin(plan: LoadPlan): void {
    this.#running = this.handIn.run(plan).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Hands nothing more in. @throws {CliError} when the load has failed. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#running;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Ends it, waits for every job's end and counts. @throws {CliError} */
  async close(): Promise<ClosedLedger> {
    await this.end();
    const ports = { handIn: this.handIn, platform: this.#platform };
    return closeLedger({ ...ports, sinceMs: this.#sinceMs, context: this.#context });
  }
}
