/** Jobs handed in over HTTP, and the ledger of what was accepted. */
import { setTimeout as delay } from "node:timers/promises";
import { type ComposeStack, PORTS } from "./stack.ts";

const BATCH = 250;
const READ_AT_ONCE = 16;

export interface Work {
  readonly count: number;
  readonly ms: number;
  readonly schemaversion?: 1 | 2;
}

/** Hands jobs in by turns through both doors, again until each is accepted; gives their ids. */
export async function handIn(stack: ComposeStack, { count, ms, schemaversion = 1 }: Work): Promise<string[]> {
  const ids: string[] = [];
  const name = `${Date.now()}`;
  for (let first = 0; first < count; first += BATCH) {
    const jobs = Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => {
      const data = { n: first + index, ms, ...(schemaversion === 2 ? { colour: "blue" } : {}) };
      // With an id of its own a job that is handed in again is the same job.
      return {
        id: `${name}-${first + index}`,
        source: "/compose-test",
        type: "probe.work",
        schemaversion,
        data,
      };
    });
    ids.push(...(await accepted(stack, jobs, (first / BATCH) % PORTS.producers.length)));
  }
  return ids;
}

async function accepted(stack: ComposeStack, jobs: readonly object[], turn: number): Promise<string[]> {
  let last = "nothing was answered";
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const port = PORTS.producers[(turn + attempt) % PORTS.producers.length] ?? 0;
    const answer = await stack
      .ask(port, "/v1/jobs/batch", jobs)
      .catch((error: Error) => ({ status: 0, body: error }));
    const results: { id?: string }[] = answer.body?.results ?? [];
    const ids = results.flatMap(({ id }) => id ?? []);
    if (ids.length === jobs.length) return ids;
    last = `${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`;
    await delay(500);
  }
  throw new Error(`a batch was not accepted: ${last}`);
}

/** States by their number; `missing` for jobs that are not known. */
export async function statesOf(stack: ComposeStack, ids: readonly string[]): Promise<Record<string, number>> {
  const states: Record<string, number> = {};
  const left = [...ids];
  const read = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const { status, body } = await again(() =>
        stack.ask(7700, `/v1/jobs/${encodeURIComponent(String(id))}`),
      );
      const state = status === 200 ? body.state : `missing (${status})`;
      states[state] = (states[state] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: READ_AT_ONCE }, read));
  return states;
}

async function again<Answer>(act: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (attempt >= 20) throw error;
      await delay(500);
    }
  }
}

/** Resolves when `check` gives something but null. @throws with what it said last when that takes too long. */
export async function until<Found>(
  what: string,
  ms: number,
  check: () => Promise<Found | null>,
): Promise<Found> {
  const deadline = Date.now() + ms;
  let last: unknown = null;
  while (Date.now() < deadline) {
    try {
      const found = await check();
      if (found !== null) return found;
    } catch (error) {
      last = error;
    }
    await delay(500);
  }
  throw new Error(`${what}: not within ${ms} ms`, { cause: last });
}
