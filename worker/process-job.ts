/**
 * One taken job from its envelope to its settlement: accept, read, run, settle.
 *
 * Everything before the handler is decided from the job alone and never throws; what a handler throws
 * ends as data in the settlement. What is not done here: talking to Redis (`LaneWorker` does).
 */
import type { Clock } from "#shared/clock";
import { readData } from "#shared/contracts/reader";
import type { ResolvedContract } from "#shared/contracts/resolve-contract";
import { type Envelope, parseEnvelope } from "#shared/envelope";
import { DataInvalidError, EnvelopeInvalidError, UpcastFailedError } from "#shared/errors";
import { Flag } from "#shared/flag";
import { type AttemptEntry, type JobRecord, MESSAGE_CHARS_MAX, withAttempt } from "#shared/job-record";
import { deadName, parkedName } from "#shared/lane";
import type { Log } from "#shared/log";
import type { BuildDefect } from "#shared/redis/lane-trips";
import type { Settlement, TakenJob } from "#shared/redis/lane-worker";
import { fromRfc3339, toRfc3339 } from "#shared/system-clock";
import { type AcceptEnvelope, acceptTestOf } from "./accept-envelope.ts";
import { type App, type Handler, resolveApp } from "./app.ts";
import { type ChildDoor, FIRST_TENANT } from "./child-jobs.ts";
import { decideHandBack } from "./decide-hand-back.ts";
import { runHandler } from "./run-handler.ts";

/** A job that has lost this many workers is not given another. */
const CRASHES_MAX = 3;

export interface JobProcessorOptions {
  readonly app: App;
  readonly queue: string;
  readonly release: string;
  readonly workerId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where handlers' own jobs go. */
  readonly children: ChildDoor;
  /** A draw in [0, 1). */
  random(): number;
  /** Releases whose failures do not count for any job, as far as is known now. */
  discounted(): ReadonlySet<string>;
  /** Called when a job begins to run that fell due at `dueAtMs`, as far as that is known. */
  onPickedUp(job: TakenJob, type: string, dueAtMs: number | null): void;
  /** Called when a run has ended. */
  onRunEnded(run: EndedRun): void;
  /** Called when a job was handed back because this build does not read it. */
  onUnread(): void;
  /** Called when the data of a job of `lane` was read. */
  onRead(lane: string): void;
  /** Called when a job of `lane` was not, because a step of this build fails. */
  onBuildDefect(lane: string, defect: BuildDefect): void;
}

/** A run that has ended, however it did. */
export interface EndedRun {
  readonly type: string;
  readonly tenant: string;
  /** Slot time it used. */
  readonly busyMs: number;
  /** The job's record before it. */
  readonly record: JobRecord;
  readonly settlement: Settlement;
}

interface Job {
  readonly contract: ResolvedContract;
  readonly handler: Handler<unknown>;
}

export class JobProcessor {
  readonly #options: JobProcessorOptions;
  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #accept: AcceptEnvelope;
  /** By job id. */
  readonly #runs = new Map<string, RunFlags>();
  /** A drain that is out of time is for good. */
  #isOutOfTime = false;

  /** @throws {AppInvalidError} when a contract of the app is malformed. */
  constructor(options: JobProcessorOptions) {
    this.#options = options;
    const { jobs } = resolveApp(options.app);
    this.#jobs = new Map(jobs.map((job) => [job.contract.type, job]));
    this.#accept = acceptTestOf(jobs.map((job) => job.contract));
  }

  /** Ends every run: the drain is out of time. Jobs go back to the head of their lane. */
  abortForDrain(): void {
    this.#isOutOfTime = true;
    this.handBackRuns(() => true);
  }

  /** Ends the runs of these lanes. Their jobs go back to the head of their lane, for other workers; no attempt is counted. */
  handBackRuns(isLeft: (lane: string) => boolean): void {
    for (const { lane, drain } of [...this.#runs.values()]) if (isLeft(lane)) drain.raise();
  }

  /** Cancels a job if it runs here. */
  cancel(jobId: string): void {
    this.#runs.get(jobId)?.cancel.raise();
  }

  /** Never rejects. */
  async process(job: TakenJob, leaseLost: Flag): Promise<Settlement> {
    const startedAt = toRfc3339(this.#options.clock.nowMs());
    try {
      return await this.#process(job, { startedAt, leaseLost });
    } catch (error) {
      this.#options.log.error({ err: error, jobId: job.jobId }, "job could not be processed");
      return this.#handBack(job, {
        startedAt,
        code: "INTERNAL",
        message: "the worker failed before the run",
      });
    }
  }

  async #process(job: TakenJob, run: { startedAt: string; leaseLost: Flag }): Promise<Settlement> {
    const { startedAt } = run;
    if (job.crashes > CRASHES_MAX) {
      const message = `it lost ${job.crashes} workers while running`;
      return this.#quarantine(job, { startedAt, code: "WORKER_LOST", message });
    }
    if (isForeign(job.data)) {
      this.#options.onUnread();
      return this.#handBack(job, { startedAt, code: "FOREIGN", message: "an envelope of another major" });
    }
    let envelope: Envelope;
    try {
      envelope = parseEnvelope(job.data);
    } catch (error) {
      const message = error instanceof EnvelopeInvalidError ? error.message : "the envelope cannot be read";
      return this.#quarantine(job, { startedAt, code: "ENVELOPE_INVALID", message });
    }
    if (this.#isExpired(envelope)) {
      return { kind: "finished", outcome: { outcome: "expired", release: this.#options.release } };
    }
    return this.#acceptAndRun(job, envelope, run);
  }

  async #acceptAndRun(
    job: TakenJob,
    envelope: Envelope,
    run: { startedAt: string; leaseLost: Flag },
  ): Promise<Settlement> {
    const decision = this.#accept(envelope);
    const known = this.#jobs.get(envelope.type);
    if (decision.kind !== "accept" || known === undefined) {
      const code = decision.kind.toUpperCase().replaceAll("-", "_");
      const message = `release ${this.#options.release} does not read ${envelope.type} with minimum reader ${envelope.minreaderversion}`;
      this.#options.onUnread();
      return this.#handBack(job, { startedAt: run.startedAt, code, message });
    }
    const read = this.#read(job, known.contract, { envelope, startedAt: run.startedAt });
    if ("settlement" in read) return read.settlement;
    return this.#run(job, {
      contract: known.contract,
      handler: known.handler,
      envelope,
      data: read.data,
      startedAt: run.startedAt,
      leaseLost: run.leaseLost,
    });
  }

  #read(
    job: TakenJob,
    contract: ResolvedContract,
    { envelope, startedAt }: { readonly envelope: Envelope; readonly startedAt: string },
  ): { readonly data: unknown } | { readonly settlement: Settlement } {
    try {
      const { data } = readData(contract, {
        schemaVersion: envelope.schemaversion,
        minReaderVersion: envelope.minreaderversion,
        data: envelope.data,
      });
      this.#options.onRead(job.lane);
      return { data };
    } catch (error) {
      const message = error instanceof Error ? error.message : "the data cannot be read";
      if (error instanceof DataInvalidError) {
        return { settlement: this.#quarantine(job, { startedAt, code: error.code, message }) };
      }
      const code = error instanceof UpcastFailedError ? error.code : "INTERNAL";
      this.#options.onUnread();
      if (error instanceof UpcastFailedError) {
        const { type, targetVersion } = error;
        this.#options.onBuildDefect(job.lane, { type, targetVersion, code, jobId: job.jobId });
      }
      this.#options.log.error({ err: error, jobId: job.jobId, code }, "this build cannot read the job");
      return { settlement: this.#handBack(job, { startedAt, code, message }) };
    }
  }

  async #run(job: TakenJob, run: Run): Promise<Settlement> {
    const { clock, release, workerId, log, random, children, discounted } = this.#options;
    const { type, tenant = FIRST_TENANT } = run.envelope;
    const flags: RunFlags = { lane: job.lane, cancel: new Flag(), drain: new Flag() };
    if (this.#isOutOfTime) flags.drain.raise();
    this.#runs.set(job.jobId, flags);
    const startedMs = clock.monotonicMs();
    this.#options.onPickedUp(job, type, job.dueAtMs);
    try {
      const settlement = await runHandler({
        contract: run.contract,
        handler: run.handler,
        envelope: run.envelope,
        data: run.data,
        startedAt: run.startedAt,
        job,
        release,
        workerId,
        clock,
        log,
        random,
        children,
        discounted,
        aborts: { draining: flags.drain, cancelled: flags.cancel, "lease-lost": run.leaseLost },
      });
      const busyMs = clock.monotonicMs() - startedMs;
      this.#options.onRunEnded({ type, tenant, busyMs, record: job.record, settlement });
      return settlement;
    } finally {
      // After a lost lease the job may have come again: then the newer run's flags stay.
      if (this.#runs.get(job.jobId) === flags) this.#runs.delete(job.jobId);
    }
  }

  #handBack(job: TakenJob, cause: Cause): Settlement {
    const decision = decideHandBack(job.record.handBacks, this.#options.random());
    const outcome = decision.kind === "park" ? "parked" : "handed-back";
    const record = withAttempt(job.record, this.#entry(job, { ...cause, outcome }));
    if (decision.kind === "park") return { kind: "moved", place: parkedName(this.#options.queue), record };
    return { kind: "handed-back", delayMs: decision.delayMs, record };
  }

  #quarantine(job: TakenJob, cause: Cause): Settlement {
    const { queue, log } = this.#options;
    log.warn({ jobId: job.jobId, code: cause.code }, "job is quarantined");
    const record = withAttempt(job.record, this.#entry(job, { ...cause, outcome: "quarantined" }));
    return { kind: "moved", place: deadName(queue), record };
  }

  #entry(job: TakenJob, cause: Cause & Pick<AttemptEntry, "outcome">): AttemptEntry {
    const { release, workerId, clock } = this.#options;
    return {
      attempt: job.record.failures + 1,
      release,
      worker: workerId,
      startedAt: cause.startedAt,
      endedAt: toRfc3339(clock.nowMs()),
      outcome: cause.outcome,
      code: cause.code,
      message: cause.message.slice(0, MESSAGE_CHARS_MAX),
    };
  }

  #isExpired(envelope: Envelope): boolean {
    const expiresAtMs = envelope.expirytime === undefined ? null : fromRfc3339(envelope.expirytime);
    return expiresAtMs !== null && expiresAtMs <= this.#options.clock.nowMs();
  }
}

interface Cause {
  readonly startedAt: string;
  readonly code: string;
  readonly message: string;
}

interface RunFlags {
  readonly lane: string;
  readonly cancel: Flag;
  readonly drain: Flag;
}

interface Run extends Job {
  readonly envelope: Envelope;
  readonly data: unknown;
  readonly startedAt: string;
  readonly leaseLost: Flag;
}

/** A CloudEvent of a major that this build does not know; another build may. */
function isForeign(data: unknown): boolean {
  if (data === null || typeof data !== "object" || !("specversion" in data)) return false;
  return typeof data.specversion === "string" && data.specversion !== "1.0";
}
