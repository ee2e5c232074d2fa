/**
 * The admission script: whether jobs come in is decided and done in one step, for all jobs of one call.
 *
 * In this order it asks whether the registry is still the one that the jobs were routed by, whether a
 * job is known already (by idempotency key, by its own id, by its dedup key), and whether there is room: in
 * the queue's backlog, in the tenant's, in memory. Only when every job of the call has its answer does it
 * write, because Redis undoes nothing of a script that fails midway. What it then writes is exactly what BullMQ's own
 * adds write, for plain, delayed and prioritised jobs: a test holds every key of both against each
 * other, and BullMQ is pinned. All arguments are text, which the client sends several times cheaper than
 * buffers; what jobs have in common is sent once a call, as their terms. Every queue must be on one Redis server.
 */
/** What a job is taken to cost in Redis beyond its data, and what each record of a key does: measured, rounded up. */
const JOB_OVERHEAD_BYTES = 1_000;
const RECORD_BYTES = 250;

/** Jobs of a tenant, its oldest, looked through for ended ones before the tenant is told that it has too many. */
const OPEN_HEALED_MAX = 50;

/**
 * Not looked through again for so long, in milliseconds, unless all of them had ended: a tenant that is at its bound and asks on
 * would have them looked through by each call. Workers tell of what has ended more often than that.
 */
const OPEN_LOOKED_MS = 1_000;

/**
 * ARGV: prefix, registry revision or "", window ms, "1" for all or none, then the number of queues and of each: name,
 * most scheduled jobs, number of lanes, lanes; then the number of terms and of each: number of its queue, place or "" for
 * jobs that no lane takes, job name, BullMQ priority, most waiting jobs, tenant, most open jobs of the tenant; then of
 * each job: number of its terms, id, time, delay, two records or "", fingerprint, dedup or "", data.
 *
 * Returns "stale", or an answer a job: "c" created, "r<id>" replayed, "d<id>" deduplicated, "x" key used for
 * something else, "u" no lane takes it, "b" backlog full, "s" too many scheduled, "t" too many of the tenant, "m" memory, "a"
 * left out because another was refused. After them, of each queue written to: name, waiting jobs, jobs admitted
 * so far that were not scheduled.
 */
export const ADMIT_JOBS = `
local prefix, window = ARGV[1], ARGV[3]
if ARGV[2] ~= "" then
  local revision = redis.call("GET", prefix .. ":registry:revision")
  if revision and revision ~= ARGV[2] then return {"stale"} end
end
local at = 5
local queues, terms = {}, {}
local queuesCount = tonumber(ARGV[at])
at = at + 1
for _ = 1, queuesCount do
  local queue = {name = ARGV[at], scheduledMax = tonumber(ARGV[at + 1]), places = {}}
  local lanes = tonumber(ARGV[at + 2])
  for lane = 1, lanes do queue.places[lane] = prefix .. ":" .. ARGV[at + 2 + lane] .. ":" end
  queue.lanes = lanes
  queue.places[lanes + 1] = prefix .. ":" .. queue.name .. ".parked:"
  queue.places[lanes + 2] = prefix .. ":" .. queue.name .. ".dead:"
  queues[#queues + 1] = queue
  at = at + 3 + lanes
end
local termsCount = tonumber(ARGV[at])
at = at + 1
for _ = 1, termsCount do
  terms[#terms + 1] = {
    queue = queues[tonumber(ARGV[at])], place = ARGV[at + 1], name = ARGV[at + 2], priority = tonumber(ARGV[at + 3]),
    depthMax = tonumber(ARGV[at + 4]), tenant = ARGV[at + 5], tenantMax = tonumber(ARGV[at + 6]),
  }
  at = at + 7
end
local first = at

local function hasUnfinished(queue, id)
  -- Most are in the newest lane.
  for place = queue.lanes + 1, 1, -1 do
    local job = redis.call("HMGET", queue.places[place] .. id, "name", "finishedOn")
    if job[1] then return not job[2] end
  end
  return false
end

local function openOf(term)
  local queue = term.queue
  queue.open = queue.open or {}
  local open = queue.open[term.tenant]
  if open then return open end
  open = {key = prefix .. ":open:" .. queue.name .. ":" .. term.tenant, added = {}}
  open.count = redis.call("ZCARD", open.key)
  queue.open[term.tenant] = open
  return open
end

-- A worker that is killed takes with it that its last jobs have ended.
local function healed(open, term)
  local ended = {}
  open.ended = ended
  local looked = prefix .. ":looked:" .. term.queue.name .. ":" .. term.tenant
  if redis.call("EXISTS", looked) == 1 then return end
  for _, id in ipairs(redis.call("ZRANGE", open.key, 0, ${OPEN_HEALED_MAX - 1})) do
    if not hasUnfinished(term.queue, id) then ended[#ended + 1] = id end
  end
  open.count = open.count - #ended
  if #ended < ${OPEN_HEALED_MAX} then open.looked = looked end
end

local function measure(queue)
  if queue.depth then return end
  queue.depth, queue.scheduled = 0, 0
  for lane = 1, queue.lanes do
    local key = queue.places[lane]
    queue.depth = queue.depth + redis.call("LLEN", key .. "wait") + redis.call("ZCARD", key .. "prioritized")
    queue.scheduled = queue.scheduled + redis.call("ZCARD", key .. "delayed")
  end
end

local records, dedups = {}, {}
local room = tonumber(redis.call("HGET", prefix .. ":admission", "room"))
local spent = 0

-- Whatever it is answered by, the job's own records say so from now on: a repeat then gives the same.
local function remembered(i, missing, id, answer)
  local bytes = #missing * ${RECORD_BYTES}
  if bytes > 0 and room and room - spent < bytes then return "m" end
  spent = spent + bytes
  for _, record in ipairs(missing) do records[record] = ARGV[i + 6] .. " " .. id end
  return answer .. id
end

local function known(term, i)
  local isNamed, missing = false, {}
  for at = i + 4, i + 5 do
    local record = ARGV[at]
    if record == "" then break end
    local kept = records[record] or redis.call("GET", prefix .. ":idempotency:" .. record)
    if kept then
      local fingerprint, id = string.match(kept, "^(%S+) (.+)$")
      if fingerprint ~= ARGV[i + 6] then return "x" end
      return remembered(i, missing, id, "r")
    end
    missing[#missing + 1] = record
    isNamed = isNamed or string.sub(record, 1, 3) == "id:"
  end
  if isNamed then
    for _, place in ipairs(term.queue.places) do
      if redis.call("EXISTS", place .. ARGV[i + 1]) == 1 then return remembered(i, missing, ARGV[i + 1], "r") end
    end
  end
  local dedup = ARGV[i + 7]
  if dedup == "" then return end
  local id = dedups[dedup]
  if not id then
    id = redis.call("GET", prefix .. ":dedup:" .. dedup)
    if not id or not hasUnfinished(term.queue, id) then return end
  end
  return remembered(i, missing, id, "d")
end

local function refused(term, i)
  if term.place == "" then return "u" end
  local queue = term.queue
  measure(queue)
  local isDelayed = tonumber(ARGV[i + 3]) > 0
  if isDelayed and queue.scheduled >= queue.scheduledMax then return "s" end
  if not isDelayed and queue.depth >= term.depthMax then return "b" end
  local open = openOf(term)
  if open.count >= term.tenantMax and not open.ended then healed(open, term) end
  if open.count >= term.tenantMax then return "t" end
  local recordsCount = (ARGV[i + 4] == "" and 0 or 1) + (ARGV[i + 5] == "" and 0 or 1)
  local bytes = #ARGV[i + 8] + ${JOB_OVERHEAD_BYTES} + recordsCount * ${RECORD_BYTES}
  if room and room - spent < bytes then return "m" end
  spent = spent + bytes
  open.count = open.count + 1
  if isDelayed then queue.scheduled = queue.scheduled + 1 else queue.depth = queue.depth + 1 end
end

local answers, created = {}, {}
local isWhole = true
for i = first, #ARGV, 9 do
  local term = terms[tonumber(ARGV[i])]
  local answer = known(term, i) or refused(term, i) or "c"
  if answer == "c" then
    for at = i + 4, i + 5 do
      if ARGV[at] ~= "" then records[ARGV[at]] = ARGV[i + 6] .. " " .. ARGV[i + 1] end
    end
    if ARGV[i + 7] ~= "" then dedups[ARGV[i + 7]] = ARGV[i + 1] end
    created[ARGV[i + 1]] = true
  elseif string.len(answer) == 1 then
    isWhole = false
  end
  answers[#answers + 1] = answer
end
if ARGV[4] == "1" and not isWhole then
  for i, answer in ipairs(answers) do
    -- One that repeats another of the call is no job either.
    if answer == "c" or created[string.sub(answer, 2)] then answers[i] = "a" end
  end
  return answers
end

local lanes = {}
local function laneOf(term)
  local lane = lanes[term.place]
  if lane then return lane end
  local key = prefix .. ":" .. term.place .. ":"
  local meta = redis.call("HMGET", key .. "meta", "paused", "concurrency", "opts.maxLenEvents")
  lane = {key = key, meta = meta, eventsMax = meta[3] or 10000, waiting = {}, added = 0}
  lanes[term.place] = lane
  return lane
end

local function schedule(lane, id, dueMs)
  local lowest, highest = dueMs * 0x1000, (dueMs + 1) * 0x1000 - 1
  local last = redis.call("ZREVRANGEBYSCORE", lane.key .. "delayed", highest, lowest, "WITHSCORES", "LIMIT", 0, 1)[2]
  local score = last and math.min(tonumber(last) + 1, highest) or lowest
  redis.call("ZADD", lane.key .. "delayed", score, id)
  redis.call("XADD", lane.key .. "events", "MAXLEN", "~", lane.eventsMax, "*", "event", "delayed", "jobId", id, "delay", dueMs)
  local next = redis.call("ZRANGE", lane.key .. "delayed", 0, 0, "WITHSCORES")[2]
  redis.call("ZADD", lane.key .. "marker", tonumber(next) / 0x1000, "1")
end

local function queueUp(lane, id, priority)
  if priority > 0 then
    local count = redis.call("INCR", lane.key .. "pc")
    redis.call("ZADD", lane.key .. "prioritized", priority * 0x100000000 + count % 0x100000000, id)
  else
    lane.waiting[#lane.waiting + 1] = id
  end
  lane.hasWork = true
  redis.call("XADD", lane.key .. "events", "MAXLEN", "~", lane.eventsMax, "*", "event", "waiting", "jobId", id)
end

local function add(term, i)
  local lane, id, delay = laneOf(term), ARGV[i + 1], tonumber(ARGV[i + 3])
  local opts = "{}"
  if delay > 0 then opts = '{"delay":' .. ARGV[i + 3] .. "}" end
  if term.priority > 0 then
    opts = (delay > 0 and '{"delay":' .. ARGV[i + 3] .. "," or "{") .. '"priority":' .. term.priority .. "}"
  end
  redis.call("HSET", lane.key .. id, "name", term.name, "data", ARGV[i + 8], "opts", opts,
    "timestamp", ARGV[i + 2], "delay", ARGV[i + 3], "priority", term.priority)
  redis.call("XADD", lane.key .. "events", "*", "event", "added", "jobId", id, "name", term.name)
  if delay > 0 then schedule(lane, id, tonumber(ARGV[i + 2]) + delay) else queueUp(lane, id, term.priority) end
  lane.added = lane.added + 1
  local open = openOf(term)
  open.added[#open.added + 1] = ARGV[i + 2]
  open.added[#open.added + 1] = id
  if delay == 0 then term.queue.added = (term.queue.added or 0) + 1 end
  if ARGV[i + 7] ~= "" then
    redis.call("SET", prefix .. ":dedup:" .. ARGV[i + 7], id, "PX", tonumber(window) + delay)
  end
end

local job = 0
for i = first, #ARGV, 9 do
  job = job + 1
  if answers[job] == "c" then add(terms[tonumber(ARGV[i])], i) end
end
for record, kept in pairs(records) do redis.call("SET", prefix .. ":idempotency:" .. record, kept, "PX", window) end
for _, lane in pairs(lanes) do
  redis.call("INCRBY", lane.key .. "id", lane.added)
  if #lane.waiting > 0 then redis.call("LPUSH", lane.key .. "wait", unpack(lane.waiting)) end
  local isFull = lane.meta[2] and redis.call("LLEN", lane.key .. "active") >= tonumber(lane.meta[2])
  if lane.hasWork and not lane.meta[1] and not isFull then redis.call("ZADD", lane.key .. "marker", 0, "0") end
end
if room and spent > 0 then redis.call("HINCRBY", prefix .. ":admission", "room", -spent) end
for _, queue in ipairs(queues) do
  for tenant, open in pairs(queue.open or {}) do
    if open.ended and #open.ended > 0 then redis.call("ZREM", open.key, unpack(open.ended)) end
    if open.looked then redis.call("SET", open.looked, "", "PX", ${OPEN_LOOKED_MS}) end
    if #open.added > 0 then
      redis.call("ZADD", open.key, unpack(open.added))
      redis.call("SADD", prefix .. ":tenants:" .. queue.name, tenant)
    end
  end
  if queue.depth then
    answers[#answers + 1] = queue.name
    answers[#answers + 1] = queue.depth
    answers[#answers + 1] = redis.call("HINCRBY", prefix .. ":admission", "admitted:" .. queue.name, queue.added or 0)
  end
end
return answers
`;
