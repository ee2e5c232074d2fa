/**
 * One keep-alive connection to a server on loopback that asks as cheaply as can be: on a machine of two cores a
 * costly load would be measured with what it loads.
 *
 * Knows only answers with a Content-Length, which all answers to single jobs have. Requests may be pipelined:
 * answers come in their order.
 */
import { connect } from "node:net";

const HEAD_END = "\r\n\r\n";

export class HttpConnection {
  #socket;
  #onAnswer;
  #held = "";

  /** `onAnswer(status, head, body)`; `onClosed()` when the server ends it. */
  constructor({ port, onAnswer, onClosed }) {
    this.#onAnswer = onAnswer;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text) => this.#take(text));
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", onClosed);
  }

  /** Sends one request, head and body as one text. */
  send(text) {
    this.#socket.write(text, "latin1");
  }

  close() {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #take(text) {
    const held = this.#held + text;
    let at = 0;
    for (;;) {
      const headEnd = held.indexOf(HEAD_END, at);
      if (headEnd === -1) break;
      const head = held.slice(at, headEnd);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + HEAD_END.length + length;
      if (end > held.length) break;
      const status = Number(head.slice(9, 12));
      if (status !== 100) this.#onAnswer(status, head, held.slice(end - length, end));
      at = end;
    }
    this.#held = held.slice(at);
  }
}

/** The text of a POST with a JSON body of ASCII. */
export function postOf({ port, path, headers = {}, body }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return (
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n${lines.join("")}\r\n${body}`
  );
}
