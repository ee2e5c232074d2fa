/**
 * The scripts by which workers register and beat. `fleet-store.ts` sends them; every time is Redis' own.
 *
 * What a changer must know: the order of KEYS and ARGV is that of the calls there.
 */

/**
 * KEYS: generation, bullmq-major, seen, worker, workers. ARGV: worker id, BullMQ major, facts, forget-after ms,
 * facts kept ms.
 * Refuses another BullMQ major than that of workers seen lately; else raises the generation.
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
return {generation, now}
`;

/**
 * KEYS: generation, seen, worker, orders, service, cancel, autoscaler, trips, workers. ARGV: worker id,
 * generation, status, facts kept ms, prefix, number of lanes, the lanes, their fields in the trips, then pairs of a
 * service counter and its increase. A generation other than the stored one is refused. Returns 1, Redis
 * time, the order, the jobs to cancel, the autoscaler's age mark, each lane's trip, each lane's backlog.
 */
export const HEARTBEAT = `
if redis.call("GET", KEYS[1]) ~= ARGV[2] then return {0} end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("PEXPIRE", KEYS[1], ARGV[4])
redis.call("ZADD", KEYS[2], now, ARGV[1])
redis.call("PEXPIRE", KEYS[3], ARGV[4])
redis.call("HSET", KEYS[9], ARGV[1], ARGV[2] .. "|" .. now .. "|" .. ARGV[3])
local lanes = tonumber(ARGV[6])
for i = 7 + 2 * lanes, #ARGV, 2 do redis.call("HINCRBY", KEYS[5], ARGV[i], ARGV[i + 1]) end
local cancel = redis.call("SMEMBERS", KEYS[6])
if #cancel > 0 then redis.call("DEL", KEYS[6]) end
local trips = lanes > 0 and redis.call("HMGET", KEYS[8], unpack(ARGV, 7 + lanes, 6 + 2 * lanes)) or {}
local order = redis.call("HGET", KEYS[4], ARGV[1]) or ""
local reply = {1, now, order, cancel, redis.call("EXISTS", KEYS[7]), trips}
for i = 7, 6 + lanes do
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

/** KEYS: epoch, seen, orders, workers, worker, cancel. ARGV: epoch, worker id. Returns as ORDER does. */
export const FORGET = `
local newest = tonumber(redis.call("GET", KEYS[1]) or "0")
if tonumber(ARGV[1]) < newest then return newest end
redis.call("ZREM", KEYS[2], ARGV[2])
redis.call("HDEL", KEYS[3], ARGV[2])
redis.call("HDEL", KEYS[4], ARGV[2])
redis.call("DEL", KEYS[5], KEYS[6])
return newest
`;
