/** `sluice gate get`: where the gates are, and whether they may rise. */
import { understood } from "../../answers.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import type { CommandContext } from "../context.ts";
import { type GateAnswer, gateAnswer, gatesAnswer } from "./gate-answer.ts";
import { withHint } from "./gate-refusals.ts";
import { showGate, showGates } from "./show-gate.ts";

/** @throws {CliError} when the type is not known or the control API is not reached. */
export async function getGates(type: string | undefined, context: CommandContext): Promise<void> {
  const { controlUrl } = context.servers();
  if (type !== undefined) {
    const { gate, raw } = await readGate(controlUrl, type);
    const text = showGate(gate, context.paint);
    context.answer({ kind: "Gate", json: { gate: raw }, text, exitCode: CLI_EXIT.ok });
    return;
  }
  const raw = await requestJson({ method: "GET", baseUrl: controlUrl, path: "/v1/gates" });
  const { gates } = understood(gatesAnswer, raw, "list of gates");
  const json = { gates: (raw as { gates: unknown }).gates };
  context.answer({ kind: "Gates", json, text: showGates(gates), exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} */
export async function readGate(
  baseUrl: string,
  type: string,
): Promise<{ readonly gate: GateAnswer; readonly raw: unknown }> {
  try {
    const raw = await requestJson({ method: "GET", baseUrl, path: gatePath(type) });
    return { gate: understood(gateAnswer, raw, "gate"), raw };
  } catch (error) {
    throw withHint(error, type);
  }
}

export function gatePath(type: string): string {
  return `/v1/gates/${encodeURIComponent(type)}`;
}
