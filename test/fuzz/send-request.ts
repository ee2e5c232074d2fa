/** Sends a request over a real socket and reads what comes back, within a time. */
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import type { FuzzAnswer, FuzzOutcome, FuzzRequest } from "./fuzz-request.ts";
import { answerIn } from "./read-raw-answer.ts";

const ANSWER_TIMEOUT_MS = 15_000;

/** A stream is left after so long; a request of odd bytes is given so long for an answer. */
const GLIMPSE_MS = 150;
const BYTES_TIMEOUT_MS = 1_000;

export class Sender {
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(baseUrl: string, connections: number) {
    this.#url = new URL(baseUrl);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  async send(request: FuzzRequest): Promise<FuzzOutcome> {
    const startMs = performance.now();
    try {
      const answer = await (request.bytes === undefined
        ? this.#sendHttp(request)
        : this.#sendBytes(request.bytes));
      return { kind: "answer", answer, elapsedMs: performance.now() - startMs };
    } catch (error) {
      return { kind: "no-answer", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #sendHttp({ method, target, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        host: this.#url.hostname,
        port: this.#url.port,
        agent: this.#agent,
        method,
        path: target,
        headers: [...headers, ...lengthOf(method, body)].flat(),
        timeout: ANSWER_TIMEOUT_MS,
      } as unknown as RequestOptions);
      outgoing.on("response", (incoming) => readAnswer(incoming).then(resolve, reject));
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
      outgoing.on("error", reject);
      outgoing.end(body ?? undefined);
    });
  }

  #sendBytes(bytes: Buffer): Promise<FuzzAnswer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port) });
      socket.setTimeout(BYTES_TIMEOUT_MS, () => socket.destroy());
      socket.on("data", (chunk) => chunks.push(chunk));
      // Often the server has closed before all is written: what it said counts.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        const answer = answerIn(Buffer.concat(chunks));
        if (answer === null) reject(new Error("the connection ended without an answer"));
        else resolve(answer);
      });
      socket.end(bytes);
    });
  }
}

/** Told always: of some methods Node would send a body that nothing bounds. */
function lengthOf(method: string, body: Buffer | null): readonly (readonly [string, string])[] {
  if (body === null && !["POST", "PUT", "PATCH"].includes(method)) return [];
  return [["content-length", String(body?.length ?? 0)]];
}

function readAnswer(incoming: IncomingMessage): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    let body = "";
    const answer = (isPartial: boolean): FuzzAnswer => ({
      status: incoming.statusCode ?? 0,
      headers: Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      ),
      body,
      ...(isPartial && { isPartial }),
    });
    incoming.setEncoding("utf8");
    incoming.on("data", (chunk: string) => {
      body += chunk;
    });
    incoming.on("end", () => resolve(answer(false)));
    incoming.on("error", reject);
    if (incoming.headers["content-type"]?.startsWith("text/event-stream")) {
      setTimeout(() => {
        resolve(answer(true));
        incoming.destroy();
      }, GLIMPSE_MS);
    }
  });
}
