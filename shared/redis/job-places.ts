/**
 * Where the jobs of a queue can be, as Lua for the scripts that read them or take them out.
 *
 * A script that starts with `JOB_PLACES` finds a job without a walk through anything that grows with the
 * backlog: BullMQ's own question for a state looks through the whole waiting list. What it relies on, and a
 * test holds against BullMQ: a finished job has `finishedOn`, a taken one a lock, and one that was never
 * taken no `processedOn`. A started job that is in neither is looked for among those in flight.
 */
import { deadName, laneName, parkedName } from "../lane.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";

/** A queue with the BullMQ queues in which a job of it can be; the newest lane first. */
export interface PlacedQueue {
  readonly queue: string;
  readonly lanes: readonly string[];
}

/** `null` for a queue that the registry does not know. */
export function placedQueueOf(document: RegistryDocument, queue: string): PlacedQueue | null {
  // Whoever asks chooses the name: "constructor" is one that every object has.
  const registered = Object.hasOwn(document.queues, queue) ? document.queues[queue] : undefined;
  if (registered === undefined) return null;
  return { queue, lanes: registered.generations.map((it) => laneName(queue, it.generation)).reverse() };
}

/** All places of a queue, in the order in which the scripts number them from 1. */
export function placesOf({ queue, lanes }: PlacedQueue): readonly string[] {
  return [...lanes, parkedName(queue), deadName(queue)];
}

/** The queues as `queuesFrom` reads them. */
export function queueArguments(queues: readonly PlacedQueue[]): readonly string[] {
  return [String(queues.length), ...queues.flatMap((it) => [it.queue, String(it.lanes.length), ...it.lanes])];
}

/**
 * ARGV[1] is the prefix. `queuesFrom(at)` reads queues that begin there and gives them and where they end;
 * `stateIn` gives BullMQ's word for a stored job and its score when it is delayed; `mostTelling` the copy
 * of a job that tells most, or nothing: one that is still to run, before what has ended.
 */
export const JOB_PLACES = `
local prefix = ARGV[1]

local function queuesFrom(at)
  local queues = {}
  local count = tonumber(ARGV[at])
  at = at + 1
  for number = 1, count do
    local lanes = tonumber(ARGV[at + 1])
    local queue = {name = ARGV[at], lanes = lanes, places = {}}
    for lane = 1, lanes do queue.places[lane] = prefix .. ":" .. ARGV[at + 1 + lane] .. ":" end
    queue.places[lanes + 1] = prefix .. ":" .. queue.name .. ".parked:"
    queue.places[lanes + 2] = prefix .. ":" .. queue.name .. ".dead:"
    queues[number] = queue
    at = at + 2 + lanes
  end
  return queues, at
end

local function stateIn(place, id, processedOn, finishedOn)
  if finishedOn then
    if redis.call("ZSCORE", place .. "completed", id) then return "completed" end
    if redis.call("ZSCORE", place .. "failed", id) then return "failed" end
  end
  local due = redis.call("ZSCORE", place .. "delayed", id)
  if due then return "delayed", due end
  if redis.call("EXISTS", place .. id .. ":lock") == 1 then return "active" end
  if not processedOn or redis.call("ZSCORE", place .. "prioritized", id) then return "waiting" end
  if redis.call("LPOS", place .. "active", id) then return "active" end
  return "waiting"
end

local function rankOf(queue, at, state)
  if at == queue.lanes + 2 then return 3 end
  if state == "completed" or state == "failed" then return 2 end
  if at == queue.lanes + 1 then return 1 end
  return 0
end

local function mostTelling(queue, id)
  local best
  for at, place in ipairs(queue.places) do
    local facts = redis.call("HMGET", place .. id, "name", "timestamp", "processedOn", "finishedOn")
    if facts[1] then
      local state, due = stateIn(place, id, facts[3], facts[4])
      local rank = rankOf(queue, at, state)
      if not best or rank < best.rank then
        best = {at = at, key = place .. id, state = state, due = due or "", rank = rank, facts = facts}
      end
      if rank == 0 then break end
    end
  end
  return best
end
`;
