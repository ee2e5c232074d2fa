/** Reads server-sent events (WHATWG HTML, 9.2.6) from a response's body. Comments and retry hints are left out. */
import { linesIn } from "./read-lines.ts";

export interface ServerSentEvent {
  /** "message" where the server names none. */
  readonly event: string;
  /** The last id that the server gave, "" before the first. */
  readonly id: string;
  /** Lines of data, joined. */
  readonly data: string;
}

export async function* serverSentEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const parser = new EventParser();
  for await (const line of linesIn(body)) {
    const event = parser.take(line);
    if (event !== null) yield event;
  }
}

class EventParser {
  #event = "";
  #id = "";
  #data: string[] = [];

  /** The event that `line` ends, else `null`. */
  take(line: string): ServerSentEvent | null {
    if (line === "") return this.#end();
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "data") this.#data.push(value);
    if (field === "event") this.#event = value;
    if (field === "id") this.#id = value;
    return null;
  }

  #end(): ServerSentEvent | null {
    const event = { event: this.#event || "message", id: this.#id, data: this.#data.join("\n") };
    const isEvent = this.#data.length > 0;
    this.#event = "";
    this.#data = [];
    return isEvent ? event : null;
  }
}
