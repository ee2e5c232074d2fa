/** Asks the control API about rollouts, and says of its refusals what to do. */
import { understood } from "../../answers.ts";
import { CliError } from "../../cli-error.ts";
import { isOutcomeUnknown, requestJson } from "../../http-client.ts";
import { type RolloutViewAnswer, rolloutViewAnswer } from "./rollout-answer.ts";

export interface ReadRollout {
  readonly view: RolloutViewAnswer;
  readonly raw: unknown;
}

export function rolloutPath(pool: string): string {
  return `/v1/rollouts/${encodeURIComponent(pool)}`;
}

/** @throws {CliError} when the pool never had one, or the control API is not reached. */
export async function readRollout(baseUrl: string, pool: string): Promise<ReadRollout> {
  try {
    const raw = await requestJson({ method: "GET", baseUrl, path: rolloutPath(pool) });
    return { view: understood(rolloutViewAnswer, raw, "rollout"), raw };
  } catch (error) {
    throw withRolloutHint(error, pool);
  }
}

/** @throws {CliError} */
export async function postRollout(
  { baseUrl, path, body }: { readonly baseUrl: string; readonly path: string; readonly body: object },
  pool: string,
): Promise<unknown> {
  try {
    return await requestJson({ method: "POST", baseUrl, path, body: JSON.stringify(body) });
  } catch (error) {
    throw withUnknown(withRolloutHint(error, pool), pool);
  }
}

function withRolloutHint(error: unknown, pool: string): unknown {
  if (!(error instanceof CliError)) return error;
  const { failure } = error;
  const hint = hintFor(failure.code, pool);
  return hint === null ? error : new CliError({ ...failure, ...withBlockers(failure), hint });
}

/** A write whose answer is lost may have been stored all the same. */
function withUnknown(error: unknown, pool: string): unknown {
  if (!(error instanceof CliError) || !isOutcomeUnknown(error)) return error;
  const { failure } = error;
  return new CliError({
    ...failure,
    message: `It is not known whether the rollout changed. ${failure.message}`,
    hint: `\`sluice rollout get ${pool}\` shows how it is; then decide again.`,
  });
}

function hintFor(code: string, pool: string): string | null {
  switch (code) {
    case "ROLLOUT_NOT_FOUND":
      return "`sluice rollout get` lists the pools that had one.";
    case "POOL_UNKNOWN":
      return "`sluice scale show` lists the pools.";
    case "ROLLOUT_BLOCKED":
      return `\`sluice rollout lint ${pool} --to <release>\` asks again without starting anything.`;
    case "ROLLOUT_STATE":
    case "ROLLOUT_CHANGED":
      return `\`sluice rollout get ${pool}\` shows how it is; then decide again.`;
    default:
      return null;
  }
}

/** What is in the way, one line each, where the server lists it. */
export function withBlockers(failure: CliError["failure"]): { readonly message: string } {
  const errors = (failure.details?.errors ?? []) as readonly { rule?: unknown; message: string }[];
  const { message } = failure;
  const isListed = failure.code === "ROLLOUT_BLOCKED" || failure.code === "RELEASE_NEEDED";
  if (!isListed || errors.length === 0) return { message };
  const [title = message] = message.split(":\n");
  const lines = errors.map((it) => `\n  - ${it.message}  (${String(it.rule ?? "?")})`);
  return { message: `${title}:${lines.join("")}` };
}
