import { type Issue, RedisUnavailableError, SluiceError } from "#shared/errors";
import { type Problem, problemOf } from "#shared/http/problem";

/** A query parameter breaks its rule. */
export class QueryInvalidError extends SluiceError {
  readonly code = "QUERY_INVALID";
  readonly retryability = "terminal";
  readonly issue: Issue;

  constructor(issue: Issue) {
    super(issue.message);
    this.issue = issue;
  }
}

/** The body of a write breaks its rules. */
export class BodyInvalidError extends SluiceError {
  readonly code = "BODY_INVALID";
  readonly retryability = "terminal";
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(
      `The body is invalid: ${issues.map((it) => `${it.pointer || "(body)"}: ${it.message}`).join("; ")}`,
    );
    this.issues = issues;
  }
}

/** @throws {RedisUnavailableError} for whatever a read rejects with, except what only a bug throws. */
export async function readRedis<Answer>(reading: Promise<Answer>): Promise<Answer> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof RedisUnavailableError || BUGS.some((Bug) => error instanceof Bug)) throw error;
    throw new RedisUnavailableError({ cause: error });
  }
}

const BUGS = [TypeError, ReferenceError, RangeError, SyntaxError];

/** What a log should tell: why Redis did not answer, or the error itself. */
export function causeOf(error: unknown): unknown {
  return error instanceof RedisUnavailableError ? (error.cause ?? error) : error;
}

export function problemFor(error: unknown): Problem {
  if (error instanceof QueryInvalidError) {
    const { code, message: detail, issue } = error;
    return problemOf({ status: 400, code, title: "A query parameter is wrong", detail, errors: [issue] });
  }
  if (error instanceof BodyInvalidError) {
    const { code, message: detail, issues } = error;
    return problemOf({ status: 422, code, title: "The request is not valid", detail, errors: issues });
  }
  if (error instanceof RedisUnavailableError) {
    const { code } = error;
    const detail = "Redis did not answer, so the state of lanes and workers is not known.";
    return problemOf({ status: 503, code, title: "Redis is not reachable", detail, retryAfterSeconds: 1 });
  }
  const status = clientStatusOf(error);
  if (status !== null) {
    const detail = "The request cannot be understood.";
    return problemOf({ status, code: "BAD_REQUEST", title: "Bad request", detail });
  }
  const detail = "The request failed for a reason of ours; the log has it.";
  return problemOf({ status: 500, code: "INTERNAL", title: "Something went wrong here", detail });
}

/** The 4xx that the HTTP framework gave an error, or `null`. */
function clientStatusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("statusCode" in error)) return null;
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : null;
}
