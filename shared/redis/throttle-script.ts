/**
 * The Lua of the throttles: two counters, and the frame that decides all throttles of a request in one step.
 *
 * A bucket (GCRA) serves the token bucket and the leaky bucket, a window the fixed and the sliding one. They
 * are two scripts by what they do and one by how they are sent: a request that meets both kinds must be
 * decided in one step, or it would be charged by one and refused by the other.
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
local function bucket(key, it)
  local capacity, delay = it.burst * it.window, delayMax * it.limit
  local stored = redis.call("GET", key)
  local owed = 0
  if stored then
    local at, rest, limit, window = string.match(stored, "^(%d+) (%d+) (%d+) (%d+)$")
    owed = math.max(0, (tonumber(at) - now) * tonumber(limit) + tonumber(rest))
    if tonumber(limit) ~= it.limit or tonumber(window) ~= it.window then
      owed = math.ceil(owed / tonumber(window) * it.window)
    end
    owed = math.min(owed, capacity + delay)
  end
  local after = owed + cost * it.window
  local function write()
    local at, rest = now + math.floor(after / it.limit), after % it.limit
    local text = string.format("%.0f %.0f %d %d", at, rest, it.limit, it.window)
    redis.call("SET", key, text, "PX", string.format("%.0f", math.max(KEPT_MS, at - now + 1)))
  end
  return after <= capacity, after <= capacity + delay, {owed, 0, 0}, write
end
`;

/**
 * Jobs of the present window and the one before. The sliding window weighs the latter by how much of it the
 * last `window` ms still hold (Cloudflare, "How we built rate limiting", 2017). Stored: number of the window,
 * both counts, window. Of another length they mean nothing and the count starts anew.
 */
const WINDOW = `
local function window(key, it)
  local index = math.floor(now / it.window)
  local elapsed = now - index * it.window
  local current, previous = 0, 0
  local stored = redis.call("GET", key)
  if stored then
    local at, count, before, length = string.match(stored, "^(%d+) (%d+) (%d+) (%d+)$")
    at = tonumber(at)
    if tonumber(length) == it.window then
      if at > index then index, elapsed, at = at, 0, at end
      if at == index then current, previous = tonumber(count), tonumber(before) end
      if at == index - 1 then previous = tonumber(count) end
    end
  end
  local weight = it.kind == "sliding" and it.window - elapsed or 0
  local function write()
    local text = string.format("%.0f %d %d %d", index, current + cost, previous, it.window)
    redis.call("SET", key, text, "PX", string.format("%.0f", math.max(KEPT_MS, 2 * it.window - elapsed + 1)))
  end
  local fits = (current + cost) * it.window + previous * weight <= it.limit * it.window
  return fits, fits, {current, previous, elapsed}, write
end
`;

/**
 * KEYS: one a throttle. ARGV: the time in ms (empty: Redis' own; only tests give one), cost, longest delay,
 * then of each throttle: bucket, fixed or sliding; limit; window; burst; reject, delay or degrade.
 * Returns of each: 0 passes, 1 is delayed, 2 is degraded, 3 is refused; then three numbers of its count
 * as it was before. Nothing is taken when one is refused, and nothing from one that is degraded.
 */
export const TAKE = `
local KEPT_MS = 60000
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call("TIME")
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local cost, delayMax = tonumber(ARGV[2]), tonumber(ARGV[3])
${BUCKET}${WINDOW}
local reply, writes, isRefused = {}, {}, false
for n = 1, #KEYS do
  local at = n * 5 - 1
  local it = {
    kind = ARGV[at], limit = tonumber(ARGV[at + 1]), window = tonumber(ARGV[at + 2]),
    burst = tonumber(ARGV[at + 3]), excess = ARGV[at + 4],
  }
  local count = it.kind == "bucket" and bucket or window
  local fits, fitsLater, counted, write = count(KEYS[n], it)
  local verdict = 3
  if fits then verdict = 0
  elseif it.excess == "degrade" then verdict = 2
  elseif it.excess == "delay" and it.kind == "bucket" and fitsLater then verdict = 1 end
  if verdict < 2 then writes[#writes + 1] = write end
  if verdict == 3 then isRefused = true end
  reply[#reply + 1] = verdict
  for i = 1, 3 do reply[#reply + 1] = counted[i] end
end
if not isRefused then
  for i = 1, #writes do writes[i]() end
end
return reply
`;
