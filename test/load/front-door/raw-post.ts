/** One HTTP request on a connection of its own, which can be cut right after the request was written. */
import { connect } from "node:net";

export type RawAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  /** Cut by us, refused, reset, or closed without a whole answer. */
  | { readonly kind: "cut" | "broken" };

export interface RawPost {
  readonly port: number;
  readonly key: string;
  readonly body: string;
  /** Ends the connection as soon as the request has left this process. */
  readonly isCut: boolean;
}

const TIMEOUT_MS = 10_000;

/** Never rejects. */
export function rawPost({ port, key, body, isCut }: RawPost): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let answer = "";
    const head = [
      "POST /v1/jobs HTTP/1.1",
      `Host: 127.0.0.1:${port}`,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      `Idempotency-Key: "${key}"`,
      "Connection: close",
    ].join("\r\n");
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on("connect", () => {
      socket.write(`${head}\r\n\r\n${body}`, () => {
        if (isCut) socket.destroy();
      });
    });
    socket.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    // Said by "close" as well.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(isCut ? { kind: "cut" } : answerIn(answer)));
  });
}

function answerIn(text: string): RawAnswer {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  const length = /^content-length: (\d+)\r$/im.exec(text)?.[1];
  const body = text.slice(text.indexOf("\r\n\r\n") + 4);
  if (status === undefined || Buffer.byteLength(body) !== Number(length)) return { kind: "broken" };
  return { kind: "answered", status: Number(status), body: JSON.parse(body) };
}
