/** `sluice release retire`: enters a release as retired, or names everything that is in the way. */
import { z } from "zod";
import { readActor, readReason } from "../../actor.ts";
import { understood } from "../../answers.ts";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { withBlockers } from "../rollout/read-rollout.ts";

export interface RetireOptions {
  readonly why: string;
  readonly by?: string;
}

const retiredAnswer = z.object({ release: z.string(), retired: z.boolean() });

/** @throws {CliError} naming what is in the way, when it may not retire. */
export async function retireRelease(
  id: string,
  options: RetireOptions,
  context: CommandContext,
): Promise<void> {
  const body = JSON.stringify({ why: readReason(options.why), by: readActor(options.by) });
  const raw = await post(context.servers().controlUrl, { id, body });
  const { retired } = understood(retiredAnswer, raw, "answer");
  const said = retired ? "retired" : "was retired already";
  const text = `${context.paint.strong(neutraliseLine(id))}  ${said}; take it out of the configuration too\n`;
  context.answer({ kind: "ReleaseRetired", json: { release: raw }, text, exitCode: CLI_EXIT.ok });
}

async function post(baseUrl: string, { id, body }: { readonly id: string; readonly body: string }) {
  const path = `/v1/releases/${encodeURIComponent(id)}/retire`;
  try {
    return await requestJson({ method: "POST", baseUrl, path, body });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const { failure } = error;
    if (failure.code === "RELEASE_NEEDED") {
      const hint = `\`sluice release get ${id}\` shows the same as it changes.`;
      throw new CliError({ ...failure, ...withBlockers(failure), hint });
    }
    if (failure.code !== "RELEASE_NOT_FOUND") throw error;
    throw new CliError({ ...failure, hint: "`sluice release list` shows the releases." });
  }
}
