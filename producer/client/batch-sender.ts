/**
 * Hands in jobs by batches, and again those that were refused for now, and no others.
 *
 * Each job carries an id of its own, so it may be sent again in other company: a key of the whole batch would
 * speak of places in it. It never rejects: what goes wrong is said item by item, because other items of the
 * same call may be stored.
 */
import { SluiceClientError } from "./client-error.ts";
import { decideBatches } from "./decide-batches.ts";
import { decideRetry } from "./decide-retry.ts";
import { failedItem, type ItemResult, itemResultOf } from "./item-result.ts";
import { fieldsOf, type Transport } from "./transport.ts";

/** A job request as JSON text, and its place among the caller's items. */
export interface SerialJob {
  readonly index: number;
  readonly text: string;
}

interface Sending {
  readonly signal: AbortSignal | undefined;
  readonly startMs: number;
}

export class BatchSender {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** In the order of `jobs`; one batch after the other. */
  async send(jobs: readonly SerialJob[], signal?: AbortSignal): Promise<readonly ItemResult[]> {
    const results: ItemResult[] = [];
    let start = 0;
    for (const end of decideBatches(jobs.map(({ text }) => byteLength(text)))) {
      const sending = { signal, startMs: this.#transport.clock.monotonicMs() };
      results.push(...(await this.#sendBatch(jobs.slice(start, end), sending)));
      start = end;
    }
    return results;
  }

  async #sendBatch(jobs: readonly SerialJob[], sending: Sending): Promise<readonly ItemResult[]> {
    const results = new Map<number, ItemResult>();
    let open = jobs;
    for (let attempt = 1; open.length > 0; attempt += 1) {
      const answered = await this.#attempt(open, sending);
      for (const it of answered.results) results.set(it.index, withEarlier(it, results.get(it.index)));
      const delays = answered.mayGoOn ? this.#delaysOf(answered.results, attempt, sending) : NO_DELAYS;
      open = open.filter((it) => delays.has(it.index));
      if (open.length === 0) break;
      const slowestMs = Math.max(...delays.values());
      if ((await this.#transport.clock.sleep(slowestMs, sending.signal)) === "aborted") break;
    }
    return jobs.flatMap(({ index }) => results.get(index) ?? []);
  }

  /** @returns besides the results, whether the request as a whole was answered. */
  async #attempt(jobs: readonly SerialJob[], { signal, startMs }: Sending) {
    const { clock, retry } = this.#transport;
    try {
      const { value } = await this.#transport.call({
        method: "POST",
        path: "/v1/jobs/batch",
        enqueues: true,
        headers: { "content-type": "application/json" },
        body: `[${jobs.map(({ text }) => text).join(",")}]`,
        signal,
        timeoutMs: retry.timeoutMs - (clock.monotonicMs() - startMs),
      });
      return { results: resultsOf(jobs, value), mayGoOn: true };
    } catch (error) {
      if (!(error instanceof SluiceClientError)) throw error;
      return { results: jobs.map(({ index }) => failedItem(index, error)), mayGoOn: false };
    }
  }

  /** By index, how long to wait before an item is sent again; the others are not. */
  #delaysOf(
    results: readonly ItemResult[],
    attempt: number,
    { startMs }: Sending,
  ): ReadonlyMap<number, number> {
    const { clock, retry } = this.#transport;
    const elapsedMs = clock.monotonicMs() - startMs;
    const delays = new Map<number, number>();
    for (const { index, error } of results) {
      if (error === null || error.status === null) continue;
      const decision = decideRetry({ ...error, attempt, elapsedMs }, retry, this.#transport.random());
      if (decision.kind === "retry") delays.set(index, decision.delayMs);
    }
    return delays;
  }
}

const NO_DELAYS: ReadonlyMap<number, number> = new Map();

/** What was not known of an item stays so until it is accepted. */
function withEarlier(result: ItemResult, earlier: ItemResult | undefined): ItemResult {
  if (result.outcome !== "refused" || earlier?.outcome !== "unknown") return result;
  return { ...result, outcome: "unknown", error: result.error?.withOutcome("unknown") ?? null };
}

function resultsOf(jobs: readonly SerialJob[], value: unknown): readonly ItemResult[] {
  const { results } = fieldsOf(value);
  if (!Array.isArray(results) || results.length !== jobs.length) {
    throw new SluiceClientError({
      code: "ANSWER_UNREADABLE",
      message: `The server did not answer for each of the ${jobs.length} jobs`,
      outcome: "unknown",
    });
  }
  return jobs.map(({ index }, place) => itemResultOf(index, results[place]));
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
