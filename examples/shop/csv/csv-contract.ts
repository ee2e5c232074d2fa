/** `csv.summarise`: what is in the columns of a CSV file of the data directory. */
import { defineContract } from "sluice/worker";
import { z } from "zod";

const version1 = {
  version: 1,
  schema: z.looseObject({
    /** Path below the data directory, with forward slashes. */
    file: z.string().min(1).max(255),
    /** Between the fields of a line; a comma when missing. */
    delimiter: z.enum([",", ";", "\t", "|"]).optional(),
  }),
};

export type CsvData = z.output<typeof version1.schema>;

export const csvContract = defineContract({
  type: "csv.summarise",
  queue: "shop",
  // A file of the largest size takes minutes; one that failed three times will fail again.
  policy: { timeoutMs: 600_000, attempts: 3 },
  versions: [version1],
});
