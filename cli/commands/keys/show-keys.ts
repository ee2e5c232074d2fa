/** `sluice keys list`: who may do what, and for how long. */
import { fromRfc3339 } from "#shared/system-clock";
import { CLI_EXIT } from "../../exit-codes.ts";
import { showDuration } from "../../terminal/show-duration.ts";
import { left, renderTable } from "../../terminal/table.ts";
import type { CommandContext } from "../context.ts";
import { type KeyView, runKeysTask } from "./key-task.ts";

const COLUMNS = ["KEY ID", "NAME", "TENANT", "SCOPES", "STATE", "CREATED", "BY"].map(left);

/** @throws {CliError} */
export async function listKeys(context: CommandContext): Promise<void> {
  const answer = await runKeysTask({ act: "list" }, context);
  if (answer.kind !== "keys") throw new TypeError(`a list is not answered by ${answer.kind}`);
  const nowMs = context.clock.nowMs();
  const rows = answer.keys.map((it) => [
    it.keyId,
    it.name,
    it.tenant,
    it.scopes.join(" "),
    stateOf(it, nowMs),
    it.createdAt,
    it.createdBy,
  ]);
  const text = rows.length === 0 ? "There is no key yet.\n" : `${renderTable(COLUMNS, rows).join("\n")}\n`;
  context.answer({ kind: "Keys", json: { keys: answer.keys }, text, exitCode: CLI_EXIT.ok });
}

export function stateOf({ revokedAt, expiresAt, secrets }: KeyView, nowMs: number): string {
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  const leftMs = expiresAt === null ? null : (fromRfc3339(expiresAt) ?? 0) - nowMs;
  if (leftMs !== null && leftMs <= 0) return `expired ${expiresAt}`;
  const older = secrets.some((it) => it.expiresAt !== null && (fromRfc3339(it.expiresAt) ?? 0) > nowMs);
  const live = leftMs === null ? "live" : `live, ${showDuration(leftMs)} left`;
  return older ? `${live}, rotating` : live;
}
