/** Which platform a demo hands its jobs to: the one that runs here, if it runs the demo's app, else one of its own. */
import { join } from "node:path";
import { typesAnswer, understood } from "../answers.ts";
import { CliError } from "../cli-error.ts";
import type { CommandContext } from "../commands/context.ts";
import { requestJson } from "../http-client.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";
import { DEMO_TYPE } from "./hand-in.ts";
import { type DemoPlatform, OwnPlatform } from "./own-platform.ts";

/** `null`: it was stopped before one ran. @throws {CliError} */
export async function findPlatform(
  context: CommandContext,
  { ledger }: { readonly ledger?: string | undefined },
): Promise<DemoPlatform | null> {
  const { apiUrl, controlUrl } = context.servers();
  const types = await runningTypes(apiUrl);
  if (types?.includes(DEMO_TYPE)) {
    const ledgerDir = ledger ?? join(context.cwd, ".sluice", "demo");
    context.note(neutraliseLine(`handing jobs to ${apiUrl}; its workers' ledger is read in ${ledgerDir}`));
    return { apiUrl, controlUrl, ledgerDir, stop: async () => undefined };
  }
  const why = types === null ? "nothing answers there" : `it does not run ${DEMO_TYPE}`;
  context.note(neutraliseLine(`not ${apiUrl}: ${why}; starting a platform of this demo's own`));
  return OwnPlatform.start(["demo-v1"], ownOptions(context));
}

export function ownOptions(context: CommandContext) {
  const { clock, env, paint, workerCommand } = context;
  return {
    clock,
    env,
    paint,
    workerCommand,
    signals: context.stopSignals(),
    note: (line: string) => context.note(line),
  };
}

async function runningTypes(apiUrl: string): Promise<readonly string[] | null> {
  try {
    const answer = await requestJson({
      method: "GET",
      baseUrl: apiUrl,
      path: "/v1/types",
      timeoutMs: 2_000,
    });
    return understood(typesAnswer, answer, "list of types").types.map((it) => it.type);
  } catch (error) {
    if (error instanceof CliError) return null;
    throw error;
  }
}
