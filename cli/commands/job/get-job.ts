/** `sluice job get`: everything that is known of one job. */
import { jobAnswer, understood } from "../../answers.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import type { CommandContext } from "../context.ts";
import { showJob } from "../show-job.ts";

/** @throws {CliError} when the job is not known or the server is not reached. */
export async function getJob(jobId: string, context: CommandContext): Promise<void> {
  const { apiUrl } = context.servers();
  const path = `/v1/jobs/${encodeURIComponent(jobId)}`;
  const raw = await requestJson({ method: "GET", baseUrl: apiUrl, path });
  const job = understood(jobAnswer, raw, "job");
  const text = showJob(jobId, job, context.paint);
  context.answer({ kind: "Job", json: { job: raw }, text, exitCode: CLI_EXIT.ok });
}
