/** `sluice status`: asks the control API for everything, and says whether all is well. */
import { decisionsAnswer, fleetAnswer, lanesAnswer, understood } from "../answers.ts";
import { CliError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { requestJson, send } from "../http-client.ts";
import { problemsIn } from "../readiness.ts";
import type { CommandContext } from "./context.ts";
import { decideVerdict } from "./decide-verdict.ts";
import { showStatus } from "./show-status.ts";

const DECISIONS_SHOWN = 5;

/** @throws {CliError} when the control API is not reached. */
export async function status(options: { exitCode?: boolean }, context: CommandContext): Promise<void> {
  const { apiUrl, controlUrl } = context.servers();
  const get = (path: string) => requestJson({ method: "GET", baseUrl: controlUrl, path });
  const [rawFleet, rawLanes, rawDecisions, apiProblem] = await Promise.all([
    get("/v1/fleet"),
    get("/v1/lanes"),
    get(`/v1/scaling/decisions?limit=${DECISIONS_SHOWN}`),
    findApiProblem(apiUrl),
  ]);
  const fleet = understood(fleetAnswer, rawFleet, "fleet");
  const lanes = understood(lanesAnswer, rawLanes, "lanes");
  const { decisions } = understood(decisionsAnswer, rawDecisions, "decisions");
  const verdict = decideVerdict({ queues: lanes.queues, workers: fleet.workers, apiProblem });
  const newestFirst = decisions.toSorted((a, b) => (a.at < b.at ? 1 : -1)).slice(0, DECISIONS_SHOWN);
  const unhealthy = options.exitCode === true && verdict.kind !== "ok";
  context.answer({
    kind: "Status",
    json: { verdict, fleet: rawFleet, lanes: rawLanes, decisions: listOf(rawDecisions) },
    text: showStatus({ verdict, lanes, fleet, decisions: newestFirst }, context.paint),
    exitCode: unhealthy ? CLI_EXIT.unhealthy : CLI_EXIT.ok,
  });
}

/** The decisions as they came, out of their wrapping; `understood` has seen that they are there. */
function listOf(raw: unknown): unknown {
  return (raw as { decisions: unknown }).decisions;
}

async function findApiProblem(baseUrl: string): Promise<string | null> {
  try {
    const { status: code, value } = await send({ method: "GET", baseUrl, path: "/readyz", timeoutMs: 2_000 });
    return code === 200 ? null : `the API is not ready: ${problemsIn(value) ?? `it answered ${code}`}`;
  } catch (error) {
    return `the API is not reached: ${error instanceof CliError ? error.failure.message : String(error)}`;
  }
}
