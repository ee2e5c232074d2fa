/** `sluice keys create`, `rotate` and `revoke`. A new key is shown once, on standard output. */
import { isKeyId } from "#shared/auth/api-key";
import { SCOPES } from "#shared/auth/caller";
import { KEY_NAME_PATTERN, TENANT_PATTERN } from "#shared/auth/key-document";
import { userAndMachine } from "../../actor.ts";
import { usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { type KeysAnswer, runKeysTask } from "./key-task.ts";
import { LIFETIME_RULE, parseLifetimeMs } from "./parse-lifetime.ts";
import { stateOf } from "./show-keys.ts";

export interface CreateOptions {
  readonly name: string;
  readonly tenant: string;
  readonly scope: string;
  readonly expires?: string;
}

/** @throws {CliError} */
export async function createKey(options: CreateOptions, context: CommandContext): Promise<void> {
  const name = matching("--name", options.name, KEY_NAME_PATTERN);
  const tenant = matching("--tenant", options.tenant, TENANT_PATTERN);
  const scopes = readScopes(options.scope);
  const lifetimeMs = options.expires === undefined ? null : readLifetime("--expires", options.expires);
  if (lifetimeMs === 0) throw usageError("--expires must be longer than nothing.");
  const request = { act: "create", name, tenant, scopes, lifetimeMs, by: userAndMachine() };
  answerWithKey(await runKeysTask(request, context), context);
}

/** @throws {CliError} */
export async function rotateKey(
  keyId: string,
  { overlap }: { readonly overlap: string },
  context: CommandContext,
): Promise<void> {
  const overlapMs = readLifetime("--overlap", overlap);
  const request = { act: "rotate", keyId: readKeyId(keyId), overlapMs, by: userAndMachine() };
  answerWithKey(await runKeysTask(request, context), context);
}

/** @throws {CliError} */
export async function revokeKey(keyId: string, context: CommandContext): Promise<void> {
  const request = { act: "revoke", keyId: readKeyId(keyId), by: userAndMachine() };
  const answer = await runKeysTask(request, context);
  if (answer.kind !== "revoked") throw new TypeError(`revoking is not answered by ${answer.kind}`);
  const { key } = answer;
  context.answer({
    kind: "Key",
    json: { key },
    text: neutraliseLine(`${key.keyId} (${key.name}) is revoked; servers follow within a second.`).concat(
      "\n",
    ),
    exitCode: CLI_EXIT.ok,
  });
}

function answerWithKey(answer: KeysAnswer, context: CommandContext): void {
  if (answer.kind !== "created" && answer.kind !== "rotated")
    throw new TypeError(`a new secret is not answered by ${answer.kind}`);
  const { key, apiKey } = answer;
  const [, before] = key.secrets;
  const facts = [
    ["key id", key.keyId],
    ["name", key.name],
    ["tenant", key.tenant],
    ["scopes", key.scopes.join(" ")],
    ["state", stateOf(key, context.clock.nowMs())],
    ...(answer.kind === "rotated" && before?.expiresAt
      ? [["secret before", `taken until ${before.expiresAt}`]]
      : []),
  ] as const;
  const lines = [
    context.paint.strong(neutraliseLine(apiKey)),
    ...facts.map(([name = "", fact = ""]) => `  ${name.padEnd(13)}  ${neutraliseLine(fact)}`),
    "  This is the only time that the key is shown. Programs take it from SLUICE_API_KEY; a browser asks for",
    `  ${key.keyId} as the user and what follows its id in the key as the password.`,
  ];
  context.answer({
    kind: "Key",
    json: { key, apiKey },
    text: `${lines.join("\n")}\n`,
    exitCode: CLI_EXIT.ok,
  });
}

/** @throws {CliError} */
function matching(option: string, given: string, pattern: RegExp): string {
  if (pattern.test(given)) return given;
  const rule =
    pattern === TENANT_PATTERN
      ? "1 to 63 lower-case letters, digits and dashes, with a letter first"
      : "1 to 63 lower-case letters, digits, dots, dashes and underscores, with a letter or digit first";
  throw usageError(`${option} must be ${rule}.`);
}

/** @throws {CliError} */
function readScopes(given: string): readonly string[] {
  const scopes = given.split(",").map((it) => it.trim());
  const known: readonly string[] = SCOPES;
  if (scopes.every((it) => known.includes(it))) return [...new Set(scopes)];
  throw usageError(`--scope must be one or several of ${SCOPES.join(", ")}, with commas between them.`);
}

/** @throws {CliError} */
function readLifetime(option: string, given: string): number {
  const lifetimeMs = parseLifetimeMs(given);
  if (lifetimeMs === null) throw usageError(`${option} ${LIFETIME_RULE}.`);
  return lifetimeMs;
}

/** @throws {CliError} A whole key must not get into a shell's history twice, so it is not shown again here. */
function readKeyId(given: string): string {
  if (isKeyId(given)) return given;
  throw usageError(
    "That is no key id.",
    "It is what stands between slk_ and the next _; `sluice keys list` shows them.",
  );
}
