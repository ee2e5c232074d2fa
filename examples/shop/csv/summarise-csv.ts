/** The handler of `csv.summarise`. It only reads, so running it again does no harm. */
import { type HandledJob, type HandlerContext, TerminalJobError } from "sluice/worker";
import { openDataFile } from "../files/data-file.ts";
import type { CsvData } from "./csv-contract.ts";
import { type CsvSummary, readCsv } from "./read-csv.ts";

const FILE_BYTES_MAX = 2 ** 30;
/** What Sluice keeps of a job's result. */
const RESULT_BYTES_MAX = 16 * 1024;

/** A handler that reads files of `dataDir`. */
export function csvSummariser(dataDir: string) {
  return async (job: HandledJob<CsvData>, { signal, log }: HandlerContext): Promise<CsvSummary> => {
    const { file: name, delimiter = "," } = job.data;
    const file = await openDataFile(dataDir, { field: "data.file", name, bytesMax: FILE_BYTES_MAX });
    const summary = await readCsv(file.createReadStream(), { delimiter, signal }).finally(() => file.close());

    if (Buffer.byteLength(JSON.stringify(summary)) > RESULT_BYTES_MAX) {
      throw new TerminalJobError("the summary is over 16 KiB: shorten the names of the columns");
    }
    log("summarised a CSV file", { rows: summary.rows, columns: Object.keys(summary.columns).length });
    return summary;
  };
}
