/**
 * Schedules in Redis: what was asked for, how far each is, and which is due next.
 *
 * A schedule is one text and its state another, because the API writes the one and the leader the other. Both
 * are written by compare-and-set on what was read, so a leader that worked on a schedule while it was
 * changed writes nothing, and two leaders never write over each other. A state is written only after the
 * job it tells of is stored: a crash in between repeats an occurrence under the same job id.
 */
import { hash } from "node:crypto";
import { type Schedule, storedSchedule } from "../schedules/schedule.ts";
import { dueMs, healthOf, type ScheduleState, scheduleState } from "../schedules/schedule-state.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** Schedules that one tenant may have. */
export const SCHEDULES_MAX = 1_000;

/**
 * KEYS: schedules, states, due, refused, names. ARGV: field, name, SHA-1 of the texts to be replaced or "" for none, the
 * new ones, when due or "", "1" when it is refused, most schedules. Returns 1 stored, 0 changed meanwhile, -1 too many.
 */
const REPLACE = `
local function shaOf(key)
  local text = redis.call("HGET", key, ARGV[1])
  return text and redis.sha1hex(text) or ""
end
if shaOf(KEYS[1]) ~= ARGV[3] or shaOf(KEYS[2]) ~= ARGV[4] then return 0 end
if ARGV[3] == "" and redis.call("ZCARD", KEYS[5]) >= tonumber(ARGV[9]) then return -1 end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[5])
redis.call("HSET", KEYS[2], ARGV[1], ARGV[6])
redis.call("ZADD", KEYS[5], 0, ARGV[2])
if ARGV[7] == "" then redis.call("ZREM", KEYS[3], ARGV[1]) else redis.call("ZADD", KEYS[3], ARGV[7], ARGV[1]) end
if ARGV[8] == "1" then redis.call("SADD", KEYS[4], ARGV[1]) else redis.call("SREM", KEYS[4], ARGV[1]) end
return 1
`;

/**
 * KEYS: schedules, states, due, refused. ARGV: field, SHA-1 of the texts that were read, the new state, when due or "",
 * "1" when it is refused. Returns 1 stored, 0 changed meanwhile.
 */
const ADVANCE = `
for i = 1, 2 do
  local text = redis.call("HGET", KEYS[i], ARGV[1])
  if not text or redis.sha1hex(text) ~= ARGV[i + 1] then return 0 end
end
redis.call("HSET", KEYS[2], ARGV[1], ARGV[4])
if ARGV[5] == "" then redis.call("ZREM", KEYS[3], ARGV[1]) else redis.call("ZADD", KEYS[3], ARGV[5], ARGV[1]) end
if ARGV[6] == "1" then redis.call("SADD", KEYS[4], ARGV[1]) else redis.call("SREM", KEYS[4], ARGV[1]) end
return 1
`;

/** KEYS: schedules, states, due, refused, names. ARGV: field, name. Returns 1 when there was one. */
const REMOVE = `
redis.call("HDEL", KEYS[2], ARGV[1])
redis.call("ZREM", KEYS[3], ARGV[1])
redis.call("SREM", KEYS[4], ARGV[1])
redis.call("ZREM", KEYS[5], ARGV[2])
return redis.call("HDEL", KEYS[1], ARGV[1])
`;

/**
 * KEYS: schedules, states, due, refused. ARGV: most schedules. Returns Redis time, when the next one after those is due
 * or "", how many have a refused occurrence, then of each due one: field, schedule, state.
 */
const DUE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fields = redis.call("ZRANGEBYSCORE", KEYS[3], "-inf", now, "LIMIT", 0, ARGV[1])
local next = redis.call("ZRANGE", KEYS[3], #fields, #fields, "WITHSCORES")[2]
local reply = {now, next or "", redis.call("SCARD", KEYS[4])}
for _, field in ipairs(fields) do
  reply[#reply + 1] = {field, redis.call("HGET", KEYS[1], field) or "", redis.call("HGET", KEYS[2], field) or ""}
end
return reply
`;

/** KEYS: due. ARGV: field, ms. Looked at again then, unless it has gone. */
const POSTPONE = `redis.call("ZADD", KEYS[1], "XX", ARGV[2], ARGV[1])`;

/** A schedule as it was read, to be replaced by compare-and-set. */
export interface StoredSchedule {
  readonly schedule: Schedule;
  readonly state: ScheduleState;
  /** SHA-1 of the two texts. */
  readonly read: { readonly schedule: string; readonly state: string };
}

export interface DueSchedules {
  readonly redisNowMs: number;
  readonly due: readonly StoredSchedule[];
  /** Fields of due schedules that cannot be read: another version wrote them. */
  readonly unreadable: readonly string[];
  /** When the first that is not among them is due; `null`: none is. */
  readonly nextMs: number | null;
  /** Schedules with an occurrence that waits because it was refused. */
  readonly refused: number;
}

export class ScheduleStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async get(tenant: string, name: string): Promise<StoredSchedule | null> {
    const [stored] = await this.#read([fieldOf(tenant, name)]);
    return stored ?? null;
  }

  /** Up to `max` schedules of a tenant by name, those after `after` only. */
  async list(
    tenant: string,
    { after, max }: { readonly after: string | null; readonly max: number },
  ): Promise<readonly StoredSchedule[]> {
    const from = after === null ? "-" : `(${after}`;
    const names = await this.#redis.zrangebylex(this.#keys.scheduleNames(tenant), from, "+", "LIMIT", 0, max);
    return this.#read(names.map((name) => fieldOf(tenant, name)));
  }

  /** @param replaces what was read; `null`: there must be none of the name. */
  async replace(
    { schedule, state }: Pick<StoredSchedule, "schedule" | "state">,
    replaces: StoredSchedule | null,
  ): Promise<"stored" | "changed" | "full"> {
    const { tenant, name } = schedule;
    const reply = await this.#redis.eval(
      REPLACE,
      5,
      ...this.#keysOf(tenant),
      fieldOf(tenant, name),
      name,
      replaces?.read.schedule ?? "",
      replaces?.read.state ?? "",
      JSON.stringify(schedule),
      JSON.stringify(state),
      ...standingOf(schedule, state),
      SCHEDULES_MAX,
    );
    if (reply === -1) return "full";
    return reply === 1 ? "stored" : "changed";
  }

  /** Writes how far a schedule is; answers whether it was still as it was read. */
  async advance({ schedule, read }: StoredSchedule, state: ScheduleState): Promise<boolean> {
    const { tenant, name } = schedule;
    const [schedules, states, due, refused] = this.#keysOf(tenant);
    const reply = await this.#redis.eval(
      ADVANCE,
      4,
      schedules,
      states,
      due,
      refused,
      fieldOf(tenant, name),
      read.schedule,
      read.state,
      JSON.stringify(state),
      ...standingOf(schedule, state),
    );
    return reply === 1;
  }

  /** Answers whether there was one. */
  async remove(tenant: string, name: string): Promise<boolean> {
    const field = fieldOf(tenant, name);
    return (await this.#redis.eval(REMOVE, 5, ...this.#keysOf(tenant), field, name)) === 1;
  }

  /** Up to `max` schedules whose time has come, the longest due first. */
  async due(max: number): Promise<DueSchedules> {
    const [schedules, states, due, refused] = this.#keysOf("");
    const reply = (await this.#redis.eval(DUE, 4, schedules, states, due, refused, max)) as [
      number,
      string,
      number,
      ...[string, string, string][],
    ];
    const [redisNowMs, nextMs, refusedCount, ...rows] = reply;
    const read = rows.map(([field, ...texts]) => ({ field, stored: storedOf(texts) }));
    return {
      redisNowMs,
      due: read.flatMap(({ stored }) => stored ?? []),
      unreadable: read.flatMap(({ field, stored }) => (stored === null ? [field] : [])),
      nextMs: nextMs === "" ? null : Number(nextMs),
      refused: refusedCount,
    };
  }

  /** The clock that schedules follow, in milliseconds since the Unix epoch. */
  async redisNowMs(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }

  /** Looks at a schedule again only at `atMs`, without a change of it. */
  async postpone(field: string, atMs: number): Promise<void> {
    await this.#redis.eval(POSTPONE, 1, this.#keys.schedulesDue, field, atMs);
  }

  #keysOf(tenant: string): [string, string, string, string, string] {
    const { schedules, scheduleStates, schedulesDue, schedulesRefused, scheduleNames } = this.#keys;
    return [schedules, scheduleStates, schedulesDue, schedulesRefused, scheduleNames(tenant)];
  }

  async #read(fields: readonly string[]): Promise<readonly StoredSchedule[]> {
    if (fields.length === 0) return [];
    const replies = await this.#redis
      .multi()
      .hmget(this.#keys.schedules, ...fields)
      .hmget(this.#keys.scheduleStates, ...fields)
      .exec();
    const [schedules, states] = (replies ?? []).map(([error, texts]) => {
      if (error !== null) throw error;
      return texts as (string | null)[];
    });
    return fields.flatMap((_field, index) => storedOf([schedules?.[index], states?.[index]]) ?? []);
  }
}

/** When it is to be looked at, and whether an occurrence of it is refused. */
function standingOf(schedule: Schedule, state: ScheduleState): [string, string] {
  const isRefused = healthOf(state) === "refused" && !schedule.paused;
  return [String(dueMs(schedule, state) ?? ""), isRefused ? "1" : "0"];
}

function fieldOf(tenant: string, name: string): string {
  return `${tenant}/${name}`;
}

/** `null` for what is not there, or was written by a version that keeps it otherwise. */
function storedOf([scheduleText, stateText]: readonly (string | null | undefined)[]): StoredSchedule | null {
  if (!scheduleText || !stateText) return null;
  try {
    const schedule = storedSchedule.parse(JSON.parse(scheduleText));
    const state = scheduleState.parse(JSON.parse(stateText));
    return { schedule, state, read: { schedule: sha1(scheduleText), state: sha1(stateText) } };
  } catch {
    return null;
  }
}

function sha1(text: string): string {
  return hash("sha1", text);
}
