/**
 * The producer's task `keys`: makes, lists, rotates and revokes API keys, for whoever reaches Redis.
 *
 * One JSON request on standard input, one JSON answer on standard output, nothing else there; that answer is
 * the only place where a new key's text ever is. What was refused is an answer too; a failure is one line
 * `{ code, message, problems }` on standard error.
 */
import { z } from "zod";
import type { Clock } from "#shared/clock";
import { ConfigInvalidError, SluiceError } from "#shared/errors";
import { EXIT, exitCodeFor } from "#shared/exit-codes";
import { createLog } from "#shared/log";
import { processSettings, processVariables } from "#shared/process-env";
import { readConfig } from "#shared/read-config";
import { readTaskInput } from "#shared/read-task-input";
import { AuditStore } from "#shared/redis/audit-store";
import { connectFailingFast, disconnect, untilReady } from "#shared/redis/connection";
import { KeyStore } from "#shared/redis/key-store";
import { keysOf } from "#shared/redis/keys";
import { KeyOffice, type KeysAnswer, keysRequest } from "./key-office.ts";

/** The parts of the process that the task uses. */
export interface TaskProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: { write(text: string, done: (error?: Error | null) => void): unknown };
  readonly stderr: { write(text: string): unknown };
}

const INPUT_BYTES_MAX = 65_536;
const START_TIMEOUT_MS = 15_000;
/** Runs the task and gives the exit code: `ok` whenever there is an answer. */
export async function runKeysTask(task: TaskProcess, clock: Clock): Promise<number> {
  try {
    const answer = await answerTo(task, clock);
    await new Promise<void>((resolve, reject) => {
      task.stdout.write(`${JSON.stringify(answer)}\n`, (error) => (error ? reject(error) : resolve()));
    });
    return EXIT.ok;
  } catch (error) {
    task.stderr.write(`${JSON.stringify(failureOf(error))}\n`);
    return exitCodeFor(error);
  }
}

async function answerTo(task: TaskProcess, clock: Clock): Promise<KeysAnswer> {
  const config = readConfig(z.object(processVariables).transform(processSettings), task.env);
  const request = await readTaskInput(task.stdin, {
    name: "The request",
    schema: keysRequest,
    bytesMax: INPUT_BYTES_MAX,
  });
  const redis = connectFailingFast(config.redisUrl, "sluice-keys");
  try {
    await untilReady(redis, START_TIMEOUT_MS);
    const keys = keysOf(config.prefix);
    const log = createLog("keys", "info", task.stderr);
    const audit = new AuditStore({ redis, keys, clock, log });
    return await new KeyOffice(new KeyStore(redis, keys), audit, clock).answer(request);
  } finally {
    disconnect(redis);
  }
}

function failureOf(error: unknown): object {
  const problems = error instanceof ConfigInvalidError ? error.problems : [];
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof SluiceError ? error.code : null, message, problems };
}
