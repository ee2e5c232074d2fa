/**
 * The handler of `receipt.render`.
 *
 * A job may run more than once. Text and file name come from the job alone and the file appears whole
 * or not at all, so a second run, even beside a first one that was given up, changes nothing.
 */
import type { HandledJob, HandlerContext } from "sluice/worker";
import { outputName, type WrittenFile, writeOutput } from "../files/output-file.ts";
import type { ReceiptData } from "./receipt-contract.ts";
import { receiptText } from "./receipt-text.ts";

/** A handler that writes receipts below `outputDir`. */
export function receiptRenderer(outputDir: string) {
  return async (job: HandledJob<ReceiptData>, { signal }: HandlerContext): Promise<WrittenFile> => {
    const { jobId, data } = job;
    const { orderId, email, total } = data;
    const text = receiptText({ orderId, email, total, reference: jobId });
    signal.throwIfAborted();
    return writeOutput(outputDir, `receipts/${outputName(["receipt", orderId, jobId], "txt")}`, text);
  };
}
