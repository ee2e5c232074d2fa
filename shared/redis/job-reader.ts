/**
 * Reads jobs by their ids: everything of one, or the little that tells whether something has changed of many.
 *
 * One script call each, whose cost does not grow with the backlog. It knows no tenants: whoever answers a
 * request holds the view's tenant against the caller's. Nothing here waits for Redis to come back.
 */
import { RedisUnavailableError } from "../errors.ts";
import { queueOfJobId } from "../job-id.ts";
import type { JobState } from "../job-state.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import type { RedisConnection } from "./connection.ts";
import { findJob, type JobView, jobStateOf, type LocatedJob } from "./job-lookup.ts";
import { JOB_PLACES, type PlacedQueue, placedQueueOf, placesOf, queueArguments } from "./job-places.ts";
import { OUTCOME_IN } from "./stored-text.ts";

/** Jobs in one call: a call holds up every other client of Redis while it runs. */
export const GLANCE_JOBS_MAX = 200;

const FIELDS = [
  "name",
  "data",
  "timestamp",
  "delay",
  "processedOn",
  "finishedOn",
  "ats",
  "stc",
  "pb",
  "progress",
  "returnvalue",
] as const;

/** ARGV: prefix, one queue, job id. Returns the number of the place, the state, the score, then the fields. */
const FIND_JOB = `${JOB_PLACES}
local queues, at = queuesFrom(2)
local found = mostTelling(queues[1], ARGV[at])
if not found then return {} end
local reply = redis.call("HMGET", found.key, ${FIELDS.map((name) => `"${name}"`).join(", ")})
return {found.at, found.state, found.due, reply}
`;

/**
 * ARGV: prefix, queues, then of each job the number of its queue and its id. Returns of each job "" when it is
 * in no place, or its place, its state, the outcome of a completed one, and what changes when something does.
 */
const GLANCE_AT_JOBS = `${JOB_PLACES}${OUTCOME_IN}
local queues, first = queuesFrom(2)
local reply = {}
for at = first, #ARGV, 2 do
  local found = mostTelling(queues[tonumber(ARGV[at])], ARGV[at + 1])
  if found then
    local facts = redis.call("HMGET", found.key, "ats", "stc", "progress", "returnvalue")
    local record = facts[3] or ""
    local mark = table.concat({found.due, facts[1] or "", facts[2] or "", #record, string.sub(record, -80)}, " ")
    local outcome = found.state == "completed" and outcomeIn(facts[4]) or ""
    reply[#reply + 1] = {found.at, found.state, outcome, mark}
  else
    reply[#reply + 1] = ""
  end
end
return reply
`;

/** What a look at many jobs tells of one. */
export interface Glance {
  readonly state: JobState;
  /** Another text when anything of the job has changed. */
  readonly mark: string;
}

interface ScriptedRedis extends RedisConnection {
  sluiceFindJob(...args: string[]): Promise<[] | [number, string, string, (string | null)[]]>;
  sluiceGlanceAtJobs(...args: string[]): Promise<("" | [number, string, string, string])[]>;
}

export class JobReader {
  readonly #redis: ScriptedRedis;
  readonly #prefix: string;
  readonly #registry: () => RegistryDocument;

  /** @param registry the newest copy of the registry. */
  constructor(redis: RedisConnection, prefix: string, registry: () => RegistryDocument) {
    this.#redis = redis as ScriptedRedis;
    this.#prefix = prefix;
    this.#registry = registry;
    redis.defineCommand("sluiceFindJob", { lua: FIND_JOB, numberOfKeys: 0, readOnly: true });
    redis.defineCommand("sluiceGlanceAtJobs", { lua: GLANCE_AT_JOBS, numberOfKeys: 0, readOnly: true });
  }

  /**
   * Everything of one job, `null` when no place of its queue has it.
   *
   * @throws {RedisUnavailableError}
   */
  async find(jobId: string): Promise<JobView | null> {
    const document = this.#registry();
    const finder = { find: (_places: readonly string[], id: string) => this.#locate(document, id) };
    return withRedis(() => findJob(finder, document, jobId));
  }

  /**
   * How each of at most `GLANCE_JOBS_MAX` jobs is, in their order; `null` for one that is in no place.
   *
   * @throws {RedisUnavailableError}
   */
  async glance(jobIds: readonly string[]): Promise<readonly (Glance | null)[]> {
    const document = this.#registry();
    const queues = new Map<string, { readonly number: number; readonly placed: PlacedQueue }>();
    const args: string[] = [];
    const asked = jobIds.map((jobId) => {
      const queue = queueOfJobId(jobId) ?? "";
      const placed = queues.get(queue)?.placed ?? placedQueueOf(document, queue);
      if (placed === null) return null;
      if (!queues.has(queue)) queues.set(queue, { number: queues.size + 1, placed });
      args.push(String(queues.get(queue)?.number), jobId);
      return placed;
    });
    const placed = [...queues.values()].map((it) => it.placed);
    const replies = await withRedis(() =>
      this.#redis.sluiceGlanceAtJobs(this.#prefix, ...queueArguments(placed), ...args),
    );
    let next = 0;
    return asked.map((it) => (it === null ? null : glanceOf(it, replies[next++] ?? "")));
  }

  async #locate(document: RegistryDocument, jobId: string): Promise<readonly LocatedJob[]> {
    const placed = placedQueueOf(document, queueOfJobId(jobId) ?? "");
    if (placed === null) return [];
    const reply = await this.#redis.sluiceFindJob(this.#prefix, ...queueArguments([placed]), jobId);
    if (reply.length === 0) return [];
    const [at, state, due, values] = reply;
    const place = placesOf(placed)[at - 1] ?? "";
    return [{ place, state, raw: factsOf(values), dueAtMs: due === "" ? null : dueAtMsOf(due) }];
  }
}

/** A delayed job's score holds the moment in milliseconds above twelve bits of order. */
export function dueAtMsOf(score: string): number {
  return Math.floor(Number(score) / 0x1000);
}

/** @throws {RedisUnavailableError} whatever the call failed with. */
export async function withRedis<Value>(call: () => Promise<Value>): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof RedisUnavailableError ? error : new RedisUnavailableError({ cause: error });
  }
}

function glanceOf(placed: PlacedQueue, reply: "" | [number, string, string, string]): Glance | null {
  if (reply === "") return null;
  const [at, state, outcome, mark] = reply;
  const place = placesOf(placed)[at - 1] ?? "";
  const jobState = jobStateOf({ place, state }, outcomeWord(outcome));
  return { state: jobState, mark: `${place} ${jobState} ${mark}` };
}

/** The outcome that a script found at the beginning of a return value. */
export function outcomeWord(
  text: string,
): { readonly outcome: "succeeded" | "expired" | "cancelled" } | null {
  return text === "expired" || text === "cancelled" ? { outcome: text } : null;
}

function factsOf(values: readonly (string | null)[]): LocatedJob["raw"] {
  const text = (name: (typeof FIELDS)[number]) => values[FIELDS.indexOf(name)] ?? undefined;
  const number = (name: (typeof FIELDS)[number]) => {
    const stored = text(name);
    return stored === undefined ? undefined : Number(stored);
  };
  return {
    name: text("name") ?? "",
    data: text("data") ?? "",
    timestamp: number("timestamp") ?? 0,
    delay: number("delay"),
    processedOn: number("processedOn"),
    finishedOn: number("finishedOn"),
    attemptsStarted: number("ats"),
    stalledCounter: number("stc"),
    processedBy: text("pb"),
    progress: text("progress"),
    returnvalue: text("returnvalue"),
  };
}
