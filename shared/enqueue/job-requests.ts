/**
 * Makes of a client's request what the admission script is asked: routed, checked, stamped.
 *
 * Nothing here waits. A request that is not taken now is still made into a question when it could be a
 * repeat: what is refused now, for its version or its time, may have been accepted before, and then the same
 * job is meant.
 */
import type { Clock } from "../clock.ts";
import { compileStrictCheck, type StrictCheck } from "../contracts/strict-check.ts";
import {
  ENVELOPE_BYTES_MAX,
  type Envelope,
  type JobRequest,
  PRIORITIES,
  type Priority,
} from "../envelope.ts";
import {
  DataInvalidError,
  EnvelopeInvalidError,
  type Issue,
  TypeUnknownError,
  VersionNotActiveError,
  VersionUnknownError,
} from "../errors.ts";
import { jobIdOf } from "../job-id.ts";
import { laneName } from "../lane.ts";
import type { LimitsBase } from "../limits/limits-document.ts";
import { limitsFor } from "../limits/limits-for.ts";
import type { AdmissionRequest, AdmissionTerms } from "../redis/admission.ts";
import { decideLane, type LaneDecision } from "../registry/decide-lane.ts";
import type { PublishedType, RegistryDocument, Superseded } from "../registry/registry-document.ts";
import type { Backlogs } from "./backlogs.ts";
import { decideRoom, type Room } from "./decide-room.ts";
import { dedupHash, rememberedBy } from "./idempotency.ts";
import { ANONYMOUS_SOURCE, stampEnvelope } from "./stamp.ts";
import { withinBounds } from "./within-bounds.ts";

export interface JobRequestsPorts {
  readonly clock: Clock;
  readonly backlogs: Backlogs;
  readonly registry: { readonly document: RegistryDocument };
  limits(): LimitsBase;
}

/** On whose behalf a job is asked for. */
export interface EnqueueTerms {
  readonly tenant: string;
  /** Of the API key; `null` without. */
  readonly keyId?: string | null;
  /** The source of a job that names none. */
  readonly source?: string;
  /** As the client sent it. */
  readonly idempotencyKey?: string | null;
}

/** What became of a job that there was no room for, or too many of, when its policy is not to reject it. */
export interface Excess {
  /** Accepted as scheduled, this far ahead. */
  readonly delayMs?: number;
  /** Accepted at low priority, in what room there is at all. */
  readonly isDegraded?: boolean;
}

export interface AskedJob {
  readonly admission: AdmissionRequest;
  readonly queue: string;
  /** `null` when no lane takes it: then `refusal` says why. */
  readonly lane: { readonly generation: number; readonly superseded: Superseded | null } | null;
  readonly refusal: Error | null;
  readonly policy: PublishedType["policy"];
  readonly room: Room;
}

type Lane = Extract<LaneDecision, { kind: "lane" }>;
type Routed = { readonly lane: Lane } | { readonly refusal: Error };

/** Terms are worked out anew this often: the rate that bounds a backlog changes slowly. */
const TERMS_KEPT_MS = 100;
const TERMS_KEPT_MAX = 2_000;

interface KeptTerms {
  readonly terms: AdmissionTerms;
  readonly room: Room;
  readonly untilMs: number;
}

export class JobRequests {
  readonly #ports: JobRequestsPorts;
  /** By `type@version`; published versions never change, so an entry never goes stale. */
  readonly #checks = new Map<string, StrictCheck>();

  /** By `type@version` and by terms, as long as the registry does not change. */
  #routes: {
    readonly document: RegistryDocument;
    readonly routed: Map<string, Routed>;
    readonly terms: Map<string, KeptTerms>;
  };

  constructor(ports: JobRequestsPorts) {
    this.#ports = ports;
    this.#routes = { document: ports.registry.document, routed: new Map(), terms: new Map() };
  }

  /**
   * @throws {TypeUnknownError | VersionUnknownError | VersionNotActiveError} when no lane takes it now and it cannot
   *   be a repeat.
   * @throws {DataInvalidError | EnvelopeInvalidError} when the job itself is refused.
   */
  ask(request: JobRequest, by: EnqueueTerms, excess: Excess = NO_EXCESS): AskedJob {
    const { document } = this.#ports.registry;
    if (this.#routes.document !== document) this.#routes = { document, routed: new Map(), terms: new Map() };
    const routed = this.#route(request);
    const isRepeatable = request.id !== undefined || (by.idempotencyKey ?? null) !== null;
    const type = Object.hasOwn(document.types, request.type) ? document.types[request.type] : undefined;
    if (type === undefined) {
      throw "refusal" in routed ? routed.refusal : new TypeUnknownError(request.type, []);
    }
    return this.#asked({ request, by, excess, type, routed, isRepeatable });
  }

  #asked({ request, by, excess, type, routed, isRepeatable }: Asking): AskedJob {
    const acceptedAtMs = this.#ports.clock.nowMs();
    const { issues, delayMs } = withinBounds(request, type.policy, acceptedAtMs);
    if ("lane" in routed) this.#requireRight(request);
    const refusal = refusalNow(routed, issues);
    if (refusal !== null && !isRepeatable) throw refusal;

    const lane = "lane" in routed ? routed.lane : null;
    const takenBy = refusal === null ? lane : null;
    const priority = excess.isDegraded === true ? "low" : (request.priority ?? "normal");
    const { terms, room } = this.#terms({
      queue: type.queue,
      lane: takenBy,
      tenant: by.tenant,
      priority,
      excess,
    });
    const minReaderVersion = lane?.minReaderVersion ?? 1;
    const envelope = stampedBy({ request, by, excess, minReaderVersion, acceptedAtMs });
    const dataText = sized(JSON.stringify(envelope));
    const jobId = jobIdOf({
      queue: type.queue,
      tenant: by.tenant,
      source: envelope.source,
      id: envelope.id,
    });
    const idempotencyKey = by.idempotencyKey ?? null;
    return {
      queue: type.queue,
      lane,
      refusal,
      policy: type.policy,
      room,
      admission: {
        jobId,
        name: request.type,
        dataText,
        acceptedAtMs,
        delayMs: Math.max(delayMs, excess.delayMs ?? 0),
        terms,
        revision: this.#routes.document.revision,
        ...rememberedBy({ tenant: by.tenant, idempotencyKey, jobId, request }),
        dedup: request.dedupkey === undefined ? "" : dedupHash(by.tenant, request.type, request.dedupkey),
      },
    };
  }

  #route({ type, schemaversion }: JobRequest): Routed {
    const key = `${type}@${schemaversion}`;
    const known = this.#routes.routed.get(key);
    if (known !== undefined) return known;
    const decision = decideLane(this.#routes.document, type, schemaversion);
    if (decision.kind !== "lane") return { refusal: refusalOf(decision, { type, schemaversion }) };
    // Refusals are not kept: whoever asks chooses how many there are.
    const routed = { lane: decision };
    this.#routes.routed.set(key, routed);
    return routed;
  }

  #terms({ queue, lane, tenant, priority, excess }: TermsOf): KeptTerms {
    const nowMs = this.#ports.clock.monotonicMs();
    const isDegraded = excess.isDegraded === true;
    const key = `${queue}|${lane?.generation ?? ""}|${tenant}|${priority}|${isDegraded}`;
    const known = this.#routes.terms.get(key);
    if (known !== undefined && known.untilMs > nowMs) return known;
    const bounds = limitsFor(this.#ports.limits(), { queue });
    // What is accepted although there is no room for it has what the most important has.
    const room = decideRoom(bounds, this.#ports.backlogs.loadOf(queue), isDegraded ? "critical" : priority);
    const generations = this.#routes.document.queues[queue]?.generations ?? [];
    const terms: AdmissionTerms = {
      queue,
      lanes: generations.map(({ generation }) => laneName(queue, generation)),
      place: lane === null ? null : laneName(queue, lane.generation),
      priority: bounds.priorities ? PRIORITIES.indexOf(priority) + 1 : 0,
      depthMax: room.depthMax,
      scheduledMax: bounds.scheduledMax,
      tenant,
      tenantMax: bounds.tenantDepthMax,
    };
    if (this.#routes.terms.size >= TERMS_KEPT_MAX) this.#routes.terms.clear();
    const kept = { terms, room, untilMs: nowMs + TERMS_KEPT_MS };
    this.#routes.terms.set(key, kept);
    return kept;
  }

  #requireRight({ type, schemaversion, data }: JobRequest): void {
    const key = `${type}@${schemaversion}`;
    let check = this.#checks.get(key);
    if (check === undefined) {
      const version = this.#routes.document.types[type]?.versions.find((it) => it.version === schemaversion);
      check = compileStrictCheck(version?.schema ?? { not: {} }, "/data");
      this.#checks.set(key, check);
    }
    const issues = check(data);
    if (issues.length > 0) throw new DataInvalidError(type, schemaversion, issues);
  }
}

interface Stamping {
  readonly request: JobRequest;
  readonly by: EnqueueTerms;
  readonly excess: Excess;
  readonly minReaderVersion: number;
  readonly acceptedAtMs: number;
}

function stampedBy({ request, by, excess, minReaderVersion, acceptedAtMs }: Stamping): Envelope {
  const { tenant, source = ANONYMOUS_SOURCE } = by;
  const stamp = { tenant, source, minReaderVersion, acceptedAtMs };
  return stampEnvelope(request, excess.isDegraded === true ? { ...stamp, priority: "low" } : stamp);
}

const NO_EXCESS: Excess = {};

interface Asking {
  readonly request: JobRequest;
  readonly by: EnqueueTerms;
  readonly excess: Excess;
  readonly type: PublishedType;
  readonly routed: Routed;
  readonly isRepeatable: boolean;
}

interface TermsOf {
  readonly queue: string;
  readonly lane: Lane | null;
  readonly tenant: string;
  readonly priority: Priority;
  readonly excess: Excess;
}

/** Why a job is not taken now that may have been taken before: gates, policies and the time move on. */
function refusalNow(routed: Routed, issues: readonly Issue[]): Error | null {
  if ("refusal" in routed) return routed.refusal;
  return issues.length > 0 ? new EnvelopeInvalidError(issues) : null;
}

function refusalOf(
  decision: Exclude<LaneDecision, Lane>,
  { type, schemaversion }: Pick<JobRequest, "type" | "schemaversion">,
): Error {
  switch (decision.kind) {
    case "unknown-type":
      return new TypeUnknownError(type, decision.knownTypes);
    case "unknown-version":
      return new VersionUnknownError(type, schemaversion, decision.acceptedVersions);
    case "not-active":
      return new VersionNotActiveError(type, schemaversion, decision.activeVersion);
  }
}

/** @throws {EnvelopeInvalidError} when the stamped envelope is larger than a job may be. */
function sized(text: string): string {
  // UTF-8 needs at most three bytes for each unit of a string's length.
  if (text.length * 3 <= ENVELOPE_BYTES_MAX) return text;
  const bytes = Buffer.byteLength(text);
  if (bytes <= ENVELOPE_BYTES_MAX) return text;
  const message = `the stamped envelope has ${bytes} bytes, at most ${ENVELOPE_BYTES_MAX} are allowed; store the bulk elsewhere and send a reference`;
  throw new EnvelopeInvalidError([{ pointer: "", rule: "size", message }]);
}
