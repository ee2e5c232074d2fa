/** A server on loopback that answers line by line while lines come, as the batch route does. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { linesIn } from "#producer/client/read-lines";

export interface LineAsked {
  readonly id: string;
  readonly data: { readonly orderId: string };
}

export interface StreamingServer {
  readonly baseUrl: string;
  /** What came, by request. */
  readonly requests: LineAsked[][];
  readonly headers: IncomingHttpHeaders[];
}

/** The answer to one line; `null` cuts the connection instead; a promise holds the answer back. */
export type LineAnswering = (
  asked: LineAsked,
  place: { readonly request: number; readonly line: number },
) => unknown | null | Promise<unknown>;

export async function streamingServer(answer: LineAnswering): Promise<StreamingServer> {
  const requests: LineAsked[][] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    // A connection that the client or this server cuts.
    request.on("error", () => undefined);
    const lines: LineAsked[] = [];
    requests.push(lines);
    headers.push(request.headers);
    const number = requests.length;
    if (request.url === "/v1/jobs/batch" && request.headers["content-type"] === "application/json") {
      await answerArray(request, response, (it, line) => answer(it, { request: number, line }), lines);
      return;
    }
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.flushHeaders();
    await answerLines(request, response, (it, line) => answer(it, { request: number, line }), lines).catch(
      () => undefined,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, headers };
}

async function answerLines(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (asked: LineAsked, line: number) => unknown,
  lines: LineAsked[],
): Promise<void> {
  for await (const text of linesIn(Readable.toWeb(request) as ReadableStream<Uint8Array>)) {
    const asked = JSON.parse(text) as LineAsked;
    lines.push(asked);
    const told = await answer(asked, lines.length - 1);
    if (told === null) {
      response.destroy();
      return;
    }
    response.write(`${JSON.stringify(told)}\n`);
  }
  response.end();
}

async function answerArray(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (asked: LineAsked, line: number) => unknown,
  lines: LineAsked[],
): Promise<void> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  lines.push(...JSON.parse(body));
  const results = await Promise.all(lines.map(answer));
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ results }));
}
