/**
 * Redis as the model has it: the queues of jobs, and what BullMQ and our scripts do to them in one step.
 *
 * It offers what production code asks of `LaneQueues`, so that the real door, the real reader of parked
 * jobs and the real migration run on it. A place is a BullMQ queue; the rules of moving are those that
 * `shared/redis/move-jobs.ts` writes down. There is no time in it: the fleet says what has fallen due.
 */
import { createHash } from "node:crypto";
import { parseRecord } from "#shared/job-record";
import { deadName, generationOf, parkedName } from "#shared/lane";
import type { AdmissionOutcome, AdmissionRequest } from "#shared/redis/admission";
import type { FoundJob, LaneQueues, MoveWay, RestingState, StoredJob } from "#shared/redis/lane-queues";
import type { Settlement, TakenJob } from "#shared/redis/lane-worker";
import type { LaneCounts } from "#shared/redis/load-store";
import type { JobMove, MoveOutcome } from "#shared/redis/move-jobs";
import type { QueuedJob } from "#shared/redis/queued-job";

export type Ended = "succeeded" | "failed";

/** What Redis keeps of one job in one place. */
interface Body {
  readonly jobId: string;
  readonly name: string;
  readonly acceptedAtMs: number;
  dataText: string;
  recordText: string | null;
  starts: number;
  crashes: number;
}

interface Place {
  readonly bodies: Map<string, Body>;
  /** Next first. */
  readonly waiting: string[];
  /** By job, when it falls due. */
  readonly scheduled: Map<string, number>;
  /** By job, whose it is. */
  readonly inFlight: Map<string, string>;
  readonly ended: Map<string, Ended>;
}

/** A job and where it rests, runs or has ended. */
export interface Whereabouts {
  readonly place: string;
  readonly state: "waiting" | "scheduled" | "in-flight" | Ended;
}

type Ports = Pick<LaneQueues, "admit" | "waiting" | "move" | "restingIds" | "read">;

export class ModelQueues implements Ports {
  readonly #places = new Map<string, Place>();
  readonly #records = new Map<string, { readonly fingerprint: string; readonly jobId: string }>();
  readonly #nowMs: () => number;
  /** How long the next job that is added shall wait, in milliseconds: what admission may ask for later. */
  nextDelayMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** As the admission script does where there is room for everything. */
  async admit({ terms, records, fingerprint, ...job }: AdmissionRequest): Promise<AdmissionOutcome> {
    for (const record of records) {
      const kept = this.#records.get(record);
      if (kept === undefined) continue;
      return kept.fingerprint === fingerprint
        ? { kind: "replayed", jobId: kept.jobId }
        : { kind: "conflict" };
    }
    const { queue, lanes, place } = terms;
    const isKnown = [...lanes, parkedName(queue), deadName(queue)].some((it) =>
      this.#places.get(it)?.bodies.has(job.jobId),
    );
    if (isKnown && records.some((it) => it.startsWith("id:"))) return { kind: "replayed", jobId: job.jobId };
    if (place === null) return { kind: "unroutable" };
    for (const record of records) this.#records.set(record, { fingerprint, jobId: job.jobId });
    await this.add(place, job);
    return { kind: "created" };
  }

  /** As a plain BullMQ tool does. */
  async add(place: string, { jobId, name, dataText, acceptedAtMs, delayMs }: QueuedJob): Promise<void> {
    const target = this.#place(place);
    if (target.bodies.has(jobId)) return;
    target.bodies.set(jobId, {
      jobId,
      name,
      acceptedAtMs,
      dataText,
      recordText: null,
      starts: 0,
      crashes: 0,
    });
    const waitMs = Math.max(delayMs, this.nextDelayMs);
    if (waitMs > 0) target.scheduled.set(jobId, acceptedAtMs + waitMs);
    else target.waiting.push(jobId);
  }

  async find(places: readonly string[], jobId: string): Promise<readonly FoundJob[]> {
    return places.flatMap((place) => {
      const body = this.#places.get(place)?.bodies.get(jobId);
      return body === undefined ? [] : [foundJob(place, body, this.#stateIn(place, jobId))];
    });
  }

  async waiting(place: string, max: number): Promise<readonly FoundJob[]> {
    const { waiting, bodies } = this.#place(place);
    return waiting.slice(0, max).flatMap((jobId) => {
      const body = bodies.get(jobId);
      return body === undefined ? [] : [foundJob(place, body, "waiting")];
    });
  }

  async restingIds(
    place: string,
    state: RestingState,
    { skip, max }: { readonly skip: number; readonly max: number },
  ) {
    const { waiting, scheduled } = this.#place(place);
    const ids = { wait: waiting, delayed: [...scheduled.keys()], prioritized: [] }[state];
    return ids.slice(skip, skip + max);
  }

  async read(place: string, jobIds: readonly string[]): Promise<readonly StoredJob[]> {
    return jobIds.flatMap((jobId) => {
      const body = this.#place(place).bodies.get(jobId);
      if (body === undefined) return [];
      return [{ jobId, dataText: body.dataText, recordText: body.recordText, isTied: false }];
    });
  }

  async move(way: MoveWay, moves: readonly JobMove[]): Promise<readonly MoveOutcome[]> {
    return moves.map((move) => this.#moveOne(way, move));
  }

  #moveOne({ from, to, due }: MoveWay, { jobId, lease, dataSha1, dataText, record }: JobMove): MoveOutcome {
    const source = this.#place(from);
    const target = this.#place(to);
    const body = source.bodies.get(jobId);
    if (body === undefined || (dataSha1 !== null && sha1(body.dataText) !== dataSha1)) return "not-moved";
    const dueMs = source.scheduled.get(jobId) ?? null;
    if (!takeOut(source, jobId, lease)) return "not-moved";
    source.bodies.delete(jobId);
    const known = target.bodies.get(jobId);
    if (known !== undefined) {
      known.starts = Math.max(known.starts, body.starts);
      return "known";
    }
    target.bodies.set(jobId, body);
    body.dataText = dataText ?? body.dataText;
    if (record !== null) body.recordText = JSON.stringify(record);
    if (dueMs !== null && due === "kept") target.scheduled.set(jobId, dueMs);
    else target.waiting.push(jobId);
    return "moved";
  }

  /** Gives out the next job of a lane, as BullMQ does; `null` when nothing waits. */
  take(lane: string, lease: string): TakenJob | null {
    const { waiting, inFlight, bodies } = this.#place(lane);
    const jobId = waiting.shift();
    const body = jobId === undefined ? undefined : bodies.get(jobId);
    if (jobId === undefined || body === undefined) return null;
    body.starts += 1;
    inFlight.set(jobId, lease);
    const { name, starts, crashes, acceptedAtMs } = body;
    const record = parseRecord(body.recordText ?? undefined);
    return {
      jobId,
      lane,
      name,
      data: JSON.parse(body.dataText),
      record,
      starts,
      crashes,
      acceptedAtMs,
      dueAtMs: null,
    };
  }

  /** Carries a settlement out. Answers false when the lease is not the settler's any more. */
  settle({ jobId, lane }: TakenJob, lease: string, settlement: Settlement): boolean {
    const place = this.#place(lane);
    const body = place.bodies.get(jobId);
    if (body === undefined || place.inFlight.get(jobId) !== lease) return false;
    if (settlement.kind === "abandoned") return true;
    if (settlement.kind === "moved") {
      const way = { from: lane, to: settlement.place, due: "now" } as const;
      this.#moveOne(way, { jobId, lease, dataSha1: null, dataText: null, record: settlement.record });
      return true;
    }
    place.inFlight.delete(jobId);
    if (settlement.kind !== "finished") body.recordText = JSON.stringify(settlement.record);
    if (settlement.kind === "finished") place.ended.set(jobId, "succeeded");
    else if (settlement.kind === "failed") place.ended.set(jobId, "failed");
    else if (settlement.kind === "returned") place.waiting.unshift(jobId);
    else place.scheduled.set(jobId, this.#nowMs() + Math.max(1, settlement.delayMs));
    return true;
  }

  /** What the stalled check does with a job whose lease has run out. */
  redeliver(lane: string, jobId: string): void {
    const place = this.#place(lane);
    const body = place.bodies.get(jobId);
    if (body === undefined || !place.inFlight.delete(jobId)) return;
    body.crashes += 1;
    place.waiting.unshift(jobId);
  }

  /** Lets every scheduled job wait that has fallen due, the earliest first. */
  promote(): void {
    for (const { scheduled, waiting } of this.#places.values()) {
      const due = [...scheduled].filter(([, dueMs]) => dueMs <= this.#nowMs()).sort((a, b) => a[1] - b[1]);
      for (const [jobId] of due) {
        scheduled.delete(jobId);
        waiting.push(jobId);
      }
    }
  }

  countsOf(place: string): LaneCounts {
    const { waiting, scheduled, inFlight } = this.#place(place);
    return {
      waiting: waiting.length,
      inFlight: inFlight.size,
      scheduled: scheduled.size,
      dueSoon: 0,
      succeeded: 0,
      failed: 0,
      other: 0,
      next: waiting[0] === undefined ? null : { jobId: waiting[0], dueAtMs: null },
    };
  }

  /** Every job's whereabouts; more than one of a job means that it was copied. */
  whereabouts(): ReadonlyMap<string, readonly Whereabouts[]> {
    const found = new Map<string, Whereabouts[]>();
    for (const [place, { bodies }] of this.#places) {
      for (const jobId of bodies.keys()) {
        const at = { place, state: this.#stateIn(place, jobId) };
        const known = found.get(jobId);
        if (known === undefined) found.set(jobId, [at]);
        else known.push(at);
      }
    }
    return found;
  }

  /** Lanes that hold jobs which are not ended. */
  lanesWithJobs(): readonly string[] {
    return [...this.#places]
      .filter(([, { waiting, scheduled, inFlight }]) => waiting.length + scheduled.size + inFlight.size > 0)
      .map(([place]) => place)
      .filter((place) => generationOf(place) !== null);
  }

  /** What is stored of a job, to look at. */
  bodyOf(place: string, jobId: string): Readonly<Body> | undefined {
    return this.#places.get(place)?.bodies.get(jobId);
  }

  #stateIn(place: string, jobId: string): Whereabouts["state"] {
    const { scheduled, inFlight, ended, waiting } = this.#place(place);
    const isEnded = ended.get(jobId);
    if (isEnded !== undefined) return isEnded;
    if (scheduled.has(jobId)) return "scheduled";
    if (inFlight.has(jobId)) return "in-flight";
    if (waiting.includes(jobId)) return "waiting";
    throw new Error(`${jobId} is kept in ${place} and is in no state there`);
  }

  #place(name: string): Place {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = { bodies: new Map(), waiting: [], scheduled: new Map(), inFlight: new Map(), ended: new Map() };
      this.#places.set(name, place);
    }
    return place;
  }
}

function takeOut({ waiting, scheduled, inFlight }: Place, jobId: string, lease: string | null): boolean {
  if (lease !== null) return inFlight.get(jobId) === lease && inFlight.delete(jobId);
  if (scheduled.delete(jobId)) return true;
  const at = waiting.indexOf(jobId);
  if (at < 0) return false;
  waiting.splice(at, 1);
  return true;
}

const BULLMQ_STATES = {
  waiting: "waiting",
  scheduled: "delayed",
  "in-flight": "active",
  succeeded: "completed",
  failed: "failed",
} as const;

/** With the fields of BullMQ's that production reads. */
function foundJob(place: string, body: Body, state: Whereabouts["state"]): FoundJob {
  const raw = {
    id: body.jobId,
    name: body.name,
    data: body.dataText,
    timestamp: body.acceptedAtMs,
    progress: body.recordText ?? 0,
    attemptsStarted: body.starts,
    stalledCounter: body.crashes,
  };
  return { place, raw: raw as unknown as FoundJob["raw"], state: BULLMQ_STATES[state] };
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
