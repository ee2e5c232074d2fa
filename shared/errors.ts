/**
 * The errors Sluice throws on purpose.
 *
 * Each has a stable `code` (listed in docs/reference/errors.md, safe to match on) and says whether
 * trying the same thing again can help. The facts are fields; a job's data is never among them.
 * Anything else that is thrown is a bug.
 */

import type { Quota } from "./throttle/quota.ts";

/** What the thrower knows about trying the same thing again. */
export type Retryability = "retryable" | "terminal";

export abstract class SluiceError extends Error {
  abstract readonly code: string;
  abstract readonly retryability: Retryability;

  override get name(): string {
    return this.constructor.name;
  }
}

/** One thing that is wrong with a document, in words a stranger can act on. */
export interface Issue {
  /** JSON pointer to the value, `""` for the document itself. */
  readonly pointer: string;
  /** The rule that was broken, kebab-case and stable. */
  readonly rule: string;
  /** What is wrong and what would be right. Never the value itself. */
  readonly message: string;
}

/** What a throttle's refusal says; see `Throttler`. */
export interface ThrottleFacts {
  /** When the request passes if nobody else comes first, in milliseconds. */
  readonly retryAfterMs: number;
  /** Names of the throttles that refuse. */
  readonly violated: readonly string[];
  /** The most jobs that one request can ever hand in, where it asked for more; else `null`. */
  readonly costMax: number | null;
  readonly fields: readonly Quota[];
}

function listed(issues: readonly Issue[]): string {
  return issues.map((issue) => `${issue.pointer || "(document)"}: ${issue.message}`).join("; ");
}

/** A document is not an envelope. */
export class EnvelopeInvalidError extends SluiceError {
  readonly code = "ENVELOPE_INVALID";
  readonly retryability = "terminal";
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(`The envelope is invalid: ${listed(issues)}`);
    this.issues = issues;
  }
}

/** A job's data does not have the shape that its own type and schema version promise. */
export class DataInvalidError extends SluiceError {
  readonly code = "DATA_INVALID";
  readonly retryability = "terminal";
  readonly type: string;
  readonly schemaVersion: number;
  readonly issues: readonly Issue[];

  constructor(type: string, schemaVersion: number, issues: readonly Issue[]) {
    super(`The data is not a valid ${type} version ${schemaVersion}: ${listed(issues)}`);
    this.type = type;
    this.schemaVersion = schemaVersion;
    this.issues = issues;
  }
}

/** No live release declares this job type. */
export class TypeUnknownError extends SluiceError {
  readonly code = "TYPE_UNKNOWN";
  readonly retryability = "terminal";
  readonly type: string;

  constructor(type: string, knownTypes: readonly string[]) {
    const known =
      knownTypes.length > 0 ? `Known types: ${knownTypes.join(", ")}.` : "No type is published yet.";
    super(`No live release declares the job type "${type}". ${known}`);
    this.type = type;
  }
}

/** The type exists, this version of it does not, or no live release reads it. */
export class VersionUnknownError extends SluiceError {
  readonly code = "VERSION_UNKNOWN";
  readonly retryability = "terminal";
  readonly type: string;
  readonly schemaVersion: number;

  constructor(type: string, schemaVersion: number, accepted: readonly number[]) {
    super(
      `Version ${schemaVersion} of ${type} is not published; accepted: ${accepted.join(", ") || "none"}.`,
    );
    this.type = type;
    this.schemaVersion = schemaVersion;
  }
}

/** The version is published and read by live releases, and its gate is not raised yet. */
export class VersionNotActiveError extends SluiceError {
  readonly code = "VERSION_NOT_ACTIVE";
  readonly retryability = "retryable";
  readonly type: string;
  readonly schemaVersion: number;
  readonly activeVersion: number;

  constructor(type: string, schemaVersion: number, activeVersion: number) {
    super(
      `Version ${schemaVersion} of ${type} is not active yet; write version ${activeVersion}, ` +
        "or try again once the gate is raised.",
    );
    this.type = type;
    this.schemaVersion = schemaVersion;
    this.activeVersion = activeVersion;
  }
}

/** A build's own step from one version to the next threw or gave data its target refuses. */
export class UpcastFailedError extends SluiceError {
  readonly code = "UPCAST_FAILED";
  readonly retryability = "retryable";
  readonly type: string;
  readonly targetVersion: number;

  constructor(type: string, targetVersion: number, detail: string, options?: ErrorOptions) {
    super(`The upcaster of ${type} to version ${targetVersion} failed: ${detail}`, options);
    this.type = type;
    this.targetVersion = targetVersion;
  }
}

/** The environment or the configuration file cannot be used; the process exits before it starts. */
export class ConfigInvalidError extends SluiceError {
  readonly code = "CONFIG_INVALID";
  readonly retryability = "terminal";
  readonly problems: readonly string[];

  constructor(what: string, problems: readonly string[]) {
    super(`${what} is invalid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/** An app's contracts or handlers are malformed; every problem is listed, not the first. */
export class AppInvalidError extends SluiceError {
  readonly code = "APP_INVALID";
  readonly retryability = "terminal";
  readonly problems: readonly string[];

  constructor(app: string, problems: readonly string[]) {
    super(`The app ${app} is invalid:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/** A release cannot be published next to what the registry already holds. */
export class PublishRefusedError extends SluiceError {
  readonly code = "PUBLISH_REFUSED";
  readonly retryability = "terminal";
  readonly release: string;
  readonly problems: readonly string[];

  constructor(release: string, problems: readonly string[]) {
    super(`Release ${release} cannot be published:\n${problems.map((it) => `  - ${it}`).join("\n")}`);
    this.release = release;
    this.problems = problems;
  }
}

/** Redis refused the write or was not reached, and the job is certainly not stored. */
export class NotEnqueuedError extends SluiceError {
  readonly code = "NOT_ENQUEUED";
  readonly retryability = "retryable";

  constructor(detail: string, options?: ErrorOptions) {
    super(`The job was not enqueued: ${detail}`, options);
  }
}

/** The answer of Redis never came: the job may or may not be stored. */
export class EnqueueUnknownError extends SluiceError {
  readonly code = "ENQUEUE_UNKNOWN";
  readonly retryability = "retryable";

  constructor(detail: string, options?: ErrorOptions) {
    super(`It is not known whether the job was enqueued: ${detail}`, options);
  }
}

/** A throttle refuses the request: more jobs came than the caller or the type may hand in. */
export class ThrottledError extends SluiceError {
  readonly code = "THROTTLED";
  readonly retryability = "retryable";
  readonly retryAfterMs: number;
  readonly violated: readonly string[];
  readonly costMax: number | null;
  readonly fields: readonly Quota[];

  /** @param refusal what the throttler answered. */
  constructor({ retryAfterMs, violated, costMax, fields }: ThrottleFacts) {
    const tooMany =
      costMax === null ? "" : ` At most ${costMax} jobs fit in one request; send fewer at once.`;
    super(`Over the limit of ${violated.join(", ")}; try again in ${retryAfterMs} ms.${tooMany}`);
    this.retryAfterMs = retryAfterMs;
    this.violated = violated;
    this.costMax = costMax;
    this.fields = fields;
  }
}

/** A question could not be answered because Redis was not reached. */
export class RedisUnavailableError extends SluiceError {
  readonly code = "REDIS_UNAVAILABLE";
  readonly retryability = "retryable";

  constructor(options?: ErrorOptions) {
    super("Redis is not reachable", options);
  }
}

/** Redis keeps less than the configured durability, or could lose or refuse jobs as it is set up. */
export class DurabilityTooLowError extends SluiceError {
  readonly code = "DURABILITY_TOO_LOW";
  readonly retryability = "terminal";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Redis is not safe to use as configured:\n${problems.map((it) => `  - ${it}`).join("\n")}`);
    this.problems = problems;
  }
}

/** The fleet refuses this worker: it must not take jobs. */
export class WorkerRefusedError extends SluiceError {
  readonly code = "WORKER_REFUSED";
  readonly retryability = "terminal";

  constructor(reason: string) {
    super(`The fleet refuses this worker: ${reason}`);
  }
}

/** A handler ran longer than its contract allows. */
export class JobTimeoutError extends SluiceError {
  readonly code = "JOB_TIMEOUT";
  readonly retryability = "retryable";
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`The handler ran longer than its ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** Thrown by a handler that knows that running the job again cannot help. */
export class TerminalJobError extends SluiceError {
  readonly code = "JOB_TERMINAL";
  readonly retryability = "terminal";
}

/** A command of a leader whose term is over; nothing was done. A newer leader has taken its place. */
export class StaleEpochError extends SluiceError {
  readonly code = "EPOCH_STALE";
  readonly retryability = "terminal";
  readonly epoch: number;
  /** The highest epoch that is known where it was refused, `null` when the leader itself saw that its time is over. */
  readonly newest: number | null;

  constructor(epoch: number, newest: number | null) {
    const over = newest === null ? "the lease was not renewed in time" : `epoch ${newest} has begun`;
    super(`The term of epoch ${epoch} is over: ${over}`);
    this.epoch = epoch;
    this.newest = newest;
  }
}

/** What the fleet executor has on disk cannot be read, so it cannot tell a leader of the past: it starts nothing. */
export class EpochFileCorruptError extends SluiceError {
  readonly code = "EPOCH_FILE_CORRUPT";
  readonly retryability = "terminal";
  readonly path: string;

  constructor(path: string) {
    super(
      `${path} cannot be read as what the fleet executor has kept, so no worker is started or stopped. ` +
        "Make sure that one autoscaler only uses this directory's Redis, then remove the file.",
    );
    this.path = path;
  }
}
