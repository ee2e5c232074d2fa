/**
 * Runs one `sluice` command in this process, against a server that answers what a test tells it to and a worker
 * that does what a test's script says.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { StopSignals } from "#cli/dev/stop-signals";
import { runCli } from "#cli/run-cli";
import type { Clock } from "#shared/clock";
import { systemClock } from "#shared/system-clock";

export const ESC = "\u001b";

export interface Canned {
  readonly status: number;
  readonly body: unknown;
  /** Sent as it is, instead of the body. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** By `METHOD /path`; of several the last stays. What is not there is answered with 404. */
export type Answers = Readonly<Record<string, Canned | readonly Canned[]>>;

export interface Told {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly answers?: Answers;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly signals?: StopSignals;
  /** Standard output is a terminal of this size. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** Hears what comes on standard error. */
  onNote?(text: string): unknown;
}

export interface Harness {
  /** A directory of the test file's own; commands run in it. */
  readonly directory: string;
  /** Bodies of the requests of the last run, in order. */
  readonly received: readonly unknown[];
  /** Authorization headers of the requests of the last run, in order; `null` of those without one. */
  readonly credentials: readonly (string | null)[];
  /** What `main.js <task>` does from now on: the text of a module. */
  workerIs(script: string): void;
  run(args: readonly string[], options?: RunOptions): Promise<Told>;
}

export const ok = (body: unknown): Canned => ({ status: 200, body });

/** The refusal of a server, as every server of Sluice words it. */
export function problem(status: number, code: string, more: object = {}): Canned {
  return { status, body: { code, title: `Refused as ${code}`, detail: `Because of ${code}.`, ...more } };
}

export function neverStopped(): StopSignals {
  return { stop: new AbortController().signal, insist: new AbortController().signal };
}

/** Sets up for the whole test file. */
export function cliHarness(): Harness {
  let received: unknown[] = [];
  let credentials: (string | null)[] = [];
  let queues = new Map<string, Canned[]>();
  const directory = mkdtempSync(join(tmpdir(), "sluice-cli-"));
  const workerMain = join(directory, "worker-main.mjs");
  const server = createServer((request, response) => {
    let body = "";
    credentials.push(request.headers.authorization ?? null);
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      if (body !== "") received.push(JSON.parse(body));
      const known = queues.get(`${request.method} ${request.url}`) ?? [];
      const answer = (known.length > 1 ? known.shift() : known[0]) ?? { status: 404, body: {} };
      response.writeHead(answer.status, answer.headers).end(answer.text ?? JSON.stringify(answer.body));
    });
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });
  return {
    directory,
    get received() {
      return received;
    },
    get credentials() {
      return credentials;
    },
    workerIs: (script) => writeFileSync(workerMain, script),
    run: async (
      args,
      { answers = {}, stdin = "", env = {}, clock = systemClock, signals, terminal, onNote } = {},
    ) => {
      received = [];
      credentials = [];
      queues = new Map(Object.entries(answers).map(([route, canned]) => [route, [canned].flat()]));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const [stdout, stderr] = [textSink(), textSink(onNote)];
      const exitCode = await runCli(args, {
        env: { PATH: process.env.PATH, SLUICE_URL: url, SLUICE_CONTROL_URL: url, ...env },
        stdout: Object.assign(stdout, terminal && { isTTY: true, ...terminal }),
        stderr,
        clock,
        version: "1.2.3",
        cwd: directory,
        workerCommand: [process.execPath, workerMain],
        producerCommand: [process.execPath, workerMain],
        autoscalerCommand: [process.execPath, workerMain],
        readStdin: async () => stdin,
        stopSignals: () => signals ?? neverStopped(),
        dev: async () => 0,
      });
      return { exitCode, stdout: stdout.text, stderr: stderr.text };
    },
  };
}

function textSink(hear: (text: string) => unknown = () => undefined) {
  return {
    text: "",
    write(piece: string) {
      this.text += piece;
      hear(piece);
    },
  };
}
