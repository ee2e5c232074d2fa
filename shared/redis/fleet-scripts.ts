/**
 * The scripts by which workers register and beat. `fleet-store.ts` sends them; every time is Redis' own.
 *
 * What a changer must know: the order of KEYS and ARGV is that of the calls there.
 */

/** When the counters of a release go that nobody adds to any more. */
const COUNTERS_KEPT_MS = 30 * 86_400_000;

/** Counters of a release; beyond it types and tenants that are not among them yet are counted as others. */
const COUNTERS_MAX = 2_000;

/**
 * KEYS: generation, bullmq-major, seen, worker, workers, release orders. ARGV: worker id, BullMQ major, facts,
 * forget-after ms, facts kept ms, release.
 * Refuses another BullMQ major than that of workers seen lately; else raises the generation. Returns it, Redis time, and
 * what is wanted of the release.
 */
export const REGISTER = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local major = redis.call("GET", KEYS[2])
local fleet = redis.call("ZCOUNT", KEYS[3], now - tonumber(ARGV[4]), "+inf")
if major and major ~= ARGV[2] and fleet > 0 then return {0, major} end
redis.call("SET", KEYS[2], ARGV[2])
local generation = redis.call("INCR", KEYS[1])
redis.call("PEXPIRE", KEYS[1], ARGV[5])
redis.call("ZADD", KEYS[3], now, ARGV[1])
redis.call("HSET", KEYS[4], "facts", ARGV[3], "generation", generation, "registeredAt", now)
redis.call("PEXPIRE", KEYS[4], ARGV[5])
redis.call("HSET", KEYS[5], ARGV[1], generation .. "|" .. now .. "|")
return {generation, now, redis.call("HGET", KEYS[6], ARGV[6]) or ""}
`;

/**
 * `countRuns(key, from, pairs)`: adds pairs of a counter and its increase that begin at ARGV[from]. The hash is bounded by
 * what is in it already.
 */
const COUNT_RUNS = `
local function countRuns(key, from, pairs)
  local full = redis.call("HLEN", key) >= ${COUNTERS_MAX}
  for i = from, from + 2 * pairs - 1, 2 do
    local name = ARGV[i]
    local kind, count = string.match(name, "^(%l+)|.+|(%l+)$")
    if full and kind and redis.call("HEXISTS", key, name) == 0 then name = kind .. "|(other)|" .. count end
    redis.call("HINCRBY", key, name, ARGV[i + 1])
  end
  redis.call("PEXPIRE", key, ${COUNTERS_KEPT_MS})
end
`;

/**
 * KEYS: generation, seen, worker, orders, service, cancel, autoscaler, trips, workers, release orders. ARGV: worker id,
 * generation, status, facts kept ms, prefix, release, number of lanes, number of service counters, the lanes, their fields in
 * the trips, pairs of a service counter and its increase, then for each release that something was counted of: the key of its
 * counters, their number, pairs of a counter and its increase. A generation other than the stored one is refused. Returns 1,
 * Redis time, the order, what is wanted of the release, the jobs to cancel, the autoscaler's age mark, each lane's trip, each
 * lane's backlog.
 */
export const HEARTBEAT = `${COUNT_RUNS}
if redis.call("GET", KEYS[1]) ~= ARGV[2] then return {0} end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("PEXPIRE", KEYS[1], ARGV[4])
redis.call("ZADD", KEYS[2], now, ARGV[1])
redis.call("PEXPIRE", KEYS[3], ARGV[4])
redis.call("HSET", KEYS[9], ARGV[1], ARGV[2] .. "|" .. now .. "|" .. ARGV[3])
local lanes = tonumber(ARGV[7])
local at = 9 + 2 * lanes
local runs = at + 2 * tonumber(ARGV[8])
for i = at, runs - 1, 2 do redis.call("HINCRBY", KEYS[5], ARGV[i], ARGV[i + 1]) end
while runs < #ARGV do
  countRuns(ARGV[runs], runs + 2, tonumber(ARGV[runs + 1]))
  runs = runs + 2 + 2 * tonumber(ARGV[runs + 1])
end
local cancel = redis.call("SMEMBERS", KEYS[6])
if #cancel > 0 then redis.call("DEL", KEYS[6]) end
local trips = lanes > 0 and redis.call("HMGET", KEYS[8], unpack(ARGV, 9 + lanes, 8 + 2 * lanes)) or {}
local order = redis.call("HGET", KEYS[4], ARGV[1]) or ""
local wanted = redis.call("HGET", KEYS[10], ARGV[6]) or ""
local reply = {1, now, order, wanted, cancel, redis.call("EXISTS", KEYS[7]), trips}
for i = 9, 8 + lanes do
  local lane = ARGV[5] .. ":" .. ARGV[i]
  reply[#reply + 1] = redis.call("LLEN", lane .. ":wait") + redis.call("ZCARD", lane .. ":prioritized")
end
return reply
`;

/** KEYS: epoch, orders. ARGV: epoch, worker id, order. Returns the newest epoch; nothing is done for a lower one. */
export const ORDER = `
local newest = tonumber(redis.call("GET", KEYS[1]) or "0")
if tonumber(ARGV[1]) >= newest then redis.call("HSET", KEYS[2], ARGV[2], ARGV[3]) end
return newest
`;

/**
 * KEYS: epoch, seen, orders, workers, worker, cancel. ARGV: epoch, worker id, prefix. Returns as ORDER does. What it said last
 * that it runs counts as starts whose worker was lost.
 */
export const FORGET = `
local newest = tonumber(redis.call("GET", KEYS[1]) or "0")
if tonumber(ARGV[1]) < newest then return newest end
local function decoded(text)
  local ok, value = pcall(cjson.decode, text or "")
  return ok and type(value) == "table" and value or {}
end
local facts = decoded(redis.call("HGET", KEYS[5], "facts"))
local status = decoded(string.match(redis.call("HGET", KEYS[4], ARGV[2]) or "", "^%d+|%d+|(.+)$"))
local busy = tonumber(status.busy) or 0
if busy > 0 and type(facts.queue) == "string" and type(facts.release) == "string" then
  local runs = ARGV[3] .. ":release:runs:" .. facts.queue .. ":" .. facts.release
  redis.call("HINCRBY", runs, "stalls", string.format("%d", busy))
  redis.call("PEXPIRE", runs, ${COUNTERS_KEPT_MS})
end
redis.call("ZREM", KEYS[2], ARGV[2])
redis.call("HDEL", KEYS[3], ARGV[2])
redis.call("HDEL", KEYS[4], ARGV[2])
redis.call("DEL", KEYS[5], KEYS[6])
return newest
`;
