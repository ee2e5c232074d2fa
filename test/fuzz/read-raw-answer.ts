/** The first final answer in what a socket received; enough of HTTP/1.1 to judge it. Pure. */
import type { FuzzAnswer } from "./fuzz-request.ts";

/** `null` when there is none. */
export function answerIn(received: Buffer): FuzzAnswer | null {
  let text = received.toString("latin1");
  // Interim answers, such as 100 Continue, come before.
  while (/^HTTP\/1\.1 1\d\d /.test(text)) text = text.slice(text.indexOf("\r\n\r\n") + 4);
  const head = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(text);
  if (head === null) return null;
  const headers = Object.fromEntries(
    String(head[2])
      .split("\r\n")
      .filter((line) => line !== "")
      .map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
  );
  const rest = text.slice(head[0].length);
  const latin1 = headers["transfer-encoding"] === "chunked" ? unchunked(rest) : withinLength(rest, headers);
  return { status: Number(head[1]), headers, body: Buffer.from(latin1, "latin1").toString("utf8") };
}

function withinLength(rest: string, headers: Readonly<Record<string, string>>): string {
  const length = headers["content-length"];
  return length === undefined ? rest : rest.slice(0, Number(length));
}

function unchunked(text: string): string {
  let body = "";
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (end === -1 || !(size > 0)) return body;
    body += text.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
  return body;
}
