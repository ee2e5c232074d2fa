/** `sluice fleet list`, and `drain`, `quarantine` and `run` of one worker. The leader orders it with its next round. */
import { z } from "zod";
import { readActor, readReason } from "../../actor.ts";
import { understood } from "../../answers.ts";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { showDuration } from "../../terminal/show-duration.ts";
import { left, renderTable, right, whole } from "../../terminal/table.ts";
import type { CommandContext } from "../context.ts";
import { type RolloutWorker, rolloutFleetAnswer } from "../rollout/rollout-answer.ts";

export interface HoldOptions {
  readonly why: string;
  readonly by?: string;
}

const hold = z.object({ worker: z.string(), order: z.string(), by: z.string(), why: z.string() });
const holdsAnswer = z.object({ holds: z.array(hold) });
const heldAnswer = z.object({ hold });

const COLUMNS = [
  whole("WORKER"),
  left("RELEASE"),
  left("QUEUE"),
  left("STATE"),
  right("BUSY/SLOTS"),
  right("HEARTBEAT"),
  left("INFO"),
  left("HELD"),
];

/** @throws {CliError} when the control API is not reached. */
export async function listFleet(context: CommandContext): Promise<void> {
  const { controlUrl } = context.servers();
  const get = (path: string) => requestJson({ method: "GET", baseUrl: controlUrl, path });
  const [rawFleet, rawHolds] = await Promise.all([get("/v1/fleet"), get("/v1/fleet/holds")]);
  const { workers } = understood(rolloutFleetAnswer, rawFleet, "fleet");
  const { holds } = understood(holdsAnswer, rawHolds, "list of held workers");
  const rows = workers.map((it) => rowOf(it, holds.find(({ worker }) => worker === it.worker) ?? null));
  const json = {
    workers: (rawFleet as { workers: unknown }).workers,
    holds: (rawHolds as { holds: unknown }).holds,
  };
  const text = rows.length === 0 ? "No worker runs.\n" : `${renderTable(COLUMNS, rows).join("\n")}\n`;
  context.answer({ kind: "Fleet", json, text, exitCode: CLI_EXIT.ok });
}

export interface HoldRequest {
  readonly worker: string;
  readonly order: "drain" | "quarantine" | "run";
}

/** @throws {CliError} when there is no such worker, or it is not known whether the order is stored. */
export async function holdWorker(
  { worker, order }: HoldRequest,
  options: HoldOptions,
  context: CommandContext,
): Promise<void> {
  const body = JSON.stringify({ why: readReason(options.why), by: readActor(options.by) });
  const path = `/v1/fleet/workers/${encodeURIComponent(worker)}/${order}`;
  const raw = await post({ baseUrl: context.servers().controlUrl, path, body });
  understood(heldAnswer, raw, "answer");
  const text = `${context.paint.strong(neutraliseLine(worker))}  ${WORDS[order]}, with the leader's next round\n`;
  const json = { hold: (raw as { hold: unknown }).hold };
  context.answer({ kind: "WorkerHeld", json, text, exitCode: CLI_EXIT.ok });
}

const WORDS = { drain: "drains", quarantine: "takes nothing", run: "takes jobs again" } as const;

async function post(request: { baseUrl: string; path: string; body: string }): Promise<unknown> {
  try {
    return await requestJson({ method: "POST", ...request });
  } catch (error) {
    if (!(error instanceof CliError) || error.failure.code !== "WORKER_NOT_FOUND") throw error;
    throw new CliError({ ...error.failure, hint: "`sluice fleet list` shows the workers." });
  }
}

function rowOf(worker: RolloutWorker, held: z.output<typeof hold> | null): string[] {
  return [
    worker.worker,
    worker.release,
    worker.queue,
    worker.state,
    `${worker.busy}/${worker.slots}`,
    showDuration(worker.heartbeatAgeMs),
    worker.reason ?? (worker.takes === "all" ? "-" : `takes ${worker.takes}`),
    held === null ? "-" : `${held.order} by ${held.by}: ${held.why}`,
  ];
}
