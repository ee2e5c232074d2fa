/**
 * Holds an answer against the document: is its status one that is documented, its content type too, and its body
 * what the document says of them? Pure.
 *
 * A request that the document forbids must not be taken as if it were right, and no request may make the server
 * fail. What no operation can speak of (another path, bytes that are no HTTP) must still be refused as a problem.
 */
import type { OpenApiContent, OpenApiDocument, OpenApiResponse } from "#shared/http/openapi-document";
import type { DocumentChecks } from "./document-checks.ts";
import type { FuzzAnswer, FuzzOutcome, FuzzRequest } from "./fuzz-request.ts";

export interface Defect {
  /** Stable, so that the same defect is told once. */
  readonly kind:
    | "no-answer"
    | "server-error"
    | "undocumented-status"
    | "undocumented-type"
    | "wrong-body"
    | "no-retry-after"
    | "accepted-invalid";
  readonly detail: string;
}

export interface Judging {
  readonly document: OpenApiDocument;
  readonly checks: DocumentChecks;
  /** Codes of 5xx answers that may be true while everything works, such as a full backlog. */
  readonly trueCodes: ReadonlySet<string>;
}

const PROBLEM = "application/problem+json";
const PROBLEM_STEPS = ["components", "schemas", "Problem"];

/** Above this the connection may close before the whole body is written, and the answer with it. */
const LOST_BODY_BYTES = 60_000;

/** Every defect that shows; empty for most. */
export function judgeAnswer(request: FuzzRequest, outcome: FuzzOutcome, judging: Judging): readonly Defect[] {
  if (outcome.kind === "no-answer") {
    const mayBeLost = request.bytes !== undefined || (request.body?.length ?? 0) > LOST_BODY_BYTES;
    return mayBeLost ? [] : [{ kind: "no-answer", detail: outcome.reason }];
  }
  const { answer } = outcome;
  const failed = serverError(answer, judging.trueCodes);
  if (failed !== null) return [failed];
  const operation = operationOf(request, judging.document);
  if (operation === null) return strayAnswer(request, answer, judging);
  return [...documentedAnswer(request, answer, { ...judging, operation }), ...refusalProblems(answer)];
}

function serverError({ status, body }: FuzzAnswer, trueCodes: ReadonlySet<string>): Defect | null {
  if (status < 500) return null;
  const code = codeIn(body);
  return code !== null && trueCodes.has(code)
    ? null
    : { kind: "server-error", detail: `${status} ${code ?? body.slice(0, 200)}` };
}

interface Operation {
  readonly path: string;
  readonly method: string;
}

/** The operation that a request reaches; `null` when it reaches none that the document knows. */
function operationOf({ method, target, bytes }: FuzzRequest, { paths }: OpenApiDocument): Operation | null {
  if (bytes !== undefined) return null;
  const pathname = pathnameOf(target);
  const wanted = method === "HEAD" ? "get" : method.toLowerCase();
  const found = Object.keys(paths)
    .filter((path) => paths[path]?.[wanted] !== undefined && matches(path, pathname))
    // One without parameters goes before one with.
    .sort((a, b) => a.split("{").length - b.split("{").length);
  return found[0] === undefined ? null : { path: found[0], method: wanted };
}

/** Without an authority (RFC 9112, 3.2.2), and as the server reads it. */
function pathnameOf(target: string): string {
  // The router takes what is no path for the root.
  if (target === "*") return "/";
  const [encoded = ""] = target.replace(/^https?:\/\/[^/]*/, "").split(/[?#]/);
  try {
    return decodeURI(encoded);
  } catch {
    return encoded;
  }
}

function matches(path: string, pathname: string): boolean {
  const pattern = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`).test(pathname);
}

/** An answer of no operation: a refusal that is a problem, or a part of the pages. */
function strayAnswer(request: FuzzRequest, answer: FuzzAnswer, { checks }: Judging): readonly Defect[] {
  if (answer.status < 400) return isPage(request) || request.bytes !== undefined ? [] : [strayOf(answer)];
  // A refusal of HEAD has a length and no body; Node itself refuses a request without Host, in silence.
  const isSilent = request.method === "HEAD" || (request.bytes !== undefined && answer.status === 400);
  if (isSilent && answer.body === "") return [];
  return problemDefects(answer, checks);
}

function isPage({ target }: FuzzRequest): boolean {
  return target.startsWith("/docs");
}

function strayOf({ status, body }: FuzzAnswer): Defect {
  return {
    kind: "undocumented-status",
    detail: `${status} where no route is documented: ${body.slice(0, 200)}`,
  };
}

function problemDefects(answer: FuzzAnswer, checks: DocumentChecks): readonly Defect[] {
  const type = essenceOf(answer);
  if (type !== PROBLEM)
    return [
      { kind: "undocumented-type", detail: `${answer.status} as ${type}: ${answer.body.slice(0, 200)}` },
    ];
  const wrong = checks.problem(PROBLEM_STEPS, parsed(answer.body));
  return wrong === null ? [] : [{ kind: "wrong-body", detail: `${answer.status}: ${wrong}` }];
}

function documentedAnswer(
  request: FuzzRequest,
  answer: FuzzAnswer,
  { document, checks, operation }: Judging & { readonly operation: Operation },
): readonly Defect[] {
  const { path, method } = operation;
  const response: OpenApiResponse | undefined =
    document.paths[path]?.[method]?.responses[String(answer.status)];
  if (response === undefined) {
    return [{ kind: "undocumented-status", detail: `${answer.status} ${codeIn(answer.body) ?? ""}` }];
  }
  if (request.method === "HEAD") return [];
  const steps = ["paths", path, method, "responses", String(answer.status), "content"];
  const wrong = bodyDefect(answer, response.content ?? {}, { steps, checks });
  return wrong === null ? acceptedInvalid(request, answer, { document, checks, operation }) : [wrong];
}

function bodyDefect(
  answer: FuzzAnswer,
  content: OpenApiContent,
  { steps, checks }: { readonly steps: readonly string[]; readonly checks: DocumentChecks },
): Defect | null {
  const type = essenceOf(answer);
  const media = content[type];
  if (media === undefined) {
    if (type === "" && answer.body === "" && Object.keys(content).length === 0) return null;
    return { kind: "undocumented-type", detail: `${answer.status} as ${type || "nothing"}` };
  }
  const framing = media["x-framing"];
  if (framing === undefined && !type.endsWith("json")) return null;
  const at = [...steps, type, framing === undefined ? "schema" : "x-item-schema"];
  const items = framing === undefined ? [parsed(answer.body)] : itemsIn(answer, framing);
  for (const item of items) {
    const wrong = checks.problem(at, item);
    if (wrong !== null) return { kind: "wrong-body", detail: `${answer.status}: ${wrong}` };
  }
  return null;
}

function itemsIn({ body, isPartial }: FuzzAnswer, framing: "lines" | "events"): readonly unknown[] {
  const parts = framing === "lines" ? body.split("\n") : body.split("\n\n");
  // The last may not have come whole.
  const whole = isPartial === true ? parts.slice(0, -1) : parts;
  const texts = framing === "lines" ? whole : whole.map((it) => /^data: (.*)$/m.exec(it)?.[1] ?? "");
  return texts.filter((it) => it !== "").map(parsed);
}

/** A body that its schema forbids, and that was taken all the same. */
function acceptedInvalid(
  request: FuzzRequest,
  answer: FuzzAnswer,
  {
    document,
    checks,
    operation: { path, method },
  }: Omit<Judging, "trueCodes"> & { readonly operation: Operation },
): readonly Defect[] {
  const type = request.headers.findLast(([name]) => name === "content-type")?.[1] ?? "";
  const media = document.paths[path]?.[method]?.requestBody?.content[type];
  if (answer.status >= 300 || request.value === undefined || media === undefined) return [];
  const isLines = media["x-framing"] === "lines";
  const steps = ["paths", path, method, "requestBody", "content", type];
  const itemSteps = isLines ? [...steps, "x-item-schema"] : [...steps, "schema", "items"];
  const results = resultsIn(answer);
  // The items of a batch are refused one by one within an answer of 200.
  const asked = results === null ? [request.value] : Array.isArray(request.value) ? request.value : [];
  const place = results === null ? [...steps, "schema"] : itemSteps;
  return asked.flatMap((item, index): Defect[] => {
    const wrong = checks.problem(place, JSON.parse(JSON.stringify(item) ?? "null"));
    const isTaken =
      results === null || (results[index] as { readonly id?: unknown } | undefined)?.id !== undefined;
    return wrong !== null && isTaken ? [{ kind: "accepted-invalid", detail: wrong }] : [];
  });
}

function resultsIn(answer: FuzzAnswer): readonly unknown[] | null {
  if (essenceOf(answer) === "application/x-ndjson") return itemsIn(answer, "lines");
  const { results } = (parsed(answer.body) ?? {}) as { readonly results?: unknown };
  return Array.isArray(results) ? results : null;
}

function refusalProblems({ status, headers }: FuzzAnswer): readonly Defect[] {
  const waits = status === 429 || status === 503;
  if (!waits || /^\d+$/.test(headers["retry-after"] ?? "")) return [];
  return [{ kind: "no-retry-after", detail: `${status} says not when to come back` }];
}

function essenceOf({ headers }: FuzzAnswer): string {
  return (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function codeIn(body: string): string | null {
  const { code } = (parsed(body) ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
