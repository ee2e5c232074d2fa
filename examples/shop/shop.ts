/**
 * The shop's jobs, each a contract tied to its handler; `releases/` says which of them a build carries.
 *
 * The directories are parameters, so that tests give temporary ones.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineJob } from "sluice/worker";
import { csvContract } from "./csv/csv-contract.ts";
import { csvSummariser } from "./csv/summarise-csv.ts";
import { inUsDollars, receiptContract, receiptContractV1 } from "./receipts/receipt-contract.ts";
import { receiptRenderer } from "./receipts/render-receipt.ts";
import { thumbnailRenderer } from "./thumbnails/render-thumbnail.ts";
import { thumbnailContract } from "./thumbnails/thumbnail-contract.ts";

export interface ShopDirectories {
  /** Where the files lie that jobs name. */
  readonly dataDir: string;
  /** Where handlers write; made on first use. */
  readonly outputDir: string;
}

/** `data/` beside this file, and `.sluice/shop/` where the worker was started. */
export const SHOP_DIRECTORIES: ShopDirectories = {
  dataDir: fileURLToPath(new URL("./data/", import.meta.url)),
  outputDir: join(process.cwd(), ".sluice", "shop"),
};

export function createShop({ dataDir, outputDir }: ShopDirectories) {
  const renderReceipt = receiptRenderer(outputDir);
  return {
    receiptRenderV1: defineJob(receiptContractV1, (job, context) =>
      renderReceipt({ ...job, data: inUsDollars(job.data) }, context),
    ),
    receiptRender: defineJob(receiptContract, renderReceipt),
    csvSummarise: defineJob(csvContract, csvSummariser(dataDir)),
    thumbnailRender: defineJob(thumbnailContract, thumbnailRenderer({ dataDir, outputDir })),
  };
}
