/** The `--data` of a job: JSON on the command line, `@file`, or `-` for standard input. */
import { readFile } from "node:fs/promises";
import { ENVELOPE_BYTES_MAX } from "#shared/envelope";
import { usageError } from "../cli-error.ts";

/**
 * The data as a value; whether it fits its schema is for the server to say.
 *
 * @throws {CliError} when it cannot be read, is too large for any job, or is not a JSON object.
 */
export async function readData(given: string, readStdin: () => Promise<string>): Promise<object> {
  const { text, where } = await textOf(given, readStdin);
  if (Buffer.byteLength(text) > ENVELOPE_BYTES_MAX) {
    const limit = `${ENVELOPE_BYTES_MAX} bytes with its envelope`;
    throw usageError(`The data ${where} is too large: a job may have ${limit}.`, "Send a reference instead.");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw usageError(
      `The data ${where} is not JSON: ${why}.`,
      'Give an object such as \'{"orderId":"o-1"}\'.',
    );
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw usageError(`The data ${where} must be a JSON object.`);
  }
  return value;
}

async function textOf(
  given: string,
  readStdin: () => Promise<string>,
): Promise<{ readonly text: string; readonly where: string }> {
  if (given === "-") return { text: await readStdin(), where: "on standard input" };
  if (!given.startsWith("@")) return { text: given, where: "given with --data" };
  const path = given.slice(1);
  try {
    return { text: await readFile(path, "utf8"), where: `in ${path}` };
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw usageError(`The file ${path} cannot be read (${why}).`);
  }
}
