/**
 * The registry document in Redis: read, compare-and-set, and a copy that follows it.
 *
 * What the document may become is decided in `shared/registry/`; this file only moves it.
 */
import { PublishRefusedError } from "../errors.ts";
import { decideDraft } from "../registry/decide-draft.ts";
import {
  decideGate,
  type GateDecision,
  type GateReadiness,
  type GateRequest,
} from "../registry/decide-gate.ts";
import { decidePublish, type LaneRetirement, retire, retireLane } from "../registry/decide-publish.ts";
import {
  type Change,
  EMPTY_REGISTRY,
  type RegistryDocument,
  type ReleaseDescriptor,
  registryDocument,
} from "../registry/registry-document.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/**
 * KEYS: registry, revision. ARGV: expected revision, new revision, new document. Sets when the stored
 * revision is the expected one (0: nothing stored). Returns 1 when set, 0 otherwise.
 */
const COMPARE_AND_SET = `
local revision = redis.call("GET", KEYS[2])
if not revision then
  local stored = redis.call("GET", KEYS[1])
  revision = stored and cjson.decode(stored).revision or 0
end
if tonumber(revision) ~= tonumber(ARGV[1]) then return 0 end
redis.call("MSET", KEYS[1], ARGV[3], KEYS[2], ARGV[2])
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
  { descriptor, at, by }: Pick<Change, "at" | "by"> & { readonly descriptor: ReleaseDescriptor },
): Promise<RegistryDocument> {
  return change(redis, keys, (document) => {
    const decision = decidePublish(document, descriptor, { at, by });
    if (decision.kind === "refused") throw new PublishRefusedError(descriptor.release, decision.problems);
    return decision.kind === "published" ? decision.document : document;
  });
}

/** Shows a build's new versions before they are published. */
export async function draftRelease(
  redis: RedisConnection,
  keys: Keys,
  { descriptor, ...by }: Change & { readonly descriptor: ReleaseDescriptor },
): Promise<RegistryDocument> {
  return change(redis, keys, (document) => decideDraft(document, descriptor, by));
}

/** Moves a gate if it may move; the decision says so, and is made anew whenever the registry changed. */
export async function moveGate(
  redis: RedisConnection,
  keys: Keys,
  move: { readonly request: GateRequest; readonly readiness: GateReadiness; readonly change: Change },
): Promise<GateDecision> {
  let decision: GateDecision | null = null;
  await change(redis, keys, (document) => {
    decision = decideGate(document, move.request, move);
    return decision.kind === "moved" ? decision.document : document;
  });
  if (decision === null) throw new TypeError("a change decides at least once");
  return decision;
}

/** Marks a release retired; nothing happens when it is not live. */
export async function retireRelease(
  redis: RedisConnection,
  keys: Keys,
  release: string,
): Promise<RegistryDocument> {
  return change(redis, keys, (document) => retire(document, release));
}

/** Marks a lane retired; nothing happens when it is, or when a live release has it for its own again. */
export async function retireLaneOf(
  redis: RedisConnection,
  keys: Keys,
  lane: LaneRetirement,
): Promise<RegistryDocument> {
  return change(redis, keys, (document) => retireLane(document, lane));
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
    const { revision } = changed;
    const { registry, registryRevision } = keys;
    const set = await redis.eval(
      COMPARE_AND_SET,
      2,
      registry,
      registryRevision,
      document.revision,
      revision,
      text,
    );
    if (set === 1) return changed;
  }
  throw new Error(`The registry changed ${CAS_ATTEMPTS_MAX} times while it was being written`);
}

/** A copy of the registry that is as new as its last `refresh`. */
export class RegistryFollower {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  #document: RegistryDocument = EMPTY_REGISTRY;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The newest copy; the empty registry before the first `refresh`. */
  get document(): RegistryDocument {
    return this.#document;
  }

  /** Reads the registry if its revision is another one than ours. Answers whether it changed. */
  async refresh(): Promise<boolean> {
    const revision = await this.#redis.get(this.#keys.registryRevision);
    if (revision !== null && Number(revision) === this.#document.revision) return false;
    const document = await loadRegistry(this.#redis, this.#keys);
    if (document.revision === this.#document.revision) return false;
    this.#document = document;
    return true;
  }
}
