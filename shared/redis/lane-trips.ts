/**
 * Which lanes which release takes nothing from, because its own upcaster failed there: one small hash,
 * shared by all workers of the release.
 *
 * It is written when a lane trips and when a trip is closed, never by a job that goes well. Workers read
 * it in their heartbeat's script. For how long a lane trips is the worker's decision; here two workers'
 * decisions meet, by compare-and-set on the trips counted so far. Times are Redis' own.
 *
 * What a changer must know: a trip outlives its time by an hour, half-open, so that the next one is
 * longer. It is gone once a success closes it, its release is retired, or that hour has passed.
 */
import { z } from "zod";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { ReadBatch } from "./read-batch.ts";

/** How long a trip is remembered beyond its time. */
const KEPT_MS = 3_600_000;

/** When the hash goes that nobody wrote to any more: beyond the longest trip and its hour. */
const HASH_KEPT_MS = 2 * KEPT_MS;

/** Trips kept, all releases together; beyond it the one that ends first makes room. */
const TRIPS_MAX = 256;

const laneTrip = z.object({
  /** When the lane tripped. */
  atMs: z.number(),
  /** Until when the release takes nothing from it; half-open afterwards. */
  untilMs: z.number(),
  /** Trips in a row that no success has closed, from 1. */
  failures: z.int(),
  /** The job type whose step failed. */
  type: z.string(),
  /** The version that the step leads to. */
  targetVersion: z.int(),
  /** Stable code of the failure. */
  code: z.string(),
  /** The job that failed to be read. */
  jobId: z.string(),
});

export type LaneTrip = z.output<typeof laneTrip>;

/** What failed, without when and for how long. */
export type BuildDefect = Pick<LaneTrip, "type" | "targetVersion" | "code" | "jobId">;

/** Trips by lane, of one release. */
export type TripsByLane = ReadonlyMap<string, LaneTrip>;

export interface ReleaseLane {
  readonly release: string;
  readonly lane: string;
}

export type ObservedTrip = LaneTrip & ReleaseLane;

/** A trip that was asked for, and what is in force now. */
export interface TripReply {
  /** False when another worker came first: decide again, from `trip`. */
  readonly set: boolean;
  readonly trip: LaneTrip | null;
}

/** `known(text, now, kept)`: the trip in a stored text, or nothing when there is none or it is forgotten. */
const KNOWN = `
local function known(text, now, kept)
  if not text then return nil end
  local ok, trip = pcall(cjson.decode, text)
  if ok and type(trip) == "table" and (tonumber(trip.untilMs) or 0) + kept > now then return trip end
  return nil
end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * KEYS: trips. ARGV: field, trips counted so far, length in ms, the trip without its times, kept ms,
 * hash kept ms, trips max. Returns whether it was set, and the text that is stored now or "".
 */
const TRIP = `${KNOWN}
local stored = redis.call("HGET", KEYS[1], ARGV[1])
local earlier = known(stored, now, tonumber(ARGV[5]))
if (earlier and earlier.failures or 0) ~= tonumber(ARGV[2]) then return {0, earlier and stored or ""} end
if not stored and redis.call("HLEN", KEYS[1]) >= tonumber(ARGV[7]) then
  local all = redis.call("HGETALL", KEYS[1])
  local first, firstUntil = nil, nil
  for i = 1, #all, 2 do
    local trip = known(all[i + 1], now, tonumber(ARGV[5]))
    local ends = trip and trip.untilMs or 0
    if not first or ends < firstUntil then first, firstUntil = all[i], ends end
  end
  redis.call("HDEL", KEYS[1], first)
end
local trip = cjson.decode(ARGV[4])
trip.atMs = now
trip.untilMs = now + tonumber(ARGV[3])
local text = cjson.encode(trip)
redis.call("HSET", KEYS[1], ARGV[1], text)
redis.call("PEXPIRE", KEYS[1], ARGV[6])
return {1, text}
`;

/** KEYS: trips. ARGV: field, trips counted so far. A trip that was made longer meanwhile stays. */
const CLOSE = `
local stored = redis.call("HGET", KEYS[1], ARGV[1])
if not stored then return 0 end
local ok, trip = pcall(cjson.decode, stored)
if ok and type(trip) == "table" and trip.failures ~= tonumber(ARGV[2]) then return 0 end
return redis.call("HDEL", KEYS[1], ARGV[1])
`;

/** KEYS: trips. ARGV: fields. Returns Redis time and the text of each, or "". */
const READ = `
local time = redis.call("TIME")
local reply = {time[1] * 1000 + math.floor(time[2] / 1000)}
for i = 1, #ARGV do reply[i + 1] = redis.call("HGET", KEYS[1], ARGV[i]) or "" end
return reply
`;

/** KEYS: trips. ARGV: kept ms, live releases. Forgets what is over and whose release is not live; returns the rest. */
const OBSERVE = `${KNOWN}
local live = {}
for i = 2, #ARGV do live[ARGV[i]] = true end
local all = redis.call("HGETALL", KEYS[1])
local reply = {}
for i = 1, #all, 2 do
  local release = string.match(all[i], "^(.*)|")
  if release and live[release] and known(all[i + 1], now, tonumber(ARGV[1])) then
    reply[#reply + 1] = all[i]
    reply[#reply + 1] = all[i + 1]
  else
    redis.call("HDEL", KEYS[1], all[i])
  end
end
return reply
`;

export class LaneTripStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** A release's trips now; workers get them with each heartbeat, and need this one only to begin with. */
  async read(
    release: string,
    lanes: readonly string[],
  ): Promise<{ readonly redisNowMs: number; readonly trips: TripsByLane }> {
    const fields = lanes.map((lane) => tripField({ release, lane }));
    const reply = (await this.#redis.eval(READ, 1, this.#keys.fleetTrips, ...fields)) as [
      number,
      ...string[],
    ];
    const [redisNowMs, ...texts] = reply;
    return { redisNowMs, trips: tripsOf(lanes, texts, redisNowMs) };
  }

  /**
   * Trips a lane for `lengthMs` from now, unless another worker has done so since the caller looked.
   *
   * @param earlier the trip that the caller decided from.
   */
  async trip(
    at: ReleaseLane,
    earlier: Pick<LaneTrip, "failures"> | null,
    made: BuildDefect & Pick<LaneTrip, "failures"> & { readonly lengthMs: number },
  ): Promise<TripReply> {
    const { lengthMs, ...facts } = made;
    const [set, text] = (await this.#redis.eval(
      TRIP,
      1,
      this.#keys.fleetTrips,
      tripField(at),
      earlier?.failures ?? 0,
      Math.round(lengthMs),
      JSON.stringify(facts),
      KEPT_MS,
      HASH_KEPT_MS,
      TRIPS_MAX,
    )) as [number, string];
    return { set: set === 1, trip: parseTrip(text) };
  }

  /** Ends a trip after a success. Nothing happens when there is none, or a longer one by now. */
  async close(at: ReleaseLane, { failures }: Pick<LaneTrip, "failures">): Promise<void> {
    await this.#redis.eval(CLOSE, 1, this.#keys.fleetTrips, tripField(at), failures);
  }

  /** Every trip of a live release; those of others are forgotten for good. */
  async observe(liveReleases: readonly string[], batch?: ReadBatch): Promise<readonly ObservedTrip[]> {
    const own = batch ?? new ReadBatch(this.#redis);
    const asking = own.ask((pipeline) =>
      pipeline.eval(OBSERVE, 1, this.#keys.fleetTrips, KEPT_MS, ...liveReleases),
    );
    if (batch === undefined) await own.send();
    const [reply = []] = (await asking) as readonly string[][];
    const trips: ObservedTrip[] = [];
    for (let index = 0; index + 1 < reply.length; index += 2) {
      const [release = "", lane = ""] = (reply[index] ?? "").split("|");
      const trip = parseTrip(reply[index + 1] ?? "");
      if (trip !== null) trips.push({ ...trip, release, lane });
    }
    return trips;
  }
}

/** Neither a release's id nor a lane's name holds a bar. */
export function tripField({ release, lane }: ReleaseLane): string {
  return `${release}|${lane}`;
}

/** What Redis holds for each of `lanes`, forgotten and unreadable trips left out. */
export function tripsOf(
  lanes: readonly string[],
  texts: readonly (string | null)[],
  nowMs: number,
): TripsByLane {
  const known = lanes.flatMap((lane, index) => {
    const trip = parseTrip(texts[index] ?? "");
    return trip === null || trip.untilMs + KEPT_MS <= nowMs ? [] : [[lane, trip] as const];
  });
  return new Map(known);
}

function parseTrip(text: string): LaneTrip | null {
  if (text === "") return null;
  try {
    const result = laneTrip.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
