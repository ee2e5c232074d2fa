/**
 * The API keys in Redis: made, rotated, revoked, listed; and a copy that follows them.
 *
 * Every change is written against the revision that it was decided on, so two operators never undo each
 * other. A revision is random and not a count: a Redis that was emptied never looks like the one before.
 * What a key may become is decided in `shared/auth/`; this file only moves it.
 */
import { randomUUID } from "node:crypto";
import { type HeldKey, holdKey } from "../auth/held-key.ts";
import { type KeyDocument, keyDocument } from "../auth/key-document.ts";
import type { Clock } from "../clock.ts";
import { untilAborted } from "../until-aborted.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** Every process holds a copy of all of them. */
export const KEYS_MAX = 10_000;

/** Others may change a key at the same moment; each lost race is one retry. */
const CAS_ATTEMPTS_MAX = 20;

const REFRESH_INTERVAL_MS = 1_000;

/** Unknown key ids make the copy look sooner, and at most this often. */
const LOOK_SPACING_MS = 250;

/** Whoever waits for a look is answered by then. */
const LOOK_TIMEOUT_MS = 2_000;

/**
 * KEYS: keys, revision. ARGV: expected revision ("" for none), new revision, key id, its new document, most
 * keys. Returns 1 when set, 0 when something changed meanwhile, -1 when there are as many as there may be.
 */
const COMPARE_AND_SET = `
if (redis.call("GET", KEYS[2]) or "") ~= ARGV[1] then return 0 end
if redis.call("HEXISTS", KEYS[1], ARGV[3]) == 0 and redis.call("HLEN", KEYS[1]) >= tonumber(ARGV[5]) then
  return -1
end
redis.call("HSET", KEYS[1], ARGV[3], ARGV[4])
redis.call("SET", KEYS[2], ARGV[2])
return 1
`;

/** KEYS: keys, revision. ARGV: the revision known. Returns the revision and, when it is another one, all keys. */
const READ_IF_CHANGED = `
local revision = redis.call("GET", KEYS[2]) or ""
if revision == ARGV[1] then return {revision} end
return {revision, redis.call("HGETALL", KEYS[1])}
`;

export type KeyWrite = "written" | "unknown-key" | "too-many-keys";

export class KeyStore {
  readonly #redis: RedisConnection;
  readonly #apiKeys: string;
  readonly #revision: string;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#apiKeys = keys.apiKeys;
    this.#revision = `${keys.apiKeys}:revision`;
  }

  /** Adds a key, unless there are `KEYS_MAX`. */
  async create(document: KeyDocument): Promise<KeyWrite> {
    return this.#write(document.keyId, (found) => {
      if (found !== null) throw new Error(`the key id ${document.keyId} is taken`);
      return document;
    });
  }

  /**
   * Changes one key by `next`, which gets it as it is stored and is asked again whenever something changed
   * meanwhile; the same document back writes nothing.
   */
  async change(keyId: string, next: (document: KeyDocument) => KeyDocument): Promise<KeyWrite> {
    return this.#write(keyId, (found) => (found === null ? null : next(found)));
  }

  /** Every key that this version can read, by when it was made. */
  async list(): Promise<readonly KeyDocument[]> {
    const documents = readDocuments(Object.values(await this.#redis.hgetall(this.#apiKeys)));
    return documents.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  async #write(keyId: string, next: (found: KeyDocument | null) => KeyDocument | null): Promise<KeyWrite> {
    for (let attempt = 0; attempt < CAS_ATTEMPTS_MAX; attempt += 1) {
      // The revision first: a change between the two reads then loses its race.
      const revision = (await this.#redis.get(this.#revision)) ?? "";
      const text = await this.#redis.hget(this.#apiKeys, keyId);
      const found = text === null ? null : keyDocument.parse(JSON.parse(text));
      const document = next(found);
      if (document === null) return "unknown-key";
      if (document === found) return "written";
      const set = await this.#redis.eval(
        COMPARE_AND_SET,
        2,
        this.#apiKeys,
        this.#revision,
        revision,
        randomUUID(),
        keyId,
        JSON.stringify(document),
        KEYS_MAX,
      );
      if (set === 1) return "written";
      if (set === -1) return "too-many-keys";
    }
    throw new Error(`The keys changed ${CAS_ATTEMPTS_MAX} times while one was being written`);
  }
}

/**
 * A copy of the keys that is at most a second old while Redis answers, and stays as it is while it does not:
 * a key that was good goes on being good, until it expires by the copy's own words.
 */
export class KeyFollower {
  readonly #redis: RedisConnection;
  readonly #keys: readonly [string, string];
  readonly #clock: Clock;
  #revision: string | null = null;
  #held: ReadonlyMap<string, HeldKey> = new Map();
  /** The look that whoever asks now is answered by. */
  #nextLook: Promise<void> | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(redis: RedisConnection, { apiKeys }: Keys, clock: Clock) {
    this.#redis = redis;
    this.#keys = [apiKeys, `${apiKeys}:revision`];
    this.#clock = clock;
  }

  /** Every key of the copy. */
  get held(): Iterable<HeldKey> {
    return this.#held.values();
  }

  /** The key as the copy has it, `null` when it has none of this id. */
  find(keyId: string): HeldKey | null {
    return this.#held.get(keyId) ?? null;
  }

  /**
   * The key as it is stored now, for what the copy does not know: everybody who asks within a quarter
   * of a second shares one look, which costs Redis one read of the revision when nothing has changed.
   * Rejects when Redis does not answer.
   */
  async lookUp(keyId: string): Promise<HeldKey | null> {
    this.#nextLook ??= this.#lookSoon();
    await answeredInTime(this.#clock, this.#nextLook);
    return this.find(keyId);
  }

  /** Reads the keys if they have changed. Rejects when Redis does not answer, at once when it is known to be away. */
  async refresh(): Promise<void> {
    // A connection that sits an outage out would keep every look of it for later.
    if (this.#redis.status !== "ready") throw new Error("Redis is not reachable");
    const [revision, entries] = (await this.#redis.eval(
      READ_IF_CHANGED,
      2,
      ...this.#keys,
      this.#revision ?? "none yet",
    )) as [string, string[]?];
    if (entries === undefined) return;
    const texts = entries.filter((_text, index) => index % 2 === 1);
    this.#held = new Map(readDocuments(texts).map((it) => [it.keyId, holdKey(it)]));
    this.#revision = revision;
  }

  /** Follows until `stop` aborts. */
  async run(stop: AbortSignal): Promise<void> {
    while ((await this.#clock.sleep(REFRESH_INTERVAL_MS, stop)) === "elapsed") {
      const asked = this.refresh().catch(() => undefined);
      // An answer that never comes must not hold up a stop.
      await Promise.race([asked, untilAborted(stop)]);
    }
  }

  async #lookSoon(): Promise<void> {
    const waitMs = this.#lookedAtMs + LOOK_SPACING_MS - this.#clock.monotonicMs();
    await (waitMs > 0 ? this.#clock.sleep(waitMs) : undefined);
    this.#lookedAtMs = this.#clock.monotonicMs();
    // Whoever asks from here on may want what is written only after this look: theirs is the next one.
    this.#nextLook = null;
    await this.refresh();
  }
}

/** What this version cannot read is no key to it. */
function readDocuments(texts: readonly string[]): readonly KeyDocument[] {
  return texts.flatMap((text) => {
    const read = keyDocument.safeParse(parsed(text));
    return read.success ? [read.data] : [];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function answeredInTime(clock: Clock, looking: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = clock.sleep(LOOK_TIMEOUT_MS, over.signal).then((end) => {
    if (end === "elapsed") throw new Error("Redis did not answer in time");
  });
  try {
    await Promise.race([looking, late]);
  } finally {
    over.abort();
  }
}
