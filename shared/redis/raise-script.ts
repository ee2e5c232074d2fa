/**
 * Gives jobs that have waited long the highest priority of their lane, in BullMQ's own layout: what it leaves is what
 * BullMQ's change of a priority leaves, a test holds every key of both against each other, and BullMQ is
 * pinned.
 *
 * Jobs of one priority lie in the order in which they came to wait, by a counter that BullMQ keeps; so those that
 * wait longest are found without looking at the others.
 */

/**
 * ARGV: prefix of the lane's keys, highest priority, counter up to which a job has waited long enough or "" to raise
 * none, least age in ms, most jobs. Returns Redis time, the counter as it is, how many were raised.
 *
 * A job that was accepted too lately is left, whatever its counter: the counter begins anew when a lane is empty.
 */
export const RAISE_OLD = `
local lane, highest, counterMax, left = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counter = tonumber(redis.call("GET", lane .. "pc") or 0)
local raised = 0
if not counterMax then return {now, counter, 0} end

local function raise(id)
  redis.call("ZREM", lane .. "prioritized", id)
  local count = redis.call("INCR", lane .. "pc")
  redis.call("ZADD", lane .. "prioritized", highest * 0x100000000 + count % 0x100000000, id)
  redis.call("HSET", lane .. id, "priority", highest)
  raised = raised + 1
end

-- The next priority below that has jobs, and its first.
local function bandBelow(priority)
  local first = redis.call("ZRANGEBYSCORE", lane .. "prioritized", (priority + 1) * 0x100000000, "+inf", "WITHSCORES", "LIMIT", 0, 1)
  return first[2] and math.floor(tonumber(first[2]) / 0x100000000)
end

local band = bandBelow(highest)
while band and left > 0 do
  local low = band * 0x100000000
  local ids = redis.call("ZRANGEBYSCORE", lane .. "prioritized", low, low + counterMax, "LIMIT", 0, left)
  for _, id in ipairs(ids) do
    local accepted = tonumber(redis.call("HGET", lane .. id, "timestamp"))
    if accepted and accepted <= now - tonumber(ARGV[4]) then raise(id) end
  end
  left = left - #ids
  band = bandBelow(band)
end
if raised > 0 then
  local meta = redis.call("HMGET", lane .. "meta", "paused", "concurrency")
  local isFull = meta[2] and redis.call("LLEN", lane .. "active") >= tonumber(meta[2])
  if not meta[1] and not isFull then redis.call("ZADD", lane .. "marker", 0, "0") end
end
return {now, tonumber(redis.call("GET", lane .. "pc") or 0), raised}
`;
