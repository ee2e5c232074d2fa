/**
 * What the fleet owes: every job that was accepted, what became of it, and the judgement of every single thing
 * that a worker does with one. Kept apart from the fleet, from what the commands did and the witness saw.
 */
import { isDeepStrictEqual } from "node:util";
import type { Settlement, TakenJob } from "#shared/redis/lane-worker";
import type { HandledJob } from "#worker/app";
import type { Build } from "./model-build.ts";
import type { Ended } from "./model-queues.ts";
import type { Witness } from "./model-worker.ts";
import { dataAsRead, type History, versionIn, type Written } from "./version-histories.ts";

/** Workers that a job may be lost with before it is put aside, see `worker/process-job.ts`. */
const CRASHES_MAX = 3;

export interface Owed {
  readonly jobId: string;
  readonly history: History;
  /** The version it was written as. */
  readonly version: number;
  readonly written: Written;
  /** Data that its own version does not promise, put past the door by hand. */
  readonly isPoison: boolean;
  /** The lane that a person put it into by hand, while it is there. */
  misplacedIn: string | null;
  /** Times that its handler failed. */
  failures: number;
  starts: number;
  crashes: number;
  ended: Ended | null;
}

/** A promise that was broken. */
export class InvariantBroken extends Error {
  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.name = "InvariantBroken";
  }
}

/** How often what happened: a test that asserts on nothing shows here. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  count(event: string, by = 1): void {
    this.#counts.set(event, this.of(event) + by);
  }

  of(event: string): number {
    return this.#counts.get(event) ?? 0;
  }

  /** By name. */
  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

export class Ledger implements Witness {
  readonly jobs = new Map<string, Owed>();
  readonly coverage: Coverage;

  constructor(coverage: Coverage) {
    this.coverage = coverage;
  }

  /** From the moment on that it is offered: a worker may be quicker than the answer. */
  accept(job: Pick<Owed, "jobId" | "history" | "version" | "written" | "isPoison">): Owed {
    const counts = { failures: 0, starts: 0, crashes: 0, ended: null };
    const owed = { ...job, misplacedIn: null, ...counts };
    this.jobs.set(job.jobId, owed);
    return owed;
  }

  /** The door has not taken it after all. */
  refuse(jobId: string): void {
    this.jobs.delete(jobId);
  }

  of(jobId: string): Owed {
    const job = this.jobs.get(jobId);
    if (job === undefined) throw new InvariantBroken("conservation", `nobody has accepted ${jobId}`);
    return job;
  }

  /** The handler is about to fail. */
  handlerFails(jobId: string): void {
    this.of(jobId).failures += 1;
  }

  taken({ jobId, lane, data, starts, crashes, record }: TakenJob, build: Build): void {
    const job = this.of(jobId);
    job.starts += 1;
    this.coverage.count("taken");
    if (job.misplacedIn !== null && job.misplacedIn !== lane) job.misplacedIn = null;
    const { minreaderversion } = data as { readonly minreaderversion: number };
    const { type } = job.history;
    if (!build.reads(type, minreaderversion) && job.misplacedIn !== lane) {
      const what = `${build.release} got ${jobId} (${type}, M ${minreaderversion}) from ${lane}`;
      throw new InvariantBroken("a worker never gets a job that it cannot read", what);
    }
    if (starts !== job.starts || crashes !== job.crashes || record.failures !== job.failures) {
      const found = `starts ${starts}, crashes ${crashes}, failures ${record.failures}`;
      const owed = `${job.starts}, ${job.crashes}, ${job.failures}`;
      throw new InvariantBroken("counts", `${jobId} has ${found}, not ${owed}`);
    }
  }

  started({ jobId, type, data, schemaVersion }: HandledJob<unknown>, build: Build): void {
    const job = this.of(jobId);
    this.coverage.count("started");
    const native = build.nativeOf(type);
    const { minReaderVersion } = versionIn(job.history, schemaVersion);
    if (!build.reads(type, minReaderVersion) || type !== job.history.type) {
      const what = `${build.release} (H ${native}) runs ${jobId} of ${type}, M ${minReaderVersion}`;
      throw new InvariantBroken("only a build that reads a job runs it", what);
    }
    const { history, version, written } = job;
    if (version !== native)
      this.coverage.count(version < native ? "started older data" : "started newer data");
    const isValid = versionIn(history, native).schema.safeParse(data).success;
    if (!isValid || !isDeepStrictEqual(data, dataAsRead(history, { version, native }, written))) {
      const what = `${jobId}, written as ${version}, came to a handler of ${native} as ${JSON.stringify(data)}`;
      throw new InvariantBroken("a handler gets valid data of its own version", what);
    }
  }

  settled(taken: TakenJob, build: Build, settlement: Settlement): void {
    const job = this.of(taken.jobId);
    this.coverage.count(`settled: ${settlement.kind}`);
    switch (settlement.kind) {
      case "finished":
        this.#end(job, "succeeded");
        break;
      case "failed":
        this.#end(job, "failed");
        this.#countsFailures(job, settlement);
        break;
      case "retry":
        this.#countsFailures(job, settlement);
        break;
      case "handed-back":
      case "moved":
        this.#judgeRefusal(job, build, { lane: taken.lane, code: codeOf(settlement), settlement });
        break;
      case "returned":
      case "abandoned":
        break;
    }
  }

  redelivered(jobId: string): void {
    this.of(jobId).crashes += 1;
    this.coverage.count("redelivered");
  }

  #end(job: Owed, ended: Ended): void {
    if (job.ended !== null) throw new InvariantBroken("a job ends once", `${job.jobId} has ended twice`);
    job.ended = ended;
  }

  #countsFailures({ jobId, failures }: Owed, settlement: Settlement): void {
    const counted = "record" in settlement ? settlement.record.failures : 0;
    if (counted === failures) return;
    const what = `${jobId} counts ${counted} after ${failures} failures of its handler`;
    throw new InvariantBroken("only a handler's failure counts as an attempt", what);
  }

  /** A job that was taken and not run: each code has the one cause that it may have. */
  #judgeRefusal(
    job: Owed,
    build: Build,
    {
      lane,
      code,
      settlement,
    }: { readonly lane: string; readonly code: string; readonly settlement: Settlement },
  ): void {
    const isMoved = settlement.kind === "moved";
    this.coverage.count(`${isMoved ? settlement.place.replace(/^.*\./, "") : "handed back"}: ${code}`);
    const isExplained = {
      TOO_NEW: job.misplacedIn === lane,
      TOO_OLD: job.misplacedIn === lane,
      FOREIGN: job.misplacedIn === lane,
      UPCAST_FAILED: build.plan.upcasters !== "right" || job.isPoison,
      DATA_INVALID: job.isPoison,
      WORKER_LOST: job.crashes > CRASHES_MAX,
    }[code];
    if (isExplained === true) return;
    const what = `${build.release} refused ${job.jobId} from ${lane} with ${code}`;
    throw new InvariantBroken("a job is refused for a cause", what);
  }
}

/** Whether a person has to look at it: it is poison, or has lost too many workers. */
export function mayBeDead({ isPoison, crashes }: Owed): boolean {
  return isPoison || crashes > CRASHES_MAX;
}

function codeOf(settlement: Settlement): string {
  return ("record" in settlement ? settlement.record.attempts.at(-1)?.code : undefined) ?? "none";
}
