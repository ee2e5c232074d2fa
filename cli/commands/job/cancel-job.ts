/** `sluice job cancel`: the job shall not run, or not go on. */
import { cancelAnswer, understood } from "../../answers.ts";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { isOutcomeUnknown, requestJson } from "../../http-client.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";

export interface CancelOptions {
  readonly why?: string;
}

/** @throws {CliError} when the job has ended, is not known, or the server is not reached. */
export async function cancelJob(
  jobId: string,
  { why }: CancelOptions,
  context: CommandContext,
): Promise<void> {
  const { apiUrl } = context.servers();
  const path = `/v1/jobs/${encodeURIComponent(jobId)}/cancel`;
  const raw = await send({ method: "POST", baseUrl: apiUrl, path, body: JSON.stringify({ why }) });
  const { state, cancelling } = understood(cancelAnswer, raw, "answer");
  const told = cancelling === true ? "is cancelled by its worker within seconds" : neutraliseLine(state);
  const text = `${context.paint.strong(neutraliseLine(jobId))}  ${told}\n`;
  context.answer({ kind: "JobCancelled", json: { job: raw }, text, exitCode: CLI_EXIT.ok });
}

/** What the server does twice it does once, so an answer that is lost is simply asked for again. */
async function send(request: Parameters<typeof requestJson>[0]): Promise<unknown> {
  try {
    return await requestJson(request);
  } catch (error) {
    if (!(error instanceof CliError) || !isOutcomeUnknown(error)) throw error;
    throw new CliError({
      ...error.failure,
      message: `It is not known whether the job is cancelled. ${error.failure.message}`,
      hint: "Run the same command again: it is safe.",
    });
  }
}
