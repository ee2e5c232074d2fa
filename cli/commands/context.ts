/** What a command gets beside its own options. */
import type { Clock } from "#shared/clock";
import type { Answer } from "../answer.ts";
import type { Servers } from "../config.ts";
import type { Painter } from "../terminal/colour.ts";

export interface CommandContext {
  readonly clock: Clock;
  readonly paint: Painter;
  /** @throws {CliError} when an address is wrong. */
  servers(): Servers;
  readStdin(): Promise<string>;
  /** Gives the command's answer; called once. */
  answer(answer: Answer): void;
}
