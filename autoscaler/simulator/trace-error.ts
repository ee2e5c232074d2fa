/** The one error of reading traces. */
import { SluiceError } from "#shared/errors";

/** A file is not a load trace that can be read. */
export class TraceInvalidError extends SluiceError {
  readonly code = "TRACE_INVALID";
  readonly retryability = "terminal";
  /** As it was named. */
  readonly file: string;
  /** From 1, `null` for the file as a whole. */
  readonly line: number | null;

  constructor(file: string, { line, problem }: { readonly line: number | null; readonly problem: string }) {
    super(`The trace ${file}${line === null ? "" : `, line ${line}`}: ${problem}`);
    this.file = file;
    this.line = line;
  }
}
