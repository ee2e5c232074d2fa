/** A failure the command can explain: what happened and why, what to do about it, and how to exit. */
import { ConfigInvalidError } from "#shared/errors";
import { CLI_EXIT } from "./exit-codes.ts";

export interface CliFailure {
  /** An exit code of #cli/exit-codes, or one passed on from a process that `sluice dev` started. */
  readonly exitCode: number;
  /** Stable, safe to match on. */
  readonly code: string;
  /** What happened and why. May hold the server's words; whoever prints it neutralises it. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Further facts for the JSON form, such as the fields that were refused. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class CliError extends Error {
  readonly failure: CliFailure;

  constructor(failure: CliFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

export function usageError(message: string, hint?: string): CliError {
  return new CliError({
    exitCode: CLI_EXIT.usage,
    code: "USAGE",
    message,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What to say of any thrown value. */
export function failureOf(error: unknown): CliFailure {
  if (error instanceof CliError) return error.failure;
  if (error instanceof ConfigInvalidError) {
    const hint = "Correct what is listed and run it again.";
    return { exitCode: CLI_EXIT.usage, code: error.code, message: error.message, hint };
  }
  return {
    exitCode: CLI_EXIT.unexpected,
    code: "UNEXPECTED",
    message: `Something unexpected happened: ${error instanceof Error ? error.message : String(error)}`,
  };
}
