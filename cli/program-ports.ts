/** What the command tree needs of whoever runs it; the parts of the tree are built with it. */
import type { Answer } from "./answer.ts";
import type { CommandContext } from "./commands/context.ts";
import type { ServerOptions } from "./config.ts";

export interface GlobalOptions extends ServerOptions {
  readonly json?: boolean;
  readonly color: boolean;
}

export interface ProgramPorts {
  readonly version: string;
  context(options: GlobalOptions): CommandContext;
  answer(answer: Answer): void;
  /** Runs until it is told to stop. */
  dev(options: GlobalOptions): Promise<void>;
}
