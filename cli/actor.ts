/** Who does what the registry notes: a name for people, nothing that is checked. */
import { hostname, userInfo } from "node:os";
import { usageError } from "./cli-error.ts";

/** Limits of the control API, told here with the option's name. */
const ACTOR_CHARS_MAX = 128;
const REASON_CHARS_MIN = 3;
const REASON_CHARS_MAX = 500;

/** `user@machine`. A container may run as a user without a name. */
export function userAndMachine(): string {
  let user = `uid-${process.getuid?.() ?? "unknown"}`;
  try {
    user = userInfo().username;
  } catch {
    // The number says as much as there is to say.
  }
  return `${user}@${hostname()}`.slice(0, ACTOR_CHARS_MAX);
}

/** @throws {CliError} */
export function readActor(given: string | undefined): string {
  return given === undefined ? userAndMachine() : readLine("--by", given, { min: 1, max: ACTOR_CHARS_MAX });
}

/** @throws {CliError} when it is none that a record can hold. */
export function readReason(given: string): string {
  return readLine("--why", given, { min: REASON_CHARS_MIN, max: REASON_CHARS_MAX });
}

function readLine(option: string, given: string, { min, max }: { min: number; max: number }): string {
  const text = given.trim();
  if (text.length >= min && text.length <= max && /^\P{Cc}*$/u.test(text)) return text;
  throw usageError(`${option} must be ${min} to ${max} characters on one line, without control characters.`);
}
