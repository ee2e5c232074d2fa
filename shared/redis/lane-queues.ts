/**
 * The BullMQ queues a process writes to and looks into: lanes, `.parked` and `.dead`.
 *
 * One connection serves them all; a queue is opened when first needed. Nothing here runs jobs.
 * BullMQ's `drain()` deletes jobs and is never called.
 */
import { type JobJson, Queue } from "bullmq";
import { EnqueueUnknownError, NotEnqueuedError, RedisUnavailableError } from "../errors.ts";
import {
  type AdmissionFailure,
  type AdmissionOutcome,
  type AdmissionRequest,
  admitCall,
  type OnQueueSeen,
} from "./admission.ts";
import { AdmissionBatch, groupsOf } from "./admission-batch.ts";
import { requireKnownBullmq } from "./bullmq-version.ts";
import type { RedisConnection } from "./connection.ts";
import {
  argumentsOf,
  callsOf,
  type JobMove,
  MOVE_JOBS,
  type MoveOutcome,
  outcomeOfMove,
} from "./move-jobs.ts";

/** Entries BullMQ keeps in a lane's event stream. */
const EVENTS_MAX = 1_000;

/** Replies by which Redis says that it has not run the command. */
const REFUSALS = /^(OOM|READONLY|NOREPLICAS|LOADING|MISCONF|MASTERDOWN|NOAUTH|NOPERM|CLUSTERDOWN|TRYAGAIN)\b/;

/** A job as BullMQ holds it, with the name of the queue it was found in. */
export interface FoundJob {
  readonly place: string;
  readonly raw: JobJson;
  /** BullMQ's own state word. */
  readonly state: string;
}

/** Where a job rests that is neither in flight nor finished, in BullMQ's words. */
export const RESTING_STATES = ["wait", "prioritized", "delayed"] as const;

export type RestingState = (typeof RESTING_STATES)[number];

/** A job as it lies in a queue. */
export interface StoredJob {
  readonly jobId: string;
  /** Whatever whoever added it put there. */
  readonly dataText: string;
  /** The attempt record as JSON text, not yet parsed; `null` when there is none. */
  readonly recordText: string | null;
  /** A flow, a scheduler or a deduplication of BullMQ's refers to it under the queue that it is in. */
  readonly isTied: boolean;
}

/** From where to where jobs move, and when a scheduled one is due there. */
export interface MoveWay {
  readonly from: string;
  readonly to: string;
  readonly due: "kept" | "now";
}

interface ScriptedRedis extends RedisConnection {
  sluiceMoveJobs(...args: string[]): Promise<number[]>;
}

export class LaneQueues {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #open = new Map<string, Promise<Queue>>();
  readonly #batch: AdmissionBatch;
  readonly #prepared = new Set<string>();

  /**
   * @param onSeen told of each queue that jobs were admitted to, after it.
   * @throws {ConfigInvalidError} when the BullMQ that is installed is not the one that our scripts write for.
   */
  constructor(redis: RedisConnection, prefix: string, onSeen: OnQueueSeen = () => undefined) {
    requireKnownBullmq();
    this.#redis = redis;
    this.#prefix = prefix;
    this.#batch = new AdmissionBatch(
      (jobs, { revision, isAtomic }) =>
        admitCall(redis, jobs, { prefix, revision, isAtomic }).catch(failWithOutcome),
      onSeen,
    );
    redis.defineCommand("sluiceMoveJobs", { lua: MOVE_JOBS, numberOfKeys: 0 });
  }

  /**
   * Asks for a job to come in and resolves once Redis has decided.
   *
   * @throws {NotEnqueuedError} when the job is certainly not stored.
   * @throws {EnqueueUnknownError} when the answer was lost.
   */
  admit(job: AdmissionRequest): Promise<AdmissionOutcome> {
    const { place } = job.terms;
    // Once a place: an await of a promise that is settled still costs a turn.
    if (place === null || this.#canAdmitTo(place)) return this.#batch.add(job);
    return this.#prepare(place).then(() => this.#batch.add(job));
  }

  /** The same for jobs of which all shall come in or none: at most `CALL_JOBS_MAX` of `CALL_CHARS_MAX` characters. */
  async admitAll(jobs: readonly AdmissionRequest[]): Promise<readonly AdmissionOutcome[]> {
    await this.#prepareFor(jobs);
    return this.#batch.addAll(jobs);
  }

  /** The same for any number of jobs that came together, each by itself. Never rejects. */
  async admitEach(
    jobs: readonly AdmissionRequest[],
  ): Promise<readonly (AdmissionOutcome | AdmissionFailure)[]> {
    const groups = groupsOf(jobs);
    const outcomes = groups.map(async (group) => {
      try {
        await this.#prepareFor(group);
        return await this.#batch.addGroup(group);
      } catch (error) {
        return group.map(() => ({ kind: "failed", error }) as const);
      }
    });
    return (await Promise.all(outcomes)).flat();
  }

  /**
   * Moves jobs that rest, or that the caller holds the lease of, each in one step, and says what became
   * of each. Safe to repeat.
   */
  async move({ from, to, due }: MoveWay, moves: readonly JobMove[]): Promise<readonly MoveOutcome[]> {
    await this.open(to);
    const outcomes: MoveOutcome[] = [];
    for (const call of callsOf(moves)) {
      const codes = await (this.#redis as ScriptedRedis).sluiceMoveJobs(
        this.#keyOf(from, ""),
        this.#keyOf(to, ""),
        due,
        ...call.flatMap(argumentsOf),
      );
      outcomes.push(...codes.map(outcomeOfMove));
    }
    return outcomes;
  }

  /** Ids of up to `max` jobs that rest in `place`, the one that is next first, after the first `skip`. */
  async restingIds(
    place: string,
    state: RestingState,
    { skip, max }: { readonly skip: number; readonly max: number },
  ): Promise<readonly string[]> {
    const key = this.#keyOf(place, state);
    if (state !== "wait") return this.#redis.zrange(key, String(skip), String(skip + max - 1));
    return (await this.#redis.lrange(key, -(skip + max), -(skip + 1))).reverse();
  }

  /** What lies in `place` under each of `jobIds`; ids that are gone are left out. */
  async read(place: string, jobIds: readonly string[]): Promise<readonly StoredJob[]> {
    const pipeline = this.#redis.pipeline();
    for (const jobId of jobIds)
      pipeline.hmget(this.#keyOf(place, jobId), "data", "progress", "parentKey", "rjk", "deid");
    const replies = (await pipeline.exec()) ?? [];
    return replies.flatMap(([error, reply], index) => {
      if (error !== null) throw error;
      const [dataText, recordText, ...ties] = reply as (string | null)[];
      if (typeof dataText !== "string") return [];
      const isTied = ties.some((tie) => typeof tie === "string");
      return [{ jobId: jobIds[index] ?? "", dataText, recordText: recordText ?? null, isTied }];
    });
  }

  /** Up to `max` jobs that wait in `place`, oldest first. */
  async waiting(place: string, max: number): Promise<readonly FoundJob[]> {
    const queue = await this.open(place);
    const jobs = await queue.getJobs(["waiting", "prioritized"], 0, max - 1, true);
    return jobs.map((job) => ({ place, raw: job.asJSON(), state: "waiting" }));
  }

  /** The BullMQ queue behind a place; it stays open until `close`. Rejects while Redis is away. */
  open(place: string): Promise<Queue> {
    // BullMQ would wait for Redis for as long as it takes, and a request with it.
    if (this.#redis.status !== "ready") return Promise.reject(new RedisUnavailableError());
    const known = this.#open.get(place);
    if (known !== undefined) return known;
    const opening = this.#create(place).catch((error: unknown) => {
      // A queue whose first contact failed would fail for ever: the next call opens it anew.
      this.#open.delete(place);
      throw error;
    });
    this.#open.set(place, opening);
    return opening;
  }

  /** Lets go of all queues; the connection stays the caller's. Never waits for Redis. */
  close(): void {
    this.#open.clear();
    this.#prepared.clear();
  }

  async #prepareFor(jobs: readonly AdmissionRequest[]): Promise<void> {
    for (const { terms } of jobs) {
      if (terms.place !== null && !this.#canAdmitTo(terms.place)) await this.#prepare(terms.place);
    }
  }

  #canAdmitTo(place: string): boolean {
    return this.#redis.status === "ready" && this.#prepared.has(place);
  }

  /** BullMQ's own queue of a place, once: it leaves there what its workers look for. */
  async #prepare(place: string): Promise<void> {
    await this.open(place).catch((error: unknown) => {
      throw new NotEnqueuedError("Redis is not reachable", { cause: error });
    });
    this.#prepared.add(place);
  }

  async #create(place: string): Promise<Queue> {
    const queue = new Queue(place, {
      connection: this.#redis,
      prefix: this.#prefix,
      streams: { events: { maxLen: EVENTS_MAX } },
    });
    // The failure of each call is seen by its caller; the event would only repeat it.
    queue.on("error", () => undefined);
    await queue.waitUntilReady();
    return queue;
  }

  /** A key of BullMQ's: the job `name` of a place, or its list or set of that name. */
  #keyOf(place: string, name: string): string {
    return `${this.#prefix}:${place}:${name}`;
  }
}

function failWithOutcome(error: unknown): never {
  throw outcomeOf(error);
}

function outcomeOf(error: unknown): NotEnqueuedError | EnqueueUnknownError {
  const message = error instanceof Error ? error.message : String(error);
  if (REFUSALS.test(message)) {
    const reason = message.startsWith("OOM")
      ? "Redis is out of memory"
      : `Redis refused it (${message.split(" ")[0]})`;
    return new NotEnqueuedError(reason, { cause: error });
  }
  if (message.includes("enableOfflineQueue"))
    return new NotEnqueuedError("Redis is not reachable", { cause: error });
  return new EnqueueUnknownError("the connection to Redis was lost or too slow", { cause: error });
}
