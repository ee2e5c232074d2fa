/**
 * The one way a job gets into a lane: route, check, stamp, add.
 *
 * Works from the registry's data alone, so it accepts jobs while the fleet is at zero and for versions
 * this process has no code for.
 */
import type { Clock } from "../clock.ts";
import { compileStrictCheck, type StrictCheck } from "../contracts/strict-check.ts";
import { ENVELOPE_BYTES_MAX, type JobRequest } from "../envelope.ts";
import {
  DataInvalidError,
  EnvelopeInvalidError,
  NotEnqueuedError,
  TypeUnknownError,
  VersionNotActiveError,
  VersionUnknownError,
} from "../errors.ts";
import { jobIdOf } from "../job-id.ts";
import type { JobState } from "../job-state.ts";
import { arrivalCounterName, laneName } from "../lane.ts";
import { findJob } from "../redis/job-lookup.ts";
import type { LaneQueues } from "../redis/lane-queues.ts";
import { decideLane, type LaneDecision } from "../registry/decide-lane.ts";
import type { RegistryDocument, Superseded } from "../registry/registry-document.ts";
import type { ArrivalCounter } from "./arrival-counter.ts";
import { ANONYMOUS_SOURCE, stampEnvelope } from "./stamp.ts";

export interface Enqueued {
  readonly id: string;
  readonly type: string;
  readonly state: JobState;
}

export interface EnqueueAnswer {
  readonly job: Enqueued;
  /** Since when the job's version is superseded by a newer one; `null` when it is the active one. */
  readonly superseded: Superseded | null;
}

export interface EnqueuerPorts {
  readonly queues: LaneQueues;
  readonly arrivals: ArrivalCounter;
  readonly clock: Clock;
  /** The newest copy of the registry. */
  registry(): RegistryDocument;
}

type Lane = Extract<LaneDecision, { kind: "lane" }>;

export class Enqueuer {
  readonly #ports: EnqueuerPorts;
  /** By `type@version`; published versions never change, so an entry never goes stale. */
  readonly #checks = new Map<string, StrictCheck>();

  /** Lanes by `type@version`, as long as the registry does not change; refusals are not kept. */
  #routes: { readonly document: RegistryDocument; readonly decisions: Map<string, Lane> };

  constructor(ports: EnqueuerPorts) {
    this.#ports = ports;
    this.#routes = { document: ports.registry(), decisions: new Map() };
  }

  /**
   * Resolves once Redis has the job. The same `(tenant, source, id)` again gives the same job.
   *
   * @throws {TypeUnknownError | VersionUnknownError | VersionNotActiveError} when no lane takes the version now.
   * @throws {DataInvalidError | EnvelopeInvalidError} when the job itself is refused.
   * @throws {NotEnqueuedError} when certainly not stored; {EnqueueUnknownError} when not known.
   */
  async enqueue(request: JobRequest, tenant: string): Promise<EnqueueAnswer> {
    const { queues, arrivals, clock, registry } = this.#ports;
    const document = registry();
    const lane = await this.#laneOrKnown(document, request, tenant);
    if ("job" in lane) return lane;
    this.#checkData(document, request);

    const acceptedAtMs = clock.nowMs();
    const { minReaderVersion, queue, superseded } = lane;
    const envelope = stampEnvelope(request, { tenant, minReaderVersion, acceptedAtMs });
    const dataText = sized(JSON.stringify(envelope));
    const jobId = jobIdOf({ queue, tenant, source: envelope.source, id: envelope.id });

    // Only an id the client chose can be known already, and then perhaps in another lane.
    const known = request.id === undefined ? null : await this.#find(document, jobId);
    if (known !== null) return { job: { id: jobId, type: request.type, state: known }, superseded };

    const job = { jobId, name: request.type, dataText, acceptedAtMs, delayMs: 0 };
    await queues.add(laneName(queue, lane.generation), job);
    arrivals.count(queue, arrivalCounterName(request.type, lane.generation));
    return { job: { id: jobId, type: request.type, state: "waiting" }, superseded };
  }

  /**
   * A version that is refused now may have been accepted before: then the same job is meant, and a refusal
   * would say that it is not stored.
   */
  async #laneOrKnown(
    document: RegistryDocument,
    request: JobRequest,
    tenant: string,
  ): Promise<Lane | EnqueueAnswer> {
    try {
      return this.#laneFor(document, request);
    } catch (refusal) {
      const { id, source = ANONYMOUS_SOURCE, type } = request;
      const queue = Object.hasOwn(document.types, type) ? document.types[type]?.queue : undefined;
      if (id === undefined || queue === undefined) throw refusal;
      const jobId = jobIdOf({ queue, tenant, source, id });
      const state = await this.#find(document, jobId);
      if (state === null) throw refusal;
      return { job: { id: jobId, type, state }, superseded: null };
    }
  }

  #laneFor(document: RegistryDocument, request: JobRequest): Lane {
    if (this.#routes.document !== document) this.#routes = { document, decisions: new Map() };
    const key = `${request.type}@${request.schemaversion}`;
    const known = this.#routes.decisions.get(key);
    if (known !== undefined) return known;
    const lane = this.#decideLane(document, request);
    this.#routes.decisions.set(key, lane);
    return lane;
  }

  #decideLane(document: RegistryDocument, request: JobRequest): Lane {
    const decision = decideLane(document, request.type, request.schemaversion);
    switch (decision.kind) {
      case "lane":
        return decision;
      case "unknown-type":
        throw new TypeUnknownError(request.type, decision.knownTypes);
      case "unknown-version":
        throw new VersionUnknownError(request.type, request.schemaversion, decision.acceptedVersions);
      case "not-active":
        throw new VersionNotActiveError(request.type, request.schemaversion, decision.activeVersion);
    }
  }

  #checkData(document: RegistryDocument, { type, schemaversion, data }: JobRequest): void {
    const key = `${type}@${schemaversion}`;
    let check = this.#checks.get(key);
    if (check === undefined) {
      const version = document.types[type]?.versions.find((it) => it.version === schemaversion);
      check = compileStrictCheck(version?.schema ?? { not: {} }, "/data");
      this.#checks.set(key, check);
    }
    const issues = check(data);
    if (issues.length > 0) throw new DataInvalidError(type, schemaversion, issues);
  }

  async #find(document: RegistryDocument, jobId: string): Promise<JobState | null> {
    try {
      return (await findJob(this.#ports.queues, document, jobId))?.state ?? null;
    } catch (error) {
      throw new NotEnqueuedError("Redis is not reachable", { cause: error });
    }
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
