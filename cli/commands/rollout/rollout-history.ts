/** `sluice rollout history`: a pool's earlier rollouts, and what happened in all of them. */
import { understood } from "../../answers.ts";
import { usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import type { CommandContext } from "../context.ts";
import { rolloutPath } from "./read-rollout.ts";
import { pastRolloutsAnswer, recordsAnswer } from "./rollout-answer.ts";
import { showPast } from "./show-rollout.ts";

export interface HistoryOptions {
  readonly limit?: string;
}

/** @throws {CliError} when the control API is not reached. */
export async function rolloutHistory(
  pool: string,
  { limit = "50" }: HistoryOptions,
  context: CommandContext,
): Promise<void> {
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > 500) {
    throw usageError("--limit must be a whole number from 1 to 500.");
  }
  const { controlUrl } = context.servers();
  const get = (path: string) =>
    requestJson({ method: "GET", baseUrl: controlUrl, path: `${rolloutPath(pool)}/${path}` });
  const [rawPast, rawRecords] = await Promise.all([get("history"), get(`records?limit=${limit}`)]);
  const { rollouts } = understood(pastRolloutsAnswer, rawPast, "list of rollouts");
  const { records } = understood(recordsAnswer, rawRecords, "records");
  const json = {
    pool,
    rollouts: (rawPast as { rollouts: unknown }).rollouts,
    records: (rawRecords as { records: unknown }).records,
  };
  const text = showPast(rollouts, records);
  context.answer({ kind: "RolloutHistory", json, text, exitCode: CLI_EXIT.ok });
}
