/** What a command gets beside its own options. */
import type { Clock } from "#shared/clock";
import type { Answer } from "../answer.ts";
import type { Servers } from "../config.ts";
import type { StopSignals } from "../dev/stop-signals.ts";
import type { Painter } from "../terminal/colour.ts";
import type { LiveTerminal } from "../terminal/live-screen.ts";

export interface CommandContext {
  readonly clock: Clock;
  readonly paint: Painter;
  /** Where something can be drawn over itself; `null` in a pipe, and where JSON is asked for. */
  readonly live: LiveTerminal | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Paths that a person gives are relative to it. */
  readonly cwd: string;
  /** Program and arguments that start Sluice's own worker. */
  readonly workerCommand: readonly string[];
  /** The same of Sluice's own producer. */
  readonly producerCommand: readonly string[];
  /** The same of Sluice's own autoscaler. */
  readonly autoscalerCommand: readonly string[];
  /** @throws {CliError} when an address is wrong. */
  servers(): Servers;
  readStdin(): Promise<string>;
  /** Says something beside the answer, on standard error. Whoever calls it has neutralised strangers' text. */
  note(line: string): void;
  /** From the first call on, ^C asks this command to stop and no longer ends it. */
  stopSignals(): StopSignals;
  /** Gives the command's answer; called once. */
  answer(answer: Answer): void;
}
