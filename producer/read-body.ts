/** Reads a request body as JSON: once, strictly, and refusing what no schema can speak for. */
import { EnvelopeInvalidError, type Issue } from "#shared/errors";
import { findForbidden } from "#shared/json-walk";

/** @throws {EnvelopeInvalidError} when the text is empty, is no JSON, or holds what is refused everywhere. */
export function readBody(text: string): unknown {
  const value = parseBody(text);
  const forbidden = findForbidden(value);
  if (forbidden !== null) throw new EnvelopeInvalidError([forbidden]);
  return value;
}

/**
 * The same without a look inside, for a list whose items are looked at one by one.
 *
 * @throws {EnvelopeInvalidError} when the text is empty or is no JSON.
 */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (text.trim() === "") throw refusal({ rule: "body", message: "the body is empty; send a JSON object" });
    throw refusal({ rule: "json", message: `the body is not JSON: ${positionIn(text, error)}` });
  }
}

function refusal(issue: Omit<Issue, "pointer">): EnvelopeInvalidError {
  return new EnvelopeInvalidError([{ pointer: "", ...issue }]);
}

/** Where the parser gave up; its own message quotes the body, which stays out of answers and logs. */
function positionIn(text: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : "";
  const position = /at position (\d+)/.exec(reason)?.[1];
  if (Number(position) >= text.length || reason.startsWith("Unexpected end")) {
    return `it ends too early (after ${text.length} characters)`;
  }
  // For some characters the parser gives no position.
  if (position === undefined) return "unexpected character";
  const before = text.slice(0, Number(position)).split("\n");
  return `unexpected character in line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
