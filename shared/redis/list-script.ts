/**
 * The script behind a page of a list: walks the sources newest first, in one step, and stops by what it has
 * looked at, never by what there is.
 *
 * Sources are ordered sets, and quarantine's waiting list. Those of one page are merged by time. Where the
 * walk of a source goes on is a member and its score, found again by halving where the member is gone; so
 * what joins or leaves meanwhile moves nothing, and a job that stays in its state is shown once.
 */
import { JOB_PLACES } from "./job-places.ts";
import { ENVELOPE_IN, FAILURES_IN, OUTCOME_IN } from "./stored-text.ts";

/** Entries that one page looks at. */
export const EXAMINED_MAX = 1_000;

/** Bytes of envelopes that one page reads; one that has to be taken apart counts as so many times its size. */
const BYTES_MAX = 16 * 1024 * 1024;
const DECODE_COST = 16;

/** Entries of a source that are fetched together. */
const CHUNK = 64;

/** Entries of quarantine's list from which the walk finds its place again when others have left. */
export const GUARDS_MAX = 3;

/**
 * ARGV: prefix, queues, then as JSON what is asked: `revision` of the registry, `tenant`, `defaultTenant`, `type` and
 * `states` or none, `limit`, `after` (score and member) or none, and `sources`, each with `kind`, `queue` (its number), `at`
 * (number of the place) and `key`. Of kind `open` and `ended` the scores are times, and `after` is for all of them. A
 * `band` is the part of an ordered set from `lowest` to below `above`; it and a `list` go on at their own `after`: score and
 * member, or how many are left from the list's end and the last members before.
 *
 * Returns whether everything was looked at, the items, where the timed sources go on, and of each other source
 * that was touched its number and where it goes on.
 */
export const LIST_JOBS = `${JOB_PLACES}${OUTCOME_IN}${FAILURES_IN}${ENVELOPE_IN}
local queues, specAt = queuesFrom(2)
local spec = cjson.decode(ARGV[specAt])
local isCurrent = redis.call("GET", prefix .. ":registry:revision") == tostring(spec.revision)
local examined, bytes = 0, 0

-- By bytes, as Redis orders members; Lua's own order of texts follows the server's locale.
local function comesBefore(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

local function memberAt(key, rank)
  return redis.call("ZREVRANGE", key, rank, rank)[1]
end

-- The rank, from the highest score, of the first entry behind a score and a member.
local function rankAfter(key, score, member)
  local low = redis.call("ZCOUNT", key, "(" .. score, "+inf")
  local high = low + redis.call("ZCOUNT", key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if comesBefore(memberAt(key, middle), member) then high = middle else low = middle + 1 end
  end
  return low
end

local function openWalk(source)
  source.isTimed = source.kind == "open" or source.kind == "ended"
  source.buffer, source.next = {}, 1
  if source.kind == "list" then
    local length = redis.call("LLEN", source.key)
    source.left = math.min(source.after and source.after[1] or length, length)
    source.guards = source.after and source.after[2] or {}
    return
  end
  local after = source.after
  if source.isTimed then after = spec.after end
  source.rank = 0
  if after then source.rank = rankAfter(source.key, after[1], after[2])
  elseif source.above then source.rank = redis.call("ZCOUNT", source.key, source.above, "+inf") end
end

-- Whoever left behind the place where the walk stopped has moved what was shown before into what is left.
local function skipShown(source, ids)
  local from = 1
  for i, id in ipairs(ids) do
    for _, guard in ipairs(source.guards) do
      if id == guard then from = i + 1 end
    end
  end
  source.left = source.left - (from - 1)
  return from
end

local function timeOf(place, id)
  return tonumber(redis.call("HGET", place .. id, "processedOn") or redis.call("HGET", place .. id, "timestamp") or 0)
end

local function fillFromList(source)
  if source.left <= 0 then return end
  local size = source.hasBegun and ${CHUNK} or ${EXAMINED_MAX}
  local ids = redis.call("LRANGE", source.key, -source.left, math.min(-source.left + size - 1, -1))
  local from = source.hasBegun and 1 or skipShown(source, ids)
  source.hasBegun = true
  for i = from, math.min(#ids, from + ${CHUNK} - 1) do source.buffer[#source.buffer + 1] = {ids[i]} end
end

local function fill(source)
  source.buffer, source.next = {}, 1
  if source.kind == "list" then return fillFromList(source) end
  local found = redis.call("ZREVRANGE", source.key, source.rank, source.rank + ${CHUNK} - 1, "WITHSCORES")
  for i = 1, #found, 2 do
    if source.lowest and tonumber(found[i + 1]) < tonumber(source.lowest) then break end
    source.buffer[#source.buffer + 1] = {found[i], found[i + 1]}
  end
  source.rank = source.rank + #source.buffer
end

local function headOf(source)
  if source.next > #source.buffer and not source.isDone then
    fill(source)
    if #source.buffer == 0 then source.isDone = true end
  end
  local head = source.buffer[source.next]
  if head and not head.time then
    head.time = source.isTimed and tonumber(head[2]) or timeOf(queues[source.queue].places[source.at], head[1])
  end
  return head
end

local function newest(sources)
  local best, bestHead
  for _, source in ipairs(sources) do
    local head = headOf(source)
    if head and (not best or head.time > bestHead.time
      or (head.time == bestHead.time and comesBefore(bestHead[1], head[1]))) then
      best, bestHead = source, head
    end
  end
  return best, bestHead
end

local last = spec.after or {}

local function pass(source, head)
  source.next = source.next + 1
  if source.isTimed then
    last = {head[2], head[1]}
    return
  end
  source.isTouched = true
  if source.kind == "band" then
    source.after = {head[2], head[1]}
    return
  end
  source.left = source.left - 1
  table.insert(source.guards, head[1])
  if #source.guards > ${GUARDS_MAX} then table.remove(source.guards, 1) end
end

local function stateWord(queue, found, outcome)
  if found.at == queue.lanes + 2 then return "quarantined" end
  if found.state == "completed" then return (outcome == "expired" or outcome == "cancelled") and outcome or "succeeded" end
  if found.at == queue.lanes + 1 then return "parked" end
  if found.state == "delayed" then return "scheduled" end
  if found.state == "active" then return "running" end
  return found.state
end

local function isAsked(word)
  if not spec.states then return true end
  for _, state in ipairs(spec.states) do
    if state == word then return true end
  end
  return false
end

local gone = {}

-- Where the entry's job is now, or nothing when it is not to be shown.
local function lookUp(source, id)
  local queue = queues[source.queue]
  local found = mostTelling(queue, id)
  if source.kind == "open" and (not found or found.rank > 1) then
    gone[source.key] = gone[source.key] or {}
    table.insert(gone[source.key], id)
    return
  end
  if source.kind ~= "open" and (not found or found.at ~= source.at) then return end
  if spec.type and found.facts[1] ~= spec.type then return end
  return found
end

local function isOwn(key)
  local data = redis.call("HGET", key, "data") or ""
  local tenant, version, isTakenApart = envelopeIn(data)
  bytes = bytes + #data * (isTakenApart and ${DECODE_COST} or 1)
  if tenant == "" then tenant = spec.defaultTenant end
  return tenant == spec.tenant, version
end

local function itemOf(source, id)
  local own, version
  -- Of finished jobs most are other tenants': that first, it is a single look.
  if source.kind ~= "open" then
    own, version = isOwn(queues[source.queue].places[source.at] .. id)
    if not own then return end
  end
  local found = lookUp(source, id)
  if not found then return end
  local outcome = found.state == "completed" and outcomeIn(redis.call("HGET", found.key, "returnvalue")) or ""
  local word = stateWord(queues[source.queue], found, outcome)
  if not isAsked(word) then return end
  if source.kind == "open" then own, version = isOwn(found.key) end
  if not own then return end
  local failures = failuresIn(redis.call("HGET", found.key, "progress"))
  local facts = found.facts
  return {id, source.queue, found.at, word, facts[1], facts[2] or "", facts[3] or "", facts[4] or "", found.due, version, failures}
end

local items = {}
for _, source in ipairs(spec.sources) do openWalk(source) end
local isWhole = false
while #items < spec.limit and examined < ${EXAMINED_MAX} and bytes < ${BYTES_MAX} do
  local source, head = newest(spec.sources)
  if not source then
    isWhole = true
    break
  end
  examined = examined + 1
  items[#items + 1] = itemOf(source, head[1])
  pass(source, head)
end
if not isWhole and not newest(spec.sources) then isWhole = true end
-- Another copy of the registry may know a lane that this one does not.
if isCurrent then
  for key, ids in pairs(gone) do redis.call("ZREM", key, unpack(ids)) end
end
local positions = {}
for number, source in ipairs(spec.sources) do
  if source.isTouched and source.kind == "list" then
    positions[#positions + 1] = {number, tostring(source.left), source.guards}
  elseif source.isTouched then
    positions[#positions + 1] = {number, source.after[1], source.after[2]}
  end
end
return {isWhole and 1 or 0, items, last, positions}
`;
