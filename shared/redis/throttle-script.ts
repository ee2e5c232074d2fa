/**
 * The Lua of the throttles: two counters, and the frame that decides all throttles of a request in one step.
 *
 * A bucket (GCRA) serves the token bucket and the leaky bucket, a window the fixed and the sliding one. A request that
 * meets both kinds must be decided in one step, or it would be charged by one and refused by the other. Several requests
 * share a call: each finds the counts as those before it have left them, and each count is read and written once.
 *
 * All arithmetic is on whole numbers below 2^53, so answers are exact to the millisecond. Time is Redis' own.
 * `shared/throttle/counted.ts` reads what is returned here; the two change together.
 */

/**
 * Generic cell rate algorithm, as a virtual scheduler (ITU-T I.371, annex A). Stored: when all that was
 * taken is worked off, as whole ms and a rest in parts of `limit`, then limit and window. `owed` is that as
 * a length of time, times limit: one job is one `window` of it. At another rate the same jobs are owed.
 */
const BUCKET = `
local bucket = {}
function bucket.read(it)
  local stored = redis.call("GET", it.key)
  it.owed = 0
  if not stored then return end
  local at, rest, limit, window = string.match(stored, "^(%d+) (%d+) (%d+) (%d+)$")
  local owed = math.max(0, (tonumber(at) - now) * tonumber(limit) + tonumber(rest))
  if tonumber(limit) ~= it.limit or tonumber(window) ~= it.window then
    owed = math.ceil(owed / tonumber(window) * it.window)
  end
  it.owed = math.min(owed, it.burst * it.window + delayMax * it.limit)
end
function bucket.count(it) return it.owed, 0, 0 end
function bucket.fits(it, cost)
  local capacity, after = it.burst * it.window, it.owed + cost * it.window
  return after <= capacity, after <= capacity + delayMax * it.limit
end
function bucket.take(it, cost) it.owed = it.owed + cost * it.window end
function bucket.write(it)
  local at, rest = now + math.floor(it.owed / it.limit), it.owed % it.limit
  local text = string.format("%.0f %.0f %d %d", at, rest, it.limit, it.window)
  redis.call("SET", it.key, text, "PX", string.format("%.0f", math.max(KEPT_MS, at - now + 1)))
end
`;

/**
 * Jobs of the present window and the one before. The sliding window weighs the latter by how much of it the
 * last `window` ms still hold (Cloudflare, "How we built rate limiting", 2017). Stored: number of the window,
 * both counts, window. Of another length they mean nothing and the count starts anew.
 */
const WINDOW = `
local window = {}
function window.read(it)
  it.index = math.floor(now / it.window)
  it.elapsed = now - it.index * it.window
  it.current, it.previous = 0, 0
  local stored = redis.call("GET", it.key)
  if stored then
    local at, count, before, length = string.match(stored, "^(%d+) (%d+) (%d+) (%d+)$")
    at = tonumber(at)
    if tonumber(length) == it.window then
      if at > it.index then it.index, it.elapsed = at, 0 end
      if at == it.index then it.current, it.previous = tonumber(count), tonumber(before) end
      if at == it.index - 1 then it.previous = tonumber(count) end
    end
  end
  it.weight = it.kind == "sliding" and it.window - it.elapsed or 0
end
function window.count(it) return it.current, it.previous, it.elapsed end
function window.fits(it, cost)
  local fits = (it.current + cost) * it.window + it.previous * it.weight <= it.limit * it.window
  return fits, fits
end
function window.take(it, cost) it.current = it.current + cost end
function window.write(it)
  local text = string.format("%.0f %d %d %d", it.index, it.current, it.previous, it.window)
  redis.call("SET", it.key, text, "PX", string.format("%.0f", math.max(KEPT_MS, 2 * it.window - it.elapsed + 1)))
end
`;

/**
 * KEYS: one a throttle. ARGV: the time in ms (empty: Redis' own; only tests give one), longest delay; then of each
 * throttle: bucket, fixed or sliding; limit; window; burst; then of each take: cost, number of its throttles, and of each
 * of these: its number; reject, delay or degrade.
 * Returns of each throttle of each take: 0 passes, 1 is delayed, 2 is degraded, 3 is refused; then three numbers of
 * its count as it was before. A take that one of its throttles refuses takes nothing, and none takes from one that is degraded.
 */
export const TAKE = `
local KEPT_MS = 60000
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call("TIME")
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local delayMax = tonumber(ARGV[2])
${BUCKET}${WINDOW}
local throttles, at = {}, 3
for n, key in ipairs(KEYS) do
  local it = {
    key = key, kind = ARGV[at], limit = tonumber(ARGV[at + 1]), window = tonumber(ARGV[at + 2]), burst = tonumber(ARGV[at + 3]),
  }
  it.is = it.kind == "bucket" and bucket or window
  it.is.read(it)
  throttles[n] = it
  at = at + 4
end
local reply = {}
while at < #ARGV do
  local cost, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local taken, isRefused = {}, false
  for n = at + 2, at + 2 * count, 2 do
    local it, excess = throttles[tonumber(ARGV[n])], ARGV[n + 1]
    local fits, fitsLater = it.is.fits(it, cost)
    local verdict = 3
    if fits then verdict = 0
    elseif excess == "degrade" then verdict = 2
    elseif excess == "delay" and it.kind == "bucket" and fitsLater then verdict = 1 end
    if verdict < 2 then taken[#taken + 1] = it end
    if verdict == 3 then isRefused = true end
    local told = #reply
    reply[told + 1] = verdict
    reply[told + 2], reply[told + 3], reply[told + 4] = it.is.count(it)
  end
  if not isRefused then
    for _, it in ipairs(taken) do
      it.is.take(it, cost)
      it.isTaken = true
    end
  end
  at = at + 2 + 2 * count
end
for _, it in ipairs(throttles) do
  if it.isTaken then it.is.write(it) end
end
return reply
`;
