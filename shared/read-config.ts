/**
 * Reads one process's configuration from its environment: all problems in one error, no value printed.
 *
 * A value may be a secret, so only names and rules are shown. An empty variable is a missing one:
 * compose passes an unset variable on as "", which coercion would read as 0. The address of Redis, which has a
 * password in it, may be in a file that the environment names.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { ConfigInvalidError } from "./errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigInvalidError} listing every variable that is wrong. */
export function readConfig<Schema extends z.ZodType>(schema: Schema, env: Environment): z.output<Schema> {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const result = schema.safeParse({ ...redisUrlOf(present), ...present });
  if (result.success) return result.data;
  throw new ConfigInvalidError("The environment", result.error.issues.map(problemOf));
}

/** @throws {ConfigInvalidError} when the file that is to hold the address cannot be read. */
function redisUrlOf({ SLUICE_REDIS_URL_FILE: path }: Environment): Record<string, string> {
  if (path === undefined) return {};
  try {
    return { SLUICE_REDIS_URL: readFileSync(path, "utf8").trim() };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it failed";
    throw new ConfigInvalidError("The environment", [
      `SLUICE_REDIS_URL_FILE: the file cannot be read (${code}); name one that this user may read`,
    ]);
  }
}

function problemOf(issue: z.core.$ZodIssue): string {
  return `${issue.path.join(".") || "(environment)"}: ${issue.message}`;
}

/** A whole number between `min` and `max`, both allowed. */
export function count(min: number, max: number) {
  return z
    .string()
    .regex(/^[0-9]+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
}

/** A length of time in whole milliseconds. */
export function durationMs(min: number, max: number) {
  return count(min, max);
}

/** `true`/`false`, `1`/`0`, `yes`/`no`. */
export function flag() {
  return z.stringbool();
}
