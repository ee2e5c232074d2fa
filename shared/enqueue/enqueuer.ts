/**
 * The one way a job gets into a lane: route, check, stamp, ask for admission.
 *
 * Works from the registry's data alone, so it accepts jobs while the fleet is at zero and for versions
 * this process has no code for. What must be one step with the add (is the job known, is there room, is the
 * registry still the one it was routed by) is decided in Redis, by the admission script.
 */
import { BatchAbortedError, IdempotencyMismatchError } from "../admission-errors.ts";
import type { JobRequest } from "../envelope.ts";
import { NotEnqueuedError, ThrottledError } from "../errors.ts";
import type { JobState } from "../job-state.ts";
import type { AdmissionOutcome, RefusalReason } from "../redis/admission.ts";
import type { JobReader } from "../redis/job-reader.ts";
import type { LaneQueues } from "../redis/lane-queues.ts";
import type { RegistryDocument, Superseded } from "../registry/registry-document.ts";
import type { Quota } from "../throttle/quota.ts";
import type { Throttler } from "../throttle/throttler.ts";
import type { ArrivalCounter } from "./arrival-counter.ts";
import {
  type AskedJob,
  type EnqueueTerms,
  type Excess,
  JobRequests,
  type JobRequestsPorts,
} from "./job-requests.ts";
import { RoomRefusals } from "./room-refusals.ts";
import { JobThrottles, type LetIn } from "./throttle-jobs.ts";

export type { EnqueueTerms } from "./job-requests.ts";

export interface Enqueued {
  readonly id: string;
  readonly type: string;
  /** `null` when the job was taken and has been cleaned away since. */
  readonly state: JobState | null;
}

export interface EnqueueAnswer {
  readonly job: Enqueued;
  /** `replayed`: the same was asked for before. `deduplicated`: a job with its dedup key has not ended yet. */
  readonly outcome: "created" | "replayed" | "deduplicated";
  /** Since when the job's version is superseded by a newer one; `null` when it is the active one. */
  readonly superseded: Superseded | null;
  /** What the throttles that it passed say; empty without. */
  readonly quotas: readonly Quota[];
}

/** Of one job of several. */
export type EnqueueResult = { readonly answer: EnqueueAnswer } | { readonly error: unknown };

export interface EnqueuerPorts extends JobRequestsPorts {
  readonly queues: Pick<LaneQueues, "admit" | "admitAll" | "admitEach">;
  readonly reader: Pick<JobReader, "find">;
  readonly arrivals: Pick<ArrivalCounter, "count">;
  readonly throttler: Pick<Throttler, "take">;
  /** The newest copy of the registry, and a way to get a newer one. */
  readonly registry: { readonly document: RegistryDocument; refresh(): Promise<unknown> };
}

/** A registry that changes more often than this while one job is being routed is not the job's fault. */
const ROUTES_MAX = 5;

export class Enqueuer {
  readonly #ports: EnqueuerPorts;
  readonly #requests: JobRequests;
  readonly #throttles: JobThrottles;
  readonly #refusals: RoomRefusals;
  #refreshing: Promise<unknown> | null = null;

  constructor(ports: EnqueuerPorts) {
    this.#ports = ports;
    this.#refusals = new RoomRefusals(ports);
    this.#requests = new JobRequests(ports, this.#refusals);
    this.#throttles = new JobThrottles(ports);
  }

  /**
   * Resolves once Redis has the job. What is repeated with the same key or `(source, id)` gives the same job.
   *
   * @throws {TypeUnknownError | VersionUnknownError | VersionNotActiveError} when no lane takes the version now.
   * @throws {DataInvalidError | EnvelopeInvalidError | IdempotencyMismatchError} when the job itself is refused.
   * @throws {NoRoomError | ThrottledError} when there is no room for it now and its policy is to be rejected then.
   * @throws {NotEnqueuedError} when certainly not stored; {EnqueueUnknownError} when not known.
   */
  enqueue(request: JobRequest, by: EnqueueTerms): Promise<EnqueueAnswer> {
    const isThrottled = this.#throttles.applyTo(request.type, by);
    return isThrottled ? this.#enqueueThrottled(request, by) : this.#enqueue(request, by, NO_EXCESS);
  }

  async #enqueueThrottled(request: JobRequest, by: EnqueueTerms): Promise<EnqueueAnswer> {
    // What is wrong with the job itself is told first, and costs nothing of what its sender may hand in.
    const asked = this.#requests.ask(request, by);
    let letIn: LetIn;
    try {
      letIn = await this.#throttles.take(request, by);
    } catch (error) {
      const known = error instanceof ThrottledError ? await this.#answerIfKnown(asked) : null;
      if (known === null) throw error;
      return known;
    }
    const { excess, quotas, release } = letIn;
    try {
      return { ...(await this.#enqueue(request, by, excess)), quotas };
    } finally {
      release();
    }
  }

  /** A repetition brings nothing new, so its sender may have spent all it may hand in; `null` when it is none. */
  async #answerIfKnown(asked: AskedJob): Promise<EnqueueAnswer | null> {
    const { admission } = asked;
    if (admission.records.length === 0 && admission.dedup === "") return null;
    const look = { ...admission, revision: null, terms: { ...admission.terms, place: null } };
    const outcome = await this.#ports.queues.admit(look).catch(() => null);
    const isKnown =
      outcome?.kind === "replayed" || outcome?.kind === "deduplicated" || outcome?.kind === "conflict";
    return isKnown ? this.#answer(asked, outcome) : null;
  }

  async #enqueue(request: JobRequest, by: EnqueueTerms, throttled: Excess): Promise<EnqueueAnswer> {
    const asked = this.#requests.ask(request, by, throttled);
    const outcome = await this.#ports.queues.admit(asked.admission);
    if (outcome.kind === "created") return this.#created(asked);
    return this.#settle({ request, by, excess: throttled }, { asked, outcome });
  }

  /** What comes of a job that was not simply created. */
  async #settle(attempt: Attempt, first: Admitted): Promise<EnqueueAnswer> {
    const { asked, outcome } = await this.#routed(attempt, first);
    if (outcome.kind !== "refused") return this.#answer(asked, outcome);
    const excess = this.#excessOf(asked, outcome.reason);
    if (excess === null) throw this.#noRoom(asked, outcome.reason);
    const other = { ...attempt, excess };
    const again = await this.#routed(other, await this.#admit(other));
    return this.#answer(again.asked, again.outcome);
  }

  /**
   * Several jobs, each with its own result; or, when `isAtomic`, all or none in one step of Redis: then at most
   * 100 jobs of 1 MiB together, and what their policies say of a full backlog does not apply.
   *
   * Never rejects.
   *
   * @param byOf on whose behalf each is asked for.
   */
  enqueueMany(
    requests: readonly JobRequest[],
    byOf: (index: number) => EnqueueTerms,
    isAtomic: boolean,
  ): Promise<readonly EnqueueResult[]> {
    return isAtomic ? this.#enqueueAll(requests, byOf) : this.#enqueueEach(requests, byOf);
  }

  async #enqueueEach(
    requests: readonly JobRequest[],
    byOf: (index: number) => EnqueueTerms,
  ): Promise<readonly EnqueueResult[]> {
    const results: (EnqueueResult | Promise<EnqueueResult>)[] = [];
    const together: { readonly attempt: Attempt; readonly asked: AskedJob; readonly index: number }[] = [];
    for (const [index, request] of requests.entries()) {
      const by = byOf(index);
      if (this.#throttles.applyTo(request.type, by)) {
        results[index] = resultOf(this.#enqueueThrottled(request, by));
        continue;
      }
      const attempt = { request, by, excess: NO_EXCESS };
      const asked = attempted(() => this.#requests.ask(request, by));
      if ("error" in asked) results[index] = asked;
      else together.push({ attempt, asked: asked.value, index });
    }
    const outcomes = await this.#ports.queues.admitEach(together.map(({ asked }) => asked.admission));
    for (const [at, { attempt, asked, index }] of together.entries()) {
      const outcome = outcomes[at] ?? { kind: "failed", error: changing() };
      results[index] = outcome.kind === "failed" ? outcome : this.#resultOf(attempt, { asked, outcome });
    }
    return Promise.all(results);
  }

  #resultOf(attempt: Attempt, admitted: Admitted): EnqueueResult | Promise<EnqueueResult> {
    if (admitted.outcome.kind === "created") return { answer: this.#created(admitted.asked) };
    return resultOf(this.#settle(attempt, admitted));
  }

  /** Asks again for as long as the registry is another than the job was routed by. */
  async #routed(attempt: Attempt, first: Admitted): Promise<Admitted> {
    let admitted = first;
    for (let route = 1; admitted.outcome.kind === "stale"; route += 1) {
      if (route >= ROUTES_MAX) throw changing();
      await this.#refresh();
      admitted = await this.#admit(attempt);
    }
    return admitted;
  }

  async #admit({ request, by, excess }: Attempt): Promise<Admitted> {
    const asked = this.#requests.ask(request, by, excess);
    return { asked, outcome: await this.#ports.queues.admit(asked.admission) };
  }

  async #enqueueAll(
    requests: readonly JobRequest[],
    byOf: (index: number) => EnqueueTerms,
  ): Promise<readonly EnqueueResult[]> {
    if (!this.#throttles.exist) return this.#admitAll(requests, byOf);
    const asked = this.#askAll(requests, byOf);
    if ("refused" in asked) return asked.refused;
    const { excesses, refused, release } = await this.#throttles.takeTogether(requests, byOf);
    try {
      if (refused.size === 0) return await this.#admitAll(requests, byOf, excesses);
      return requests.map((_it, index) => ({ error: refused.get(index) ?? new BatchAbortedError() }));
    } finally {
      release();
    }
  }

  async #admitAll(
    requests: readonly JobRequest[],
    byOf: (index: number) => EnqueueTerms,
    excesses: readonly Excess[] = [],
  ): Promise<readonly EnqueueResult[]> {
    try {
      for (let route = 0; route < ROUTES_MAX; route += 1) {
        const asked = this.#askAll(requests, byOf, excesses);
        if ("refused" in asked) return asked.refused;
        const outcomes = await this.#ports.queues.admitAll(asked.jobs.map(({ admission }) => admission));
        if (!outcomes.some(({ kind }) => kind === "stale")) return await this.#results(asked.jobs, outcomes);
        await this.#refresh();
      }
      throw changing();
    } catch (error) {
      return requests.map(() => ({ error }));
    }
  }

  #askAll(
    requests: readonly JobRequest[],
    byOf: (index: number) => EnqueueTerms,
    excesses: readonly Excess[] = [],
  ): { readonly jobs: readonly AskedJob[] } | { readonly refused: readonly EnqueueResult[] } {
    const asked = requests.map((request, index) =>
      attempted(() => this.#requests.ask(request, byOf(index), excesses[index])),
    );
    const jobs = asked.flatMap((it) => ("value" in it ? [it.value] : []));
    if (jobs.length === asked.length) return { jobs };
    return { refused: asked.map((it) => ("error" in it ? it : { error: new BatchAbortedError() })) };
  }

  #results(
    jobs: readonly AskedJob[],
    outcomes: readonly AdmissionOutcome[],
  ): Promise<readonly EnqueueResult[]> {
    return Promise.all(
      jobs.map(async (asked, index) => {
        const outcome = outcomes[index] ?? { kind: "aborted" };
        try {
          return { answer: await this.#answer(asked, outcome) };
        } catch (error) {
          return { error };
        }
      }),
    );
  }

  #created({ admission, queue, lane, counter }: AskedJob): EnqueueAnswer {
    const { name: type, jobId: id, delayMs, dataText } = admission;
    this.#ports.backlogs.accepted(queue, Buffer.byteLength(dataText));
    if (delayMs === 0 && lane !== null) this.#ports.arrivals.count(queue, counter);
    return {
      job: { id, type, state: delayMs > 0 ? "scheduled" : "waiting" },
      outcome: "created",
      superseded: lane?.superseded ?? null,
      quotas: [],
    };
  }

  async #answer(asked: AskedJob, outcome: AdmissionOutcome): Promise<EnqueueAnswer> {
    const { admission, lane } = asked;
    const superseded = lane?.superseded ?? null;
    switch (outcome.kind) {
      case "created":
        return this.#created(asked);
      case "replayed":
      case "deduplicated": {
        const state = await this.#stateOf(outcome.jobId);
        return {
          job: { id: outcome.jobId, type: admission.name, state },
          outcome: outcome.kind,
          superseded,
          quotas: [],
        };
      }
      case "conflict":
        throw new IdempotencyMismatchError();
      case "refused":
        throw this.#noRoom(asked, outcome.reason);
      case "unroutable":
        throw asked.refusal ?? changing();
      case "aborted":
        throw new BatchAbortedError();
      case "stale":
        throw changing();
    }
  }

  /** What the job's policy makes of a full backlog; `null`: it is rejected. */
  #excessOf({ policy, queue, admission, room }: AskedJob, reason: RefusalReason): Excess | null {
    if (reason !== "backlog" || policy.excess === "reject" || admission.delayMs > 0) return null;
    if (policy.excess === "degrade") return { isDegraded: true };
    return { delayMs: Math.ceil(this.#ports.backlogs.promise(queue, room.depthMax)) };
  }

  #noRoom({ queue, room, policy, admission }: AskedJob, reason: RefusalReason): Error {
    const asked = { queue, room, terms: admission.terms, isScheduled: admission.delayMs > 0 };
    // One that may come in later or at low priority instead is not refused for the next of its kind.
    if (reason !== "backlog" || policy.excess === "reject") this.#refusals.remember(asked, reason);
    return this.#refusals.refuse(asked, reason);
  }

  /** One read for all that were found to be routed by an old copy. */
  async #refresh(): Promise<void> {
    this.#refreshing ??= this.#ports.registry.refresh().finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing.catch((error: unknown) => {
      throw new NotEnqueuedError("Redis is not reachable", { cause: error });
    });
  }

  async #stateOf(jobId: string): Promise<JobState | null> {
    try {
      return (await this.#ports.reader.find(jobId))?.state ?? null;
    } catch {
      // The job is stored, which is what the caller must know.
      return null;
    }
  }
}

const NO_EXCESS: Excess = {};

/** One try to get a job in. */
interface Attempt {
  readonly request: JobRequest;
  readonly by: EnqueueTerms;
  readonly excess: Excess;
}

interface Admitted {
  readonly asked: AskedJob;
  readonly outcome: AdmissionOutcome;
}

function resultOf(answer: Promise<EnqueueAnswer>): Promise<EnqueueResult> {
  return answer.then(
    (it) => ({ answer: it }),
    (error: unknown) => ({ error }),
  );
}

function changing(): NotEnqueuedError {
  return new NotEnqueuedError("the registry is changing; try again");
}

function attempted<Value>(act: () => Value): { readonly value: Value } | { readonly error: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}
