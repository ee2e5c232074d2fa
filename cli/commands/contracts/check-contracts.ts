/**
 * `sluice contracts check`: may the app's contracts be published next to the earlier ones, and what does it
 * mean for the rollout? Made for a pipeline: the exit code is the answer, the text is for whoever reads the log.
 */
import { understood } from "../../answers.ts";
import { CLI_EXIT, type CliExit } from "../../exit-codes.ts";
import { findBuild } from "../../find-build.ts";
import type { CommandContext } from "../context.ts";
import { DOCUMENTS_DIRECTORY } from "./contract-files.ts";
import { runContractTask } from "./contract-task.ts";
import { readDocuments } from "./read-documents.ts";
import { type ReportAnswer, reportAnswer } from "./report-answer.ts";
import { showReport } from "./show-report.ts";

export interface CheckOptions {
  /** A directory or a git ref. */
  readonly against: string;
  readonly app?: string;
  /** Directory of the documents, for a ref. */
  readonly contracts?: string;
  readonly allowBreaking?: boolean;
}

/** @throws {CliError} when no report could be made. */
export async function checkContracts(options: CheckOptions, context: CommandContext): Promise<void> {
  const { against, contracts = DOCUMENTS_DIRECTORY, allowBreaking = false } = options;
  const build = await findBuild(options.app, context);
  const documents = await readDocuments({ name: against, contracts }, context);
  const raw = await runContractTask("contracts-check", { build, input: { against: documents } }, context);
  const report = understood(reportAnswer, raw, "report");
  context.answer({
    kind: "ContractsCheck",
    json: { against, allowBreaking, report: raw },
    text: showReport(report, { against, allowBreaking }, context.paint),
    exitCode: exitCodeOf(report, allowBreaking),
  });
}

function exitCodeOf({ verdict }: ReportAnswer, allowBreaking: boolean): CliExit {
  switch (verdict) {
    case "allowed":
      return CLI_EXIT.ok;
    case "breaking":
      return allowBreaking ? CLI_EXIT.ok : CLI_EXIT.breaking;
    case "rejected":
      return CLI_EXIT.rejected;
  }
}
