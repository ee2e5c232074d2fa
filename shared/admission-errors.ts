/**
 * Why a well-formed job is not taken now, or not a second time.
 *
 * Like all errors of ours they carry a stable `code`, the facts as fields, and nothing of the job's data.
 */
import { SluiceError } from "./errors.ts";

/** There is no room: in the queue, for the tenant, or in memory. */
export class NoRoomError extends SluiceError {
  readonly code: "BACKLOG_FULL" | "SCHEDULED_FULL" | "TENANT_BACKLOG_FULL" | "MEMORY_LOW";
  readonly retryability = "retryable";
  /** When there is likely to be room, in milliseconds from now. */
  readonly retryAfterMs: number;

  constructor(code: NoRoomError["code"], detail: string, retryAfterMs: number) {
    super(`The job was not enqueued: ${detail}`);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The idempotency key, or the client's own id, was used for another job before. */
export class IdempotencyMismatchError extends SluiceError {
  readonly code = "IDEMPOTENCY_MISMATCH";
  readonly retryability = "terminal";

  constructor() {
    super(
      "The idempotency key, or the id with its source, was used within the last 24 hours for a job with another " +
        "body; send the same body again, or a new key",
    );
  }
}

/** The header cannot be read as a key. */
export class IdempotencyKeyInvalidError extends SluiceError {
  readonly code = "IDEMPOTENCY_KEY_INVALID";
  readonly retryability = "terminal";

  constructor() {
    super('Idempotency-Key must be 1 to 255 visible ASCII characters, as in Idempotency-Key: "8e03978e"');
  }
}

/** All or none was asked for, and another job of the batch was refused. */
export class BatchAbortedError extends SluiceError {
  readonly code = "BATCH_ABORTED";
  readonly retryability = "retryable";

  constructor() {
    super("The job was not enqueued: another job of its atomic batch was refused");
  }
}
