/**
 * Reads a load trace from a CSV file: counts of arrivals by bin, or requests one by one.
 *
 * Rows may be in any order and bins may be missing. A trace of counts is cut to its busiest 24 hours. Nothing is drawn
 * here: spreading arrivals and durations is workload.ts.
 */
import { readFile, stat } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import { findColumns } from "./trace-columns.ts";
import { readCounts } from "./trace-counts.ts";
import { TraceInvalidError } from "./trace-error.ts";
import type { Trace } from "./trace-model.ts";
import { readRequests } from "./trace-requests.ts";

const FILE_BYTES_MAX = 512 * 1024 * 1024;

/** Rows that are looked at to tell what a column is. */
const SAMPLE_ROWS = 200;

/** @throws {TraceInvalidError} naming the file, the line, the rule and the fix. */
export async function readTrace(file: string): Promise<Trace> {
  let text: string;
  try {
    if ((await stat(file)).size > FILE_BYTES_MAX) throw new Error("it is larger than 512 MiB");
    text = await readFile(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TraceInvalidError(file, { line: null, problem: `it cannot be read (${why}).` });
  }
  return parseTrace(file, text);
}

/** @throws {TraceInvalidError} as {@link readTrace}. `file` is only for the message. */
export function parseTrace(file: string, text: string): Trace {
  const [header = [], ...rows] = cellsOf(file, text);
  if (rows.length === 0) {
    const problem = "it has no rows. It needs a header line and one line for each bin or request.";
    throw new TraceInvalidError(file, { line: null, problem });
  }
  const columns = findColumns(header, rows.slice(0, SAMPLE_ROWS));
  if (typeof columns === "string") throw new TraceInvalidError(file, { line: 1, problem: columns });
  const table = { file, header, rows };
  return columns.count === null
    ? readRequests(table, columns)
    : readCounts(table, columns.time, columns.count);
}

function cellsOf(file: string, text: string): readonly (readonly string[])[] {
  const [firstLine = ""] = text.split("\n", 1);
  const delimiter =
    [",", ";", "\t", "|"].toSorted((a, b) => firstLine.split(b).length - firstLine.split(a).length)[0] ?? ",";
  try {
    return parse(text, {
      bom: true,
      delimiter,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      comment: "#",
      comment_no_infix: true,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TraceInvalidError(file, { line: null, problem: `it is not CSV: ${why}.` });
  }
}
