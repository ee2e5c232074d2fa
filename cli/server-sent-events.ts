/** Reads server-sent events (WHATWG HTML, 9.2.6) as they come. Comments and hints to reconnect are left out. */
import { CliError } from "./cli-error.ts";
import { CLI_EXIT } from "./exit-codes.ts";

export interface ServerSentEvent {
  readonly event: string;
  /** Lines of data, joined. */
  readonly data: string;
}

/** Characters that may come without the end of an event. */
const PENDING_CHARS_MAX = 1024 * 1024;

/**
 * @param onBytes called with every piece that arrives, comments included: the server is there.
 * @throws {CliError} when an event does not end.
 */
export async function* serverSentEvents(
  body: AsyncIterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of body) {
    onBytes();
    pending += decoder.decode(chunk, { stream: true });
    const parts = pending.split(/\r?\n\r?\n/);
    pending = parts.pop() ?? "";
    if (pending.length > PENDING_CHARS_MAX) throw tooLong();
    for (const part of parts) {
      const event = eventIn(part);
      if (event !== null) yield event;
    }
  }
}

function eventIn(part: string): ServerSentEvent | null {
  const lines = part.split(/\r?\n/);
  const valuesOf = (field: string) =>
    lines.flatMap((line) =>
      line.startsWith(`${field}:`) ? [line.slice(field.length + 1).replace(/^ /, "")] : [],
    );
  const data = valuesOf("data");
  return data.length === 0 ? null : { event: valuesOf("event").at(-1) ?? "message", data: data.join("\n") };
}

function tooLong(): CliError {
  const message = `The server sent more than ${PENDING_CHARS_MAX} characters that are no event.`;
  return new CliError({ exitCode: CLI_EXIT.unexpected, code: "ANSWER_TOO_LARGE", message });
}
