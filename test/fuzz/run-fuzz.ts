/** A run: makes requests, sends several at a time, judges the answers, and tells what it found. */
import type { OpenApiDocument } from "#shared/http/openapi-document";
import { DocumentChecks } from "./document-checks.ts";
import { FUZZ_CLASSES, type FuzzOutcome, type FuzzRequest, shownRequest } from "./fuzz-request.ts";
import { type Defect, type Judging, judgeAnswer } from "./judge-answer.ts";
import { type Making, makeRequest } from "./make-request.ts";
import { planOf } from "./operation-plan.ts";
import { Sender } from "./send-request.ts";
import { shrinkRequest } from "./shrink-request.ts";
import { WordPool } from "./word-pool.ts";

export interface FuzzOptions {
  readonly baseUrl: string;
  readonly requests: number;
  readonly seed: number;
  /** Requests on their way at once. */
  readonly connections: number;
  /** A key, where the server asks for one. */
  readonly apiKey?: string;
  readonly trueCodes?: readonly string[];
  /** Called now and then. */
  onProgress?(report: FuzzReport): void;
}

export interface FoundDefect extends Defect {
  readonly request: FuzzRequest;
  /** How often the same was found. */
  count: number;
}

export interface FuzzReport {
  sent: number;
  /** By operation, class and status ("–" for no answer). */
  readonly table: Map<string, number>;
  readonly defects: Map<string, FoundDefect>;
}

/** Different defects that are kept; one is enough to fail. */
const DEFECTS_MAX = 200;

const PROGRESS_EVERY = 1_000;

/** @throws {Error} when the server has no document. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { baseUrl, apiKey } = options;
  const words = new WordPool();
  const auth: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const document = (await readJson(`${baseUrl}/openapi.json`, auth)) as OpenApiDocument;
  words.learnTypes(await readJson(`${baseUrl}/v1/types`, auth).catch(() => null));
  const run = new Run(options, { document, words, auth });
  await run.all();
  return run.report;
}

class Run {
  readonly report: FuzzReport = { sent: 0, table: new Map(), defects: new Map() };
  readonly #options: FuzzOptions;
  readonly #making: Making;
  readonly #judging: Judging;
  readonly #sender: Sender;
  #next = 0;

  constructor(
    options: FuzzOptions,
    {
      document,
      words,
      auth,
    }: { document: OpenApiDocument; words: WordPool; auth: Readonly<Record<string, string>> },
  ) {
    const { seed, baseUrl, connections, trueCodes = [] } = options;
    this.#options = options;
    const headers = Object.entries({ host: new URL(baseUrl).host, ...auth });
    this.#making = { plan: planOf(document), words, seed, headers };
    this.#judging = { document, checks: new DocumentChecks(document), trueCodes: new Set(trueCodes) };
    this.#sender = new Sender(baseUrl, connections);
  }

  async all(): Promise<void> {
    try {
      await Promise.all(Array.from({ length: this.#options.connections }, () => this.#work()));
    } finally {
      this.#sender.close();
    }
  }

  async #work(): Promise<void> {
    while (this.#next < this.#options.requests) {
      const index = this.#next;
      this.#next += 1;
      await this.#one(index);
    }
  }

  async #one(index: number): Promise<void> {
    const request = makeRequest(this.#making, index);
    const outcome = await this.#sender.send(request);
    this.report.sent += 1;
    const status = outcome.kind === "answer" ? String(outcome.answer.status) : "–";
    const cell = JSON.stringify([request.operation, request.kind, status]);
    this.report.table.set(cell, (this.report.table.get(cell) ?? 0) + 1);
    for (const defect of judgeAnswer(request, outcome, this.#judging)) await this.#found(defect, request);
    this.#learn(outcome);
    if (this.report.sent % PROGRESS_EVERY === 0) this.#options.onProgress?.(this.report);
  }

  async #found(defect: Defect, request: FuzzRequest): Promise<void> {
    const key = keyOf(defect, request);
    const known = this.report.defects.get(key);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    if (this.report.defects.size >= DEFECTS_MAX) return;
    const found: FoundDefect = { ...defect, request, count: 1 };
    this.report.defects.set(key, found);
    const smallest = await shrinkRequest(request, async (smaller) => {
      const defects = judgeAnswer(smaller, await this.#sender.send(smaller), this.#judging);
      return defects.some((it) => keyOf(it, smaller) === key);
    });
    this.report.defects.set(key, { ...found, request: smallest, count: found.count });
  }

  #learn(outcome: FuzzOutcome): void {
    if (outcome.kind !== "answer" || outcome.answer.status >= 300) return;
    const { headers, body } = outcome.answer;
    const id = /^\/v1\/jobs\/(.+)$/.exec(headers.location ?? "")?.[1];
    if (id !== undefined) this.#making.words.add("id", decodeURIComponent(id));
    if (!headers["content-type"]?.includes("json") || body.length > 100_000) return;
    try {
      this.#making.words.learn(JSON.parse(body));
    } catch {
      // Lines, or told as a defect.
    }
  }
}

/** The same defect for the same operation, whatever values showed it. */
function keyOf({ kind, detail }: Defect, { operation, bytes }: FuzzRequest): string {
  return `${bytes === undefined ? operation : "any"} ${kind} ${detail.replace(/\d{4,}|\/\d+/g, "#").slice(0, 160)}`;
}

async function readJson(url: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

/** A row an operation, a column a class, in each cell the statuses with their numbers. */
export function shownTable({ table }: FuzzReport): string {
  const rows = new Map<string, Map<string, string[]>>();
  for (const [cell, count] of [...table].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [operation, kind, status] = JSON.parse(cell) as [string, string, string];
    const row = rows.get(operation) ?? new Map<string, string[]>();
    row.set(kind, [...(row.get(kind) ?? []), `${status}×${count}`]);
    rows.set(operation, row);
  }
  return [...rows]
    .map(([operation, row]) => {
      const cells = FUZZ_CLASSES.filter((it) => row.has(it)).map(
        (it) => `  ${it.padEnd(15)}${row.get(it)?.join(" ")}`,
      );
      return [operation, ...cells].join("\n");
    })
    .join("\n");
}

export function shownDefects({ defects }: FuzzReport): string {
  return [...defects.values()]
    .map(
      ({ kind, detail, count, request }) =>
        `${request.operation}: ${kind} (${count}×, number ${request.index}, ${request.kind})\n  ${detail}\n` +
        shownRequest(request).replace(/^/gm, "    "),
    )
    .join("\n\n");
}
