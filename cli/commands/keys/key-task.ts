/**
 * Has the producer's task `keys` do something: JSON in, JSON out. It reaches Redis itself, so whoever may use
 * these commands is who may reach Redis; no key is asked for.
 */
import { z } from "zod";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { findRedisUrl } from "../../find-redis-url.ts";
import { exitCodeOfTask, runWorkerTask, type TaskEnd } from "../../worker-task.ts";
import type { CommandContext } from "../context.ts";

const TASK_MS_MAX = 30_000;

const keyView = z.object({
  keyId: z.string(),
  name: z.string(),
  tenant: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  createdBy: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  secrets: z.array(z.object({ createdAt: z.string(), expiresAt: z.string().nullable() })),
});

export type KeyView = z.output<typeof keyView>;

const keysAnswer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("keys"), keys: z.array(keyView) }),
  z.object({ kind: z.enum(["created", "rotated"]), key: keyView, apiKey: z.string() }),
  z.object({ kind: z.literal("revoked"), key: keyView }),
  z.object({ kind: z.literal("refused"), code: z.string(), message: z.string() }),
]);

export type KeysAnswer = Exclude<z.output<typeof keysAnswer>, { kind: "refused" }>;

const taskFailure = z.object({ code: z.string().nullable(), message: z.string() });

/** @throws {CliError} when it is refused, or gives no answer. */
export async function runKeysTask(request: object, context: CommandContext): Promise<KeysAnswer> {
  const redisUrl = await findRedisUrl(context);
  const signals = context.stopSignals();
  const end = await runWorkerTask(
    {
      command: context.producerCommand,
      task: "keys",
      cwd: context.cwd,
      env: { ...context.env, SLUICE_REDIS_URL: redisUrl },
      input: JSON.stringify(request),
      timeoutMs: TASK_MS_MAX,
    },
    { clock: context.clock, signals },
  );
  if (signals.stop.aborted)
    throw new CliError({ exitCode: CLI_EXIT.interrupted, code: "INTERRUPTED", message: "Interrupted." });
  if (end.code !== 0) throw failed(end);
  const answer = keysAnswer.safeParse(parsed(end.output)).data;
  if (answer === undefined) {
    const message = "The task did not answer as this version expects it.";
    throw new CliError({ exitCode: CLI_EXIT.unexpected, code: "ANSWER_UNREADABLE", message });
  }
  if (answer.kind === "refused") throw refused(answer);
  return answer;
}

function refused({ code, message }: { readonly code: string; readonly message: string }): CliError {
  const isMissing = code === "KEY_NOT_FOUND";
  return new CliError({
    exitCode: isMissing ? CLI_EXIT.notFound : CLI_EXIT.conflict,
    code,
    message,
    ...(isMissing && { hint: "`sluice keys list` shows the keys." }),
  });
}

function failed({ code, signal, complaint }: TaskEnd): CliError {
  const told = complaint
    .split("\n")
    .map((line) => taskFailure.safeParse(parsed(line)).data)
    .findLast((it) => it !== undefined);
  return new CliError({
    exitCode: exitCodeOfTask(code),
    code: told?.code ?? "TASK_FAILED",
    message: told?.message ?? `The task keys ended with ${code ?? signal}.`,
    // An answer that was lost may be that of a change that was made.
    hint: "`sluice keys list` shows whether something changed.",
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
