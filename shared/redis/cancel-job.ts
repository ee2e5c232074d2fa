/**
 * Cancels a job in a single step if it is not running, wherever it lies: waiting, scheduled or parked.
 *
 * The job stays where it is as one that BullMQ has completed, with the outcome as its return value: what a
 * worker's own finish leaves, except for what only a start leaves (a test holds every key of both against
 * each other, and BullMQ is pinned). A running job is its worker's: the script says who has it and changes
 * nothing. To take a job out of a long waiting list Redis walks that list, from the end at which the job
 * is likelier. What is done here is safe to repeat.
 */
import { queueOfJobId } from "../job-id.ts";
import type { StoredOutcome } from "../job-record.ts";
import { isEnded, type JobState } from "../job-state.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import type { RedisConnection } from "./connection.ts";
import type { FleetStore } from "./fleet-store.ts";
import { jobStateOf } from "./job-lookup.ts";
import { JOB_PLACES, type PlacedQueue, placedQueueOf, placesOf, queueArguments } from "./job-places.ts";
import { outcomeWord, withRedis } from "./job-reader.ts";
import type { Keys } from "./keys.ts";
import { KEEP_SUCCEEDED } from "./lane-worker.ts";
import { OUTCOME_IN } from "./stored-text.ts";

/** Old finished jobs of the place that one cancel cleans away: a parked queue has no worker that does it. */
const CLEANED_MAX = 100;

/**
 * ARGV: prefix, one queue, job id, the return value, key of the tenant's open set. Every copy that rests is
 * taken out. Returns nothing when the job is in no place, else its place, its state now and for a running
 * one who runs it, for a completed one its outcome.
 *
 * Redis refuses none of a script's writes after its first, which takes the job out and needs no memory.
 */
export const CANCEL_JOB = `${JOB_PLACES}${OUTCOME_IN}
local queues, at = queuesFrom(2)
local queue, id, returnvalue, open = queues[1], ARGV[at], ARGV[at + 1], ARGV[at + 2]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Most jobs that are cancelled came a moment ago, and the newest lie at the head.
local function directionIn(place)
  local function ageOf(index)
    local other = redis.call("LINDEX", place .. "wait", index)
    return tonumber(other and redis.call("HGET", place .. other, "timestamp") or now)
  end
  local accepted = tonumber(redis.call("HGET", place .. id, "timestamp")) or now
  return math.abs(ageOf(0) - accepted) < math.abs(ageOf(-1) - accepted) and 1 or -1
end

local function takeOut(place)
  if redis.call("ZREM", place .. "delayed", id) == 1 then
    local first = redis.call("ZRANGE", place .. "delayed", 0, 0, "WITHSCORES")[2]
    if first then redis.call("ZADD", place .. "marker", tonumber(first) / 0x1000, "1")
    else redis.call("ZREM", place .. "marker", "1") end
    return "delayed"
  end
  if redis.call("ZREM", place .. "prioritized", id) == 1 then return "prioritized" end
  if redis.call("LREM", place .. "wait", directionIn(place), id) == 1 then return "waiting" end
end

local function clean(place, upTo)
  for _, old in ipairs(redis.call("ZRANGEBYSCORE", place .. "completed", "-inf", upTo, "LIMIT", 0, ${CLEANED_MAX})) do
    local key = place .. old
    redis.call("DEL", key, key .. ":logs", key .. ":dependencies", key .. ":processed", key .. ":failed", key .. ":unsuccessful")
    redis.call("ZREM", place .. "completed", old)
  end
end

local function finish(place, before)
  local eventsMax = redis.call("HGET", place .. "meta", "opts.maxLenEvents") or 10000
  redis.call("XTRIM", place .. "events", "MAXLEN", "~", eventsMax)
  redis.call("ZADD", place .. "completed", now, id)
  redis.call("HSET", place .. id, "returnvalue", returnvalue, "finishedOn", now, "delay", 0)
  redis.call("XADD", place .. "events", "*", "event", "completed", "jobId", id, "returnvalue", returnvalue, "prev", before)
  clean(place, now - ${KEEP_SUCCEEDED.age * 1_000})
  if redis.call("LLEN", place .. "wait") + redis.call("LLEN", place .. "active")
    + redis.call("ZCARD", place .. "prioritized") == 0 then
    redis.call("XADD", place .. "events", "*", "event", "drained")
  end
end

-- Not from quarantine: a job in there has ended.
for number = 1, queue.lanes + 1 do
  local place = queue.places[number]
  local facts = redis.call("HMGET", place .. id, "name", "processedOn", "finishedOn")
  if facts[1] then
    local state = stateIn(place, id, facts[2], facts[3])
    local before = (state == "waiting" or state == "delayed") and takeOut(place)
    if before then finish(place, before) end
    -- Who estimates how fast jobs are taken must not take this one for taken.
    if before and before ~= "delayed" and number <= queue.lanes then
      redis.call("HINCRBY", prefix .. ":admission", "admitted:" .. queue.name, -1)
    end
  end
end
local found = mostTelling(queue, id)
if not found then return {} end
if found.rank > 1 then redis.call("ZREM", open, id) end
local more = ""
if found.state == "active" then more = redis.call("HGET", found.key, "pb") or "" end
if found.state == "completed" then more = outcomeIn(redis.call("HGET", found.key, "returnvalue")) end
return {found.at, found.state, more}
`;

/** What became of the request to cancel a job. */
export type CancelOutcome =
  /** It will not run. */
  | { readonly kind: "cancelled" }
  /** It runs; `workerId` is `null` when nobody's name is on it. */
  | { readonly kind: "running"; readonly workerId: string | null }
  | { readonly kind: "ended"; readonly state: JobState }
  /** It is in no place, or in none that it can be taken out of. */
  | { readonly kind: "unknown" };

/** What the script answers. */
type CancelReply = [] | [number, string, string];

interface ScriptedRedis extends RedisConnection {
  sluiceCancelJob(...args: string[]): Promise<CancelReply>;
}

/** A job that is handed back or moved between two questions is asked for again. */
const TRIES_MAX = 4;

export interface CancellerPorts {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly fleet: Pick<FleetStore, "cancel">;
  /** The newest copy of the registry. */
  registry(): RegistryDocument;
}

export class JobCanceller {
  readonly #ports: CancellerPorts;
  readonly #redis: ScriptedRedis;

  constructor(ports: CancellerPorts) {
    this.#ports = ports;
    this.#redis = ports.redis as ScriptedRedis;
    this.#redis.defineCommand("sluiceCancelJob", { lua: CANCEL_JOB, numberOfKeys: 0 });
  }

  /**
   * Cancels a job, or tells the worker that runs it to. Whose it is the caller has made sure of.
   *
   * @param request `why` is kept with a job that was cancelled before it ran.
   * @throws {RedisUnavailableError} when it is not known whether the job is cancelled; repeat it.
   */
  async cancel(
    jobId: string,
    { tenant, why }: { readonly tenant: string; readonly why?: string | undefined },
  ): Promise<CancelOutcome> {
    const { keys, fleet, registry } = this.#ports;
    const placed = placedQueueOf(registry(), queueOfJobId(jobId) ?? "");
    if (placed === null) return { kind: "unknown" };
    const open = keys.open(placed.queue, tenant);
    const attempt = async () => {
      const args = [keys.prefix, ...queueArguments([placed]), jobId, cancelledOutcome(why), open];
      return cancelOutcomeOf(placed, await this.#redis.sluiceCancelJob(...args));
    };
    return withRedis(() => this.#until(attempt, (workerId) => fleet.cancel(workerId, jobId)));
  }

  /** Asks until the answer holds: between two questions a job may be handed back, taken or moved. */
  async #until(
    attempt: () => Promise<CancelOutcome>,
    order: (workerId: string) => Promise<void>,
  ): Promise<CancelOutcome> {
    let outcome = await attempt();
    let ordered: string | null = null;
    for (let tries = 1; tries < TRIES_MAX; tries += 1) {
      if (outcome.kind === "cancelled" || outcome.kind === "ended") break;
      if (outcome.kind === "running") {
        if (outcome.workerId === ordered || outcome.workerId === null) break;
        ordered = outcome.workerId;
        await order(ordered);
      }
      outcome = await attempt();
    }
    return outcome;
  }
}

/** The return value of a job that was cancelled before a worker had it. */
function cancelledOutcome(why: string | undefined): string {
  const outcome: StoredOutcome = { outcome: "cancelled", release: null };
  return JSON.stringify(why === undefined ? outcome : { ...outcome, why });
}

function cancelOutcomeOf(placed: PlacedQueue, reply: CancelReply): CancelOutcome {
  if (reply.length === 0) return { kind: "unknown" };
  const [at, state, more] = reply;
  if (state === "active") return { kind: "running", workerId: more.split("/")[1] ?? null };
  const place = placesOf(placed)[at - 1] ?? "";
  const jobState = jobStateOf({ place, state }, outcomeWord(more));
  // Cancelled by this call or by an earlier one is the same to whoever asks.
  if (jobState === "cancelled") return { kind: "cancelled" };
  return isEnded(jobState) ? { kind: "ended", state: jobState } : { kind: "unknown" };
}
