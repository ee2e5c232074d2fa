/** A server on loopback that answers as a test tells it to, and keeps what it was asked. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { createClient, type SluiceClient } from "#producer/client/index";
import type { Clock, SleepOutcome } from "#shared/clock";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Told {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** `cut`: the connection is closed without an answer. */
export type Answering = (asked: Asked, count: number) => Told | "cut" | Promise<Told | "cut">;

export interface ScriptedServer {
  readonly baseUrl: string;
  readonly asked: Asked[];
}

/** @param answer is asked for each request; `count` is its number, from 1. */
export async function scriptedServer(answer: Answering): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    request.setEncoding("utf8");
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url = "", headers } = request;
    const it = { method, url, headers, body };
    asked.push(it);
    tell(response, await answer(it, asked.length));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}`, asked };
}

/** Where somebody listened a moment ago. */
export async function addressOfNobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

function tell(response: ServerResponse, told: Told | "cut"): void {
  if (told === "cut") {
    response.destroy();
    return;
  }
  const { status, headers = {}, body } = told;
  const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}

/** A clock on which every wait is over at once, and which keeps how long each should have been. */
export class HastyClock implements Clock {
  readonly slept: number[] = [];
  #atMs = 0;

  nowMs(): number {
    return Date.UTC(2026, 0, 31, 12) + this.#atMs;
  }

  monotonicMs(): number {
    return this.#atMs;
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<SleepOutcome> {
    if (signal?.aborted) return "aborted";
    this.slept.push(durationMs);
    this.#atMs += durationMs;
    return "elapsed";
  }

  /** Nothing is ever late here. */
  after(): () => void {
    return () => undefined;
  }
}

export interface ScriptedClient extends ScriptedServer {
  readonly client: SluiceClient;
  readonly clock: HastyClock;
}

export async function scriptedClient(
  answer: Answering,
  options: Partial<Parameters<typeof createClient>[0]> = {},
): Promise<ScriptedClient> {
  const server = await scriptedServer(answer);
  const clock = new HastyClock();
  const client = createClient({ baseUrl: server.baseUrl, clock, random: () => 0.5, ...options });
  return { ...server, client, clock };
}

export const accepted: Told = {
  status: 202,
  headers: { location: "/v1/jobs/shop~a" },
  body: { id: "shop~a", type: "receipt.render", state: "waiting", outcome: "created" },
};

/** A refusal as the API sends it. */
export function refused(
  status: number,
  code: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Told {
  const body = { type: `urn:sluice:problem:${code.toLowerCase()}`, title: "No", status, code, ...more };
  return {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
    body: { detail: "It is refused.", outcome: "not_enqueued", ...body },
  };
}
