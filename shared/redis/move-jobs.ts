/**
 * Moves jobs from one queue into another in a single step: a job is never in both and never in neither,
 * wherever the process that moves it is killed.
 *
 * The stored job moves as it is, so starts, crashes, due time, attempt record and whatever a newer
 * BullMQ keeps with it come along; only data and record can be given anew. What the target then holds
 * is what BullMQ's own add leaves there, and the source what its own remove leaves: a test holds every
 * key of both against each other, and BullMQ is pinned. Both queues must be on one Redis server.
 */
import type { JobRecord } from "../job-record.ts";
import { CALL_CHARS_MAX } from "./admission.ts";

/** Jobs in one call: a call holds up every other client of Redis while it runs. */
export const MOVE_JOBS_MAX = 100;

/**
 * ARGV: key prefix of the source's jobs, of the target's, "kept" or "now" for when a delayed job is due
 * in the target, then of each job: id, lease or "", SHA-1 of the data it must have or "", new data or "",
 * new record or "". Returns of each job 1 for moved, 2 for known to the target, 0 for not moved.
 *
 * The first write takes the job out and needs no memory, and Redis refuses none of a script's writes
 * after its first: so a move is done whole even when memory is full.
 */
export const MOVE_JOBS = `
local source, target, due = ARGV[1], ARGV[2], ARGV[3]
local meta = redis.call("HMGET", target .. "meta", "paused", "concurrency", "opts.maxLenEvents")
local sourceEventsMax = redis.call("HGET", source .. "meta", "opts.maxLenEvents") or 10000
local eventsMax = meta[3] or 10000

local function tellSource(...)
  redis.call("XADD", source .. "events", "MAXLEN", "~", sourceEventsMax, "*", "event", ...)
end

local function tellTarget(...)
  redis.call("XADD", target .. "events", "MAXLEN", "~", eventsMax, "*", "event", ...)
end

-- Takes a job out of where it rests, or out of the hands of its taker: BullMQ's name of that, and the score.
local function takeOut(id, lease)
  local lock = source .. id .. ":lock"
  if lease ~= "" then
    if redis.call("GET", lock) ~= lease or redis.call("LREM", source .. "active", -1, id) == 0 then return end
    redis.call("DEL", lock)
    redis.call("SREM", source .. "stalled", id)
    return "active"
  end
  if redis.call("EXISTS", lock) == 1 then return end
  local score = redis.call("ZSCORE", source .. "delayed", id)
  if score then
    redis.call("ZREM", source .. "delayed", id)
    return "delayed", score
  end
  if redis.call("ZREM", source .. "prioritized", id) == 1 then return "prioritized" end
  if redis.call("LREM", source .. "wait", -1, id) == 1 then return "wait" end
end

-- The target keeps its own; a start of either copy must be newer than every start before.
local function dropDuplicate(from, to)
  local starts = tonumber(redis.call("HGET", from, "ats") or 0)
  if starts > tonumber(redis.call("HGET", to, "ats") or 0) then redis.call("HSET", to, "ats", starts) end
  redis.call("DEL", from, from .. ":logs")
end

local function schedule(id, score)
  redis.call("ZADD", target .. "delayed", score, id)
  tellTarget("delayed", "jobId", id, "delay", math.floor(tonumber(score) / 0x1000))
  local first = redis.call("ZRANGE", target .. "delayed", 0, 0, "WITHSCORES")[2]
  redis.call("ZADD", target .. "marker", tonumber(first) / 0x1000, "1")
end

local function queueUp(id, priority)
  if priority > 0 then
    local count = redis.call("INCR", target .. "pc")
    redis.call("ZADD", target .. "prioritized", priority * 0x100000000 + count % 0x100000000, id)
  else
    redis.call("LPUSH", target .. "wait", id)
  end
  tellTarget("waiting", "jobId", id)
  local isFull = meta[2] and redis.call("LLEN", target .. "active") >= tonumber(meta[2])
  if not meta[1] and not isFull then redis.call("ZADD", target .. "marker", 0, "0") end
end

local function putIn(id, score, data, record)
  local to = target .. id
  if data ~= "" then redis.call("HSET", to, "data", data) end
  if record ~= "" then redis.call("HSET", to, "progress", record) end
  redis.call("XADD", target .. "events", "*", "event", "added", "jobId", id, "name", redis.call("HGET", to, "name") or "")
  if score and due == "kept" then return schedule(id, score) end
  if score then redis.call("HSET", to, "delay", 0) end
  queueUp(id, tonumber(redis.call("HGET", to, "priority")) or 0)
end

local function move(id, lease, sha1, data, record)
  local from, to = source .. id, target .. id
  local stored = redis.call("HGET", from, "data")
  if not stored or (sha1 ~= "" and redis.sha1hex(stored) ~= sha1) then return 0 end
  local state, score = takeOut(id, lease)
  if not state then return 0 end
  tellSource("removed", "jobId", id, "prev", state)
  redis.call("INCR", target .. "id")
  if redis.call("EXISTS", to) == 1 then
    dropDuplicate(from, to)
    tellTarget("duplicated", "jobId", id)
    return 2
  end
  redis.call("RENAME", from, to)
  if redis.call("EXISTS", from .. ":logs") == 1 then redis.call("RENAME", from .. ":logs", to .. ":logs") end
  putIn(id, score, data, record)
  return 1
end

local outcomes = {}
for at = 4, #ARGV, 5 do
  outcomes[#outcomes + 1] = move(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
end
return outcomes
`;

/** One job to be moved. */
export interface JobMove {
  readonly jobId: string;
  /** The lease of a job that the mover has taken; `null` for one that waits or is scheduled. */
  readonly lease: string | null;
  /** SHA-1, in hexadecimal, of the stored data that the move was decided on; `null` for whatever data it has. */
  readonly dataSha1: string | null;
  /** The data it shall have from now on; `null` to keep what it has. */
  readonly dataText: string | null;
  /** The attempt record it shall have from now on; `null` to keep what it has. */
  readonly record: JobRecord | null;
}

/**
 * `known`: the target had this id already and kept its own; the source's is gone. `not-moved`: the job
 * was not there, in other hands, or had other data; nothing was changed.
 */
export type MoveOutcome = "moved" | "known" | "not-moved";

const OUTCOMES: readonly MoveOutcome[] = ["not-moved", "moved", "known"];

/** The script's word for an outcome, in ours. */
export function outcomeOfMove(code: number): MoveOutcome {
  return OUTCOMES[code] ?? "not-moved";
}

/** What the script is told of one job. */
export function argumentsOf({ jobId, lease, dataSha1, dataText, record }: JobMove): readonly string[] {
  return [jobId, lease ?? "", dataSha1 ?? "", dataText ?? "", record === null ? "" : JSON.stringify(record)];
}

/** The moves as the calls they are made in, in order. */
export function callsOf(moves: readonly JobMove[]): readonly (readonly JobMove[])[] {
  const calls: JobMove[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const move of moves) {
    const size = move.dataText?.length ?? 0;
    let call = calls.at(-1);
    if (call === undefined || call.length >= MOVE_JOBS_MAX || chars + size > CALL_CHARS_MAX) {
      call = [];
      calls.push(call);
      chars = 0;
    }
    call.push(move);
    chars += size;
  }
  return calls;
}
