/**
 * Reads CSV from a stream, row by row, and tallies its columns. The first line names the columns.
 *
 * Memory is bounded by the limits below and those of `column-tally.ts`, however long the file is.
 * Text is UTF-8; spaces around an unquoted field are not part of it.
 */
import { addAbortSignal, type Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { TerminalJobError } from "sluice/worker";
import { type ColumnSummary, ColumnTally } from "./column-tally.ts";

export interface CsvSummary {
  /** Lines with values: the header and empty lines do not count. */
  readonly rows: number;
  /** By name, in the order of the file. A column without a name is called `column_3` by its place. */
  readonly columns: Readonly<Record<string, ColumnSummary>>;
}

export interface ReadCsvOptions {
  readonly delimiter: string;
  /** Ends the reading between two rows. */
  readonly signal: AbortSignal;
}

export const COLUMNS_MAX = 32;
const ROW_CHARS_MAX = 65_536;

/**
 * @throws {TerminalJobError} when the stream is not CSV with a header and lines as long as the header.
 * @throws the signal's reason once it aborts.
 */
export async function readCsv(source: Readable, { delimiter, signal }: ReadCsvOptions): Promise<CsvSummary> {
  let rows = 0;
  let names: readonly string[] = [];
  let tallies: readonly ColumnTally[] = [];
  const records = parse({
    delimiter,
    bom: true,
    trim: true,
    skip_empty_lines: true,
    max_record_size: ROW_CHARS_MAX,
  });
  addAbortSignal(signal, records);
  source.once("error", (error) => records.destroy(error));
  try {
    for await (const record of source.pipe(records) as AsyncIterable<string[]>) {
      if (names.length === 0) {
        names = columnNames(record);
        tallies = names.map((_name, place) => new ColumnTally(place));
        continue;
      }
      rows += 1;
      for (const [place, value] of record.entries()) tallies[place]?.add(value);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CsvError ? malformed(error) : error;
  } finally {
    source.destroy();
  }
  if (names.length === 0)
    throw new TerminalJobError("the CSV file is empty: its first line names the columns");

  const summaries = names.map((name, place) => [name, tallies[place]?.summary()] as const);
  return { rows, columns: Object.fromEntries(summaries) as Record<string, ColumnSummary> };
}

/** @throws {TerminalJobError} */
function columnNames(header: readonly string[]): readonly string[] {
  if (header.length > COLUMNS_MAX) {
    throw new TerminalJobError(`the CSV file has ${header.length} columns; at most ${COLUMNS_MAX} are read`);
  }
  const names = header.map((name, place) => name || `column_${place + 1}`);
  const twice = names.findIndex((name, place) => names.indexOf(name) !== place);
  if (twice !== -1) {
    throw new TerminalJobError(`column ${twice + 1} of the CSV file has the name of a column before it`);
  }
  return names;
}

/** Says what is wrong and where by the parser's code: its message may quote the file. */
function malformed({ code, lines }: CsvError): TerminalJobError {
  const what = code.replace("CSV_", "").replaceAll("_", " ").toLowerCase();
  return new TerminalJobError(`the CSV file is malformed at line ${String(lines)}: ${what}`);
}
