/**
 * What operators did, newest first: the last ten thousand acts, and each as one line of the log as well.
 *
 * An act is recorded after it was done, so that a record that cannot be written never undoes it; the log line
 * has the same facts, and an error line says that the list lacks them. Nothing of a job's data is ever in it.
 */
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { toRfc3339 } from "../system-clock.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** Acts kept. */
export const AUDIT_KEPT_MAX = 10_000;

/** `before` and `after` of an entry that would be longer are left out of the list; the log line has them. */
const ENTRY_CHARS_MAX = 8_192;

/** Whoever acts is not kept waiting for longer. */
const WRITE_TIMEOUT_MS = 2_000;

const fact = z.record(z.string(), z.unknown());

/** `done`: it is so now. `refused`: nothing changed. `unknown`: the answer was lost, look before trying again. */
export const AUDIT_OUTCOMES = ["done", "refused", "unknown"] as const;

const auditEntry = z.looseObject({
  at: z.string(),
  keyId: z.string().nullable(),
  name: z.string(),
  tenant: z.string(),
  action: z.string(),
  target: z.string(),
  before: fact.optional(),
  after: fact.optional(),
  why: z.string().optional(),
  requestId: z.string().nullable(),
  outcome: z.enum(AUDIT_OUTCOMES),
});

/** Who acted, as `actorOf` says it of a request. */
export interface AuditActor {
  /** `null` where nobody was asked for a key. */
  readonly keyId: string | null;
  readonly name: string;
  readonly tenant: string;
  /** `null` for an act that was no request. */
  readonly requestId: string | null;
}

export interface AuditAct extends AuditActor {
  /** What was done, `<noun>.<verb>`, such as `gate.move`. */
  readonly action: string;
  /** What it was done to: a type, a key id, a job id. */
  readonly target: string;
  /** The facts that the act changed, as they were and as they are; never a job's data. */
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  /** The actor's reason, where one is asked for. */
  readonly why?: string;
  readonly outcome: (typeof AUDIT_OUTCOMES)[number];
}

export interface AuditEntry extends AuditAct {
  /** Number of the act since the list began; never used twice. */
  readonly seq: number;
  readonly at: string;
}

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  /** Entries of the page that this version cannot read. */
  readonly unreadable: number;
  /** Where the next page begins, `null` when nothing older is kept. */
  readonly nextBefore: number | null;
}

export interface AuditPorts {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
}

/** KEYS: list, count. ARGV: entry, most entries kept. Adds and counts in one step. */
const ADD = `
redis.call("LPUSH", KEYS[1], ARGV[1])
redis.call("INCR", KEYS[2])
redis.call("LTRIM", KEYS[1], 0, ARGV[2] - 1)
return 1
`;

/**
 * KEYS: list, count. ARGV: number of the act before which the page begins (0: from the newest), entries
 * wanted. Returns the number of the first entry, the number of entries kept, and the entries.
 */
const READ = `
local newest = tonumber(redis.call("GET", KEYS[2]) or "0")
local first = newest
if tonumber(ARGV[1]) > 0 then first = math.min(newest, tonumber(ARGV[1]) - 1) end
local skipped = newest - first
return {first, redis.call("LLEN", KEYS[1]) - skipped, redis.call("LRANGE", KEYS[1], skipped, skipped + ARGV[2] - 1)}
`;

export class AuditStore {
  readonly #ports: AuditPorts;
  readonly #places: readonly [string, string];

  constructor(ports: AuditPorts) {
    this.#ports = ports;
    this.#places = [ports.keys.audit, `${ports.keys.audit}:count`];
  }

  /** Records an act. Never rejects: what was done stays done. */
  async record(act: AuditAct): Promise<void> {
    const { clock, log } = this.#ports;
    const entry = { at: toRfc3339(clock.nowMs()), ...act };
    log.info({ audit: entry }, "an operator acted");
    try {
      await this.#write(entry);
    } catch (error) {
      log.error({ err: error, audit: entry }, "an act is missing from the audit list");
    }
  }

  /** @param before number of the act before which the page begins; `null`: from the newest. */
  async page(limit: number, before: number | null): Promise<AuditPage> {
    const [first, kept, texts] = (await this.#ports.redis.eval(
      READ,
      2,
      ...this.#places,
      before ?? 0,
      limit,
    )) as [number, number, string[]];
    const entries = texts.flatMap((text, index): AuditEntry[] => {
      const read = auditEntry.safeParse(parsed(text));
      return read.success ? [{ seq: first - index, ...(read.data as Omit<AuditEntry, "seq">) }] : [];
    });
    const nextBefore = kept > texts.length && texts.length > 0 ? first - texts.length + 1 : null;
    return { entries, unreadable: texts.length - entries.length, nextBefore };
  }

  async #write(entry: Omit<AuditEntry, "seq">): Promise<void> {
    const { redis, clock } = this.#ports;
    // A connection that sits an outage out would write it at some time after the error line.
    if (redis.status !== "ready") throw new Error("Redis is not reachable");
    const whole = JSON.stringify(entry);
    const { before: _before, after: _after, ...short } = entry;
    const text = whole.length <= ENTRY_CHARS_MAX ? whole : JSON.stringify(short);
    const over = new AbortController();
    const late = clock.sleep(WRITE_TIMEOUT_MS, over.signal).then((end) => {
      if (end === "elapsed") throw new Error("Redis did not answer in time; it may be there all the same");
    });
    try {
      await Promise.race([redis.eval(ADD, 2, ...this.#places, text, AUDIT_KEPT_MAX), late]);
    } finally {
      over.abort();
    }
  }
}

/** Who makes a request, for the record of what it does. */
export function actorOf(request: {
  readonly id: string;
  readonly caller: { readonly keyId: string | null; readonly name: string; readonly tenant: string };
}): AuditActor {
  const { keyId, name, tenant } = request.caller;
  return { keyId, name, tenant, requestId: request.id };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
