/**
 * Requests to a Sluice server, and its refusals as errors a person can act on.
 *
 * Every request ends within its time limit, follows no redirect and reads a bounded answer.
 */
import { z } from "zod";
import { apiKeyHeaders } from "./api-key.ts";
import { CliError } from "./cli-error.ts";
import { CLI_EXIT, exitCodeForStatus } from "./exit-codes.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Base address of the server, without a slash at the end. */
  readonly baseUrl: string;
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** What must still be there for a write to take effect. */
  readonly ifMatch?: string;
  readonly timeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** `undefined` when the body is no JSON. */
  readonly value: unknown;
  readonly headers: Headers;
}

const problem = z.object({
  code: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  outcome: z.string().optional(),
  errors: z.array(z.looseObject({ pointer: z.string(), message: z.string() })).optional(),
  retryAfterSeconds: z.number().optional(),
});

/** The JSON value of a 2xx answer. @throws {CliError} for everything else. */
export async function requestJson(request: HttpRequest): Promise<unknown> {
  return (await requestAnswer(request)).value;
}

/** A 2xx answer with a JSON value. @throws {CliError} for everything else. */
export async function requestAnswer(request: HttpRequest): Promise<HttpAnswer> {
  const answer = await send(request);
  if (answer.status < 200 || answer.status > 299) throw refusal(request, answer.status, answer.value);
  if (answer.value !== undefined) return answer;
  throw new CliError({
    exitCode: CLI_EXIT.unexpected,
    code: "ANSWER_UNREADABLE",
    message: `${request.baseUrl} answered something that is not JSON.`,
    hint: "Is a Sluice listening there?",
  });
}

/** Any answer, whatever its status. @throws {CliError} when there is none. */
export async function send(request: HttpRequest): Promise<HttpAnswer> {
  const timeoutMs = request.timeoutMs ?? REQUEST_TIMEOUT_MS;
  try {
    const response = await fetch(`${request.baseUrl}${request.path}`, {
      method: request.method,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: "application/json",
        ...apiKeyHeaders(),
        ...(request.body && { "content-type": "application/json" }),
        ...(request.ifMatch && { "if-match": request.ifMatch }),
      },
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const { status, headers } = response;
    return { status, headers, value: parsed(await readBounded(response)) };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw unreachable(request.baseUrl, error, timeoutMs);
  }
}

/**
 * The body of a stream of events, as long as `signal` lets it.
 *
 * @throws {CliError} for every answer but a stream.
 */
export async function openEvents(
  { baseUrl, path }: Pick<HttpRequest, "baseUrl" | "path">,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  let response: Response;
  try {
    const headers = { accept: "text/event-stream", ...apiKeyHeaders() };
    response = await fetch(`${baseUrl}${path}`, { redirect: "manual", signal, headers });
  } catch (error) {
    throw unreachable(baseUrl, error, REQUEST_TIMEOUT_MS);
  }
  if (response.status === 200 && response.body !== null) return response.body;
  throw refusal({ method: "GET", baseUrl, path }, response.status, parsed(await readBounded(response)));
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      const message = `The answer is larger than ${ANSWER_BYTES_MAX} bytes and was not read.`;
      throw new CliError({ exitCode: CLI_EXIT.unexpected, code: "ANSWER_TOO_LARGE", message });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(baseUrl: string, error: unknown, timeoutMs: number): CliError {
  const cause = error instanceof Error ? error.cause : undefined;
  const timedOut = error instanceof Error && error.name === "TimeoutError";
  const why = timedOut ? `no answer within ${timeoutMs / 1_000} s` : reasonOf(cause ?? error);
  return new CliError({
    exitCode: CLI_EXIT.unreachable,
    code: timedOut ? "NO_ANSWER" : "UNREACHABLE",
    message: `Cannot reach ${baseUrl} (${why}).`,
    hint: "Is it running? `npm start` starts one.",
  });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause ? String(cause.code) : cause.message;
}

function refusal({ baseUrl, path }: HttpRequest, status: number, value: unknown): CliError {
  const told = problem.safeParse(value).data ?? {};
  const fields = (told.errors ?? []).map((it) => `\n  ${it.pointer || "(document)"}: ${it.message}`);
  const what = told.title ?? `${baseUrl}${path} answered ${status}`;
  // The detail of a refusal that lists its fields is those fields in one line.
  const why = fields.length > 0 ? `:${fields.join("")}` : `. ${told.detail ?? ""}`.trimEnd();
  const exitCode = exitCodeForStatus(status);
  return new CliError({
    exitCode,
    code: told.code ?? `HTTP_${status}`,
    message: `${what}${why}`,
    ...hintFor(exitCode, told.retryAfterSeconds),
    details: { status, outcome: told.outcome ?? null, errors: told.errors ?? [] },
  });
}

function hintFor(exitCode: number, retryAfterSeconds: number | undefined): { readonly hint?: string } {
  if (exitCode === CLI_EXIT.notAuthorised) return { hint: "Set SLUICE_API_KEY to a key that may do this." };
  if (retryAfterSeconds !== undefined) return { hint: `Try again in ${retryAfterSeconds} s.` };
  return {};
}

/** Whether a write that ended with this error may have happened all the same. */
export function isOutcomeUnknown({ failure }: CliError): boolean {
  const outcome = failure.details?.outcome;
  if (typeof outcome === "string") return outcome === "unknown";
  if (failure.code === "UNREACHABLE") return !/\((ECONNREFUSED|ENOTFOUND|EAI_AGAIN)\)/.test(failure.message);
  return failure.exitCode === CLI_EXIT.unreachable || failure.exitCode === CLI_EXIT.unexpected;
}
