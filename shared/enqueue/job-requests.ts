/**
 * Makes of a client's request what the admission script is asked: routed, checked, stamped.
 *
 * Nothing here waits. A request that is not taken now is still made into a question when it could be a
 * repeat: what is refused now, for its version or its time, may have been accepted before, and then the same
 * job is meant.
 */
import type { Clock } from "../clock.ts";
import { compileStrictCheck, type StrictCheck } from "../contracts/strict-check.ts";
import { ENVELOPE_BYTES_MAX, type JobRequest, PRIORITIES, type Priority } from "../envelope.ts";
import {
  DataInvalidError,
  EnvelopeInvalidError,
  type Issue,
  TypeUnknownError,
  VersionNotActiveError,
  VersionUnknownError,
} from "../errors.ts";
import { jobIdOf } from "../job-id.ts";
import { arrivalCounterName, laneName } from "../lane.ts";
import type { LimitsBase } from "../limits/limits-document.ts";
import { limitsFor } from "../limits/limits-for.ts";
import type { AdmissionRequest, AdmissionTerms } from "../redis/admission.ts";
import { decideLane, type LaneDecision } from "../registry/decide-lane.ts";
import type { PublishedType, RegistryDocument, Superseded } from "../registry/registry-document.ts";
import type { Backlogs } from "./backlogs.ts";
import { decideRoom, type Room } from "./decide-room.ts";
import { dedupHash, rememberedBy } from "./idempotency.ts";
import type { RoomAsked, RoomRefusals } from "./room-refusals.ts";
import { ANONYMOUS_SOURCE, type Stamp, stampText } from "./stamp.ts";
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
  /** What accepted jobs like it are counted by. */
  readonly counter: string;
  readonly policy: PublishedType["policy"];
  readonly room: Room;
}

type Lane = Extract<LaneDecision, { kind: "lane" }>;

/** Where jobs of one version go, with what was last worked out for them. */
interface Route {
  readonly type: PublishedType;
  readonly lane: Lane | null;
  readonly refusal: Error | null;
  readonly check: StrictCheck | null;
  readonly counter: string;
  /** Of the tenant and priority that asked last. */
  kept: KeptTerms | null;
}

/** Terms are worked out anew this often: the rate that bounds a backlog changes slowly. */
const TERMS_KEPT_MS = 100;
const TERMS_KEPT_MAX = 2_000;

interface KeptTerms {
  readonly terms: AdmissionTerms;
  readonly room: Room;
  readonly place: Lane | null;
  readonly priority: Priority;
  readonly isDegraded: boolean;
  readonly untilMs: number;
}

export class JobRequests {
  readonly #ports: JobRequestsPorts;
  /** By `type@version`; published versions never change, so an entry never goes stale. */
  readonly #checks = new Map<string, StrictCheck>();

  readonly #refusals: Pick<RoomRefusals, "again">;

  /** By type and version, and by terms, as long as the registry does not change. */
  #routes: Routes;

  constructor(ports: JobRequestsPorts, refusals: Pick<RoomRefusals, "again">) {
    this.#ports = ports;
    this.#refusals = refusals;
    this.#routes = noRoutes(ports.registry.document);
  }

  /**
   * @throws {TypeUnknownError | VersionUnknownError | VersionNotActiveError} when no lane takes it now and it cannot
   *   be a repeat.
   * @throws {DataInvalidError | EnvelopeInvalidError} when the job itself is refused.
   * @throws {NoRoomError} when there was no room a moment ago and it cannot be a repeat.
   */
  ask(request: JobRequest, by: EnqueueTerms, excess: Excess = NO_EXCESS): AskedJob {
    const { document } = this.#ports.registry;
    if (this.#routes.document !== document) this.#routes = noRoutes(document);
    const route = this.#routes.byType.get(request.type)?.get(request.schemaversion) ?? this.#route(request);
    return this.#asked({ request, by, excess, route });
  }

  #asked({ request, by, excess, route }: Asking): AskedJob {
    const acceptedAtMs = this.#ports.clock.nowMs();
    const { lane, type } = route;
    const { tenant, idempotencyKey = null } = by;
    const { issues, delayMs } = withinBounds(request, type.policy, acceptedAtMs);
    if (route.check !== null) requireRight(request, route.check);
    const refusal = refusalNow(route, issues);
    const isNameless = request.id === undefined && idempotencyKey === null;
    if (isNameless && refusal !== null) throw refusal;

    const isDegraded = excess.isDegraded === true;
    const priority = isDegraded ? "low" : (request.priority ?? "normal");
    const { terms, room } = this.#terms({
      route,
      place: refusal === null ? lane : null,
      tenant,
      priority,
      isDegraded,
    });
    const scheduledMs = Math.max(delayMs, excess.delayMs ?? 0);
    const isScheduled = scheduledMs > 0;
    if (isNameless) this.#requireRoom(request, { queue: type.queue, room, terms, isScheduled });
    const requestText = JSON.stringify(request);
    const stamp = stampOf(by, { minReaderVersion: lane?.minReaderVersion ?? 1, acceptedAtMs, isDegraded });
    const { id, source, text } = stampText(request, requestText, stamp);
    const jobId = jobIdOf({ queue: type.queue, tenant, source, id });
    const { records, fingerprint } = rememberedBy({ tenant, idempotencyKey, jobId, request, requestText });
    return {
      queue: type.queue,
      lane,
      refusal,
      counter: route.counter,
      policy: type.policy,
      room,
      admission: {
        jobId,
        name: request.type,
        dataText: sized(text),
        acceptedAtMs,
        delayMs: scheduledMs,
        terms,
        revision: this.#routes.document.revision,
        records,
        fingerprint,
        dedup: request.dedupkey === undefined ? "" : dedupHash(tenant, request.type, request.dedupkey),
      },
    };
  }

  /** @throws {NoRoomError} when one that cannot be a repeat was refused a moment ago. */
  #requireRoom({ dedupkey }: JobRequest, asked: RoomAsked): void {
    const full = dedupkey === undefined ? this.#refusals.again(asked) : null;
    if (full !== null) throw full;
  }

  /** @throws {TypeUnknownError} for a type that is not known at all. */
  #route({ type, schemaversion }: JobRequest): Route {
    const { document, byType } = this.#routes;
    const decision = decideLane(document, type, schemaversion);
    const published = Object.hasOwn(document.types, type) ? document.types[type] : undefined;
    if (published === undefined) {
      throw decision.kind === "lane"
        ? new TypeUnknownError(type, [])
        : refusalOf(decision, { type, schemaversion });
    }
    // Refusals are not kept: whoever asks chooses how many there are.
    if (decision.kind !== "lane") {
      const refusal = refusalOf(decision, { type, schemaversion });
      return { type: published, lane: null, refusal, check: null, counter: "", kept: null };
    }
    const check = this.#check(type, schemaversion);
    const counter = arrivalCounterName(type, decision.generation);
    const route: Route = { type: published, lane: decision, refusal: null, check, counter, kept: null };
    const byVersion = byType.get(type) ?? new Map<number, Route>();
    byType.set(type, byVersion.set(schemaversion, route));
    return route;
  }

  #terms(of: TermsOf): KeptTerms {
    const { route, place, tenant, priority, isDegraded } = of;
    const nowMs = this.#ports.clock.monotonicMs();
    const { kept } = route;
    if (kept !== null && kept.untilMs > nowMs && isKeptFor(kept, of)) return kept;
    const { terms } = this.#routes;
    const key = `${route.type.queue}|${place?.generation ?? ""}|${tenant}|${priority}|${isDegraded}`;
    const known = terms.get(key);
    const found = known !== undefined && known.untilMs > nowMs ? known : this.#workOut(of, nowMs);
    if (terms.size >= TERMS_KEPT_MAX) terms.clear();
    terms.set(key, found);
    route.kept = found;
    return found;
  }

  #workOut({ route, place, tenant, priority, isDegraded }: TermsOf, nowMs: number): KeptTerms {
    const { queue } = route.type;
    const bounds = limitsFor(this.#ports.limits(), { queue });
    // What is accepted although there is no room for it has what the most important has.
    const room = decideRoom(bounds, this.#ports.backlogs.loadOf(queue), isDegraded ? "critical" : priority);
    const generations = this.#routes.document.queues[queue]?.generations ?? [];
    const terms: AdmissionTerms = {
      queue,
      lanes: generations.map(({ generation }) => laneName(queue, generation)),
      place: place === null ? null : laneName(queue, place.generation),
      priority: bounds.priorities ? PRIORITIES.indexOf(priority) + 1 : 0,
      depthMax: room.depthMax,
      scheduledMax: bounds.scheduledMax,
      tenant,
      tenantMax: bounds.tenantDepthMax,
    };
    return { terms, room, place, priority, isDegraded, untilMs: nowMs + TERMS_KEPT_MS };
  }

  #check(type: string, schemaversion: number): StrictCheck {
    const key = `${type}@${schemaversion}`;
    const known = this.#checks.get(key);
    if (known !== undefined) return known;
    const version = this.#routes.document.types[type]?.versions.find((it) => it.version === schemaversion);
    const check = compileStrictCheck(version?.schema ?? { not: {} }, "/data");
    this.#checks.set(key, check);
    return check;
  }
}

const NO_EXCESS: Excess = {};

interface Routes {
  readonly document: RegistryDocument;
  readonly byType: Map<string, Map<number, Route>>;
  readonly terms: Map<string, KeptTerms>;
}

function noRoutes(document: RegistryDocument): Routes {
  return { document, byType: new Map(), terms: new Map() };
}

function isKeptFor(kept: KeptTerms, { place, tenant, priority, isDegraded }: TermsOf): boolean {
  if (kept.place !== place || kept.priority !== priority || kept.isDegraded !== isDegraded) return false;
  return kept.terms.tenant === tenant;
}

/** @throws {DataInvalidError} */
function requireRight({ type, schemaversion, data }: JobRequest, check: StrictCheck): void {
  const issues = check(data);
  if (issues.length > 0) throw new DataInvalidError(type, schemaversion, issues);
}

function stampOf(
  { tenant, source = ANONYMOUS_SOURCE }: EnqueueTerms,
  { minReaderVersion, acceptedAtMs, isDegraded }: Stamping,
): Stamp {
  const stamp = { tenant, source, minReaderVersion, acceptedAtMs };
  return isDegraded ? { ...stamp, priority: "low" } : stamp;
}

interface Stamping {
  readonly minReaderVersion: number;
  readonly acceptedAtMs: number;
  readonly isDegraded: boolean;
}

interface Asking {
  readonly request: JobRequest;
  readonly by: EnqueueTerms;
  readonly excess: Excess;
  readonly route: Route;
}

interface TermsOf {
  readonly route: Route;
  /** The lane that takes it now. */
  readonly place: Lane | null;
  readonly tenant: string;
  readonly priority: Priority;
  readonly isDegraded: boolean;
}

/** Why a job is not taken now that may have been taken before: gates, policies and the time move on. */
function refusalNow({ refusal }: Route, issues: readonly Issue[]): Error | null {
  if (refusal !== null) return refusal;
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
