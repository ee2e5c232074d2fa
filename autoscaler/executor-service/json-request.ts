/**
 * One JSON request over HTTP/1.1, to an address or to a Unix socket: what the autoscaler asks its executor by, and the
 * executor its engine.
 *
 * Every request has a deadline and every answer a bound. It follows no redirect, keeps no connection and judges no
 * status.
 */
import { request } from "node:http";

/** Largest answer that is read. */
const ANSWER_BYTES_MAX = 8 * 1_048_576;

export interface JsonRequest {
  /** An `http://` address, or the absolute path of a Unix socket. */
  readonly server: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the whole exchange. */
  readonly timeoutMs: number;
}

export interface JsonAnswer {
  readonly status: number;
  /** The parsed body; `null` when it is empty or no JSON. */
  readonly body: unknown;
  readonly bytes: Buffer;
}

/** @throws as `node:http` does, and when the deadline passes or the answer is too long. */
export function requestJson({
  server,
  method,
  path,
  body,
  headers,
  timeoutMs,
}: JsonRequest): Promise<JsonAnswer> {
  const text = body === undefined ? null : JSON.stringify(body);
  const target = server.startsWith("/") ? { socketPath: server, host: "localhost" } : addressOf(server);
  return new Promise((resolve, reject) => {
    const sent = request({
      ...target,
      method,
      path,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        ...headers,
        ...(text === null
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      },
    });
    sent.once("error", reject);
    sent.once("response", (response) => {
      const pieces: Buffer[] = [];
      let length = 0;
      response.on("data", (piece: Buffer) => {
        length += piece.length;
        if (length > ANSWER_BYTES_MAX) sent.destroy(new Error(`${method} ${path}: the answer is too long`));
        else pieces.push(piece);
      });
      response.once("error", reject);
      response.once("end", () => {
        const bytes = Buffer.concat(pieces);
        resolve({ status: response.statusCode ?? 0, body: parsed(bytes), bytes });
      });
    });
    sent.end(text ?? undefined);
  });
}

function addressOf(server: string) {
  const { hostname, port } = new URL(server);
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? 80 : Number(port) };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return null;
  }
}
