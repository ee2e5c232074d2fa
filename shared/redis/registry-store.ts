/**
 * The registry document in Redis: read, compare-and-set, and a copy that follows it.
 *
 * What the document may become is decided in `shared/registry/`; this file only moves it.
 */
import { PublishRefusedError } from "../errors.ts";
import { decidePublish, retire } from "../registry/decide-publish.ts";
import {
  EMPTY_REGISTRY,
  type RegistryDocument,
  type ReleaseDescriptor,
  registryDocument,
} from "../registry/registry-document.ts";
import { toRfc3339 } from "../system-clock.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/**
 * KEYS[1] registry. ARGV: expected revision, new document. Sets when the stored revision is
 * the expected one (0: nothing stored). Returns 1 when set, 0 otherwise.
 */
const COMPARE_AND_SET = `
local stored = redis.call("GET", KEYS[1])
local revision = 0
if stored then revision = cjson.decode(stored).revision end
if revision ~= tonumber(ARGV[1]) then return 0 end
redis.call("SET", KEYS[1], ARGV[2])
return 1
`;

/** Others may publish at the same moment; each lost race is one retry. */
const CAS_ATTEMPTS_MAX = 20;

export async function loadRegistry(redis: RedisConnection, keys: Keys): Promise<RegistryDocument> {
  const text = await redis.get(keys.registry);
  return text === null ? EMPTY_REGISTRY : registryDocument.parse(JSON.parse(text));
}

/**
 * Publishes one build and gives the document it is in.
 *
 * @throws {PublishRefusedError} when it clashes with what is published.
 */
export async function publishRelease(
  redis: RedisConnection,
  keys: Keys,
  publication: { readonly descriptor: ReleaseDescriptor; readonly nowMs: number },
): Promise<RegistryDocument> {
  const { descriptor, nowMs } = publication;
  return change(redis, keys, (document) => {
    const decision = decidePublish(document, descriptor, toRfc3339(nowMs));
    if (decision.kind === "refused") throw new PublishRefusedError(descriptor.release, decision.problems);
    return decision.kind === "published" ? decision.document : document;
  });
}

/** Marks a release retired; nothing happens when it is not live. */
export async function retireRelease(
  redis: RedisConnection,
  keys: Keys,
  release: string,
): Promise<RegistryDocument> {
  return change(redis, keys, (document) => retire(document, release));
}

async function change(
  redis: RedisConnection,
  keys: Keys,
  next: (document: RegistryDocument) => RegistryDocument,
): Promise<RegistryDocument> {
  for (let attempt = 0; attempt < CAS_ATTEMPTS_MAX; attempt += 1) {
    const document = await loadRegistry(redis, keys);
    const changed = next(document);
    if (changed === document) return document;
    const text = JSON.stringify(changed);
    const set = await redis.eval(COMPARE_AND_SET, 1, keys.registry, document.revision, text);
    if (set === 1) return changed;
  }
  throw new Error(`The registry changed ${CAS_ATTEMPTS_MAX} times while it was being written`);
}

/** A copy of the registry that is as new as its last `refresh`. */
export class RegistryFollower {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  #document: RegistryDocument = EMPTY_REGISTRY;
  #text = "";

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The newest copy; the empty registry before the first `refresh`. */
  get document(): RegistryDocument {
    return this.#document;
  }

  /** Reads the registry once. Answers whether it changed. */
  async refresh(): Promise<boolean> {
    const text = await this.#redis.get(this.#keys.registry);
    if (text === null || text === this.#text) return false;
    this.#document = registryDocument.parse(JSON.parse(text));
    this.#text = text;
    return true;
  }
}
