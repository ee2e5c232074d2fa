/**
 * The envelope: what every job carries around its data, as one CloudEvents 1.0 structured event.
 *
 * Producers stamp it, workers read it, and both may be of different releases, so it only ever grows
 * by optional attributes. Unknown attributes are kept and ignored unless `crit` names them. `data` is
 * checked by the contract of `type`, never here. (docs/reference/envelope.md)
 */
import { z } from "zod";
import { EnvelopeInvalidError, type Issue } from "./errors.ts";
import { pointerTo } from "./json-pointer.ts";
import {
  PRIORITIES,
  quickRequest,
  TEXT_CHARS_MAX,
  TYPE_CHARS_MAX,
  TYPE_PATTERN,
  VERSION_MAX,
} from "./quick-request.ts";
import { fromRfc3339 } from "./system-clock.ts";

export { PRIORITIES, type Priority, TYPE_PATTERN } from "./quick-request.ts";

/** Largest envelope as JSON text. Redis holds every queued byte in memory. */
export const ENVELOPE_BYTES_MAX = 256 * 1024;

/** Attributes of every event; `crit` must not name them, because every reader knows them. */
const CORE_ATTRIBUTES = new Set([
  "specversion",
  "id",
  "source",
  "type",
  "schemaversion",
  "minreaderversion",
  "time",
  "data",
  "crit",
  "tenant",
]);

/** The offset is required: a time without one would mean another moment on another machine. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function text(max: number, what: string) {
  const rule = `must be a string of 1 to ${max} characters (${what})`;
  return z.string(rule).min(1, rule).max(max, rule);
}

function moment(what: string) {
  const rule = `must be an RFC 3339 timestamp such as 2026-01-31T12:00:00Z (${what})`;
  return z.string(rule).refine((value) => RFC_3339.test(value) && fromRfc3339(value) !== null, rule);
}

const versionRule = "must be a whole number from 1 (the version of the data's schema)";

const attemptsRule = "must be a whole number from 1 to the attempts of the type's policy";
const timeoutRule = "must be milliseconds, a whole number from 1 to the time limit of the type's policy";

/** What a client may set. The plain JSON form knows exactly these names. */
export const clientAttributes = {
  type: z
    .string('must be a string such as "receipt.render"')
    .max(TYPE_CHARS_MAX, `must have at most ${TYPE_CHARS_MAX} characters`)
    .regex(TYPE_PATTERN, 'must be two to eight dotted lower-case words such as "receipt.render"'),
  schemaversion: z.int(versionRule).min(1, versionRule).max(VERSION_MAX, versionRule),
  data: z.record(z.string(), z.unknown(), "must be a JSON object"),
  id: text(TEXT_CHARS_MAX.id, "unique for its source; left out, one is made").optional(),
  source: text(TEXT_CHARS_MAX.source, "a URI reference that says where the job comes from").optional(),
  crit: text(
    TEXT_CHARS_MAX.crit,
    "names of attributes a reader must understand, separated by spaces",
  ).optional(),
  subject: text(TEXT_CHARS_MAX.subject, "what the job is about").optional(),
  partitionkey: text(TEXT_CHARS_MAX.partitionkey, "carried for the handler").optional(),
  dedupkey: text(
    TEXT_CHARS_MAX.dedupkey,
    "no second job of the type with it is added while one has not ended",
  ).optional(),
  scheduledtime: moment("before it the job is not run").optional(),
  expirytime: moment("after it the job is not run").optional(),
  priority: z.enum(PRIORITIES, `must be one of ${PRIORITIES.join(", ")}`).optional(),
  attempts: z.int(attemptsRule).min(1, attemptsRule).max(100, attemptsRule).optional(),
  timeoutms: z.int(timeoutRule).min(1, timeoutRule).max(86_400_000, timeoutRule).optional(),
  traceparent: z.string("must be a string").max(256, "must have at most 256 characters").optional(),
  tracestate: z.string("must be a string").max(512, "must have at most 512 characters").optional(),
  correlationid: text(TEXT_CHARS_MAX.correlationid, "ties related jobs together").optional(),
  causationid: text(TEXT_CHARS_MAX.causationid, "the job or event that caused this one").optional(),
  dataschema: text(TEXT_CHARS_MAX.dataschema, "informational").optional(),
};

/** `application/json`: the envelope with the optional attributes left out; unknown names are errors. */
const plainRequest = z.strictObject(clientAttributes);

/** `application/cloudevents+json`: unknown attributes are extensions, kept as they are. */
const cloudEventRequest = z.looseObject({
  ...clientAttributes,
  specversion: z.literal("1.0", 'must be "1.0"'),
  datacontenttype: z.literal("application/json", 'must be "application/json" when present').optional(),
});

const storedEnvelope = z.looseObject({
  ...clientAttributes,
  // A newer door may know more of these than this reader does.
  priority: z.unknown().optional(),
  attempts: z.unknown().optional(),
  timeoutms: z.unknown().optional(),
  specversion: z.literal("1.0"),
  id: z.string().min(1),
  source: z.string().min(1),
  minreaderversion: z.int().min(1).max(VERSION_MAX),
  time: z.string(),
  tenant: z.string().optional(),
});

/** A job as a client asks for it, checked but not yet stamped. */
export type JobRequest = z.output<typeof plainRequest> & { readonly [extension: string]: unknown };

/** A stamped envelope, as Redis keeps it in `job.data`. */
export type Envelope = z.output<typeof storedEnvelope>;

/** @throws {EnvelopeInvalidError} naming every field that is wrong. */
export function parsePlainRequest(value: unknown): JobRequest {
  return quickRequest(value) ?? checkPlainRequest(value);
}

/** The same by the schema alone. @throws {EnvelopeInvalidError} naming every field that is wrong. */
export function checkPlainRequest(value: unknown): JobRequest {
  return withCheckedCrit(parse(plainRequest, value));
}

/** @throws {EnvelopeInvalidError} naming every field that is wrong. */
export function parseCloudEventRequest(value: unknown): JobRequest {
  const request: JobRequest = parse(cloudEventRequest, value);
  const issues = Object.keys(request).flatMap(extensionNameIssues);
  if (issues.length > 0) throw new EnvelopeInvalidError(issues);
  return withCheckedCrit(request);
}

/** @throws {EnvelopeInvalidError} when what Redis holds was not written by a producer of ours. */
export function parseEnvelope(value: unknown): Envelope {
  return parse(storedEnvelope, value);
}

/** The names in `crit`, none when it is absent. */
export function criticalNames(envelope: { readonly crit?: string | undefined }): readonly string[] {
  return envelope.crit === undefined ? [] : envelope.crit.split(" ").filter((name) => name !== "");
}

/** The attributes of a stamped envelope that bound its runs, as far as this reader knows their form. */
export function runBoundsOf({ attempts, timeoutms }: Envelope): {
  readonly attempts: number;
  readonly timeoutMs: number;
} {
  return { attempts: bound(attempts), timeoutMs: bound(timeoutms) };
}

function bound(value: unknown): number {
  return typeof value === "number" && value >= 1 ? value : Number.POSITIVE_INFINITY;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new EnvelopeInvalidError(result.error.issues.flatMap(toIssues));
}

function toIssues(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: pointerTo([key]),
      rule: "unknown-field",
      message: `"${key}" is not an attribute of a job; the job's own fields belong in "data"`,
    }));
  }
  const missing = issue.code === "invalid_type" && issue.path.length > 0;
  return [
    {
      pointer: pointerTo(issue.path),
      rule: missing ? "type" : issue.code.replaceAll("_", "-"),
      message: issue.path.length === 0 ? "must be a JSON object" : issue.message,
    },
  ];
}

function extensionNameIssues(name: string): Issue[] {
  if (/^[a-z0-9]{1,20}$/.test(name)) return [];
  const message = "CloudEvents attribute names are 1 to 20 lower-case letters and digits";
  return [{ pointer: pointerTo([name]), rule: "attribute-name", message }];
}

function withCheckedCrit(request: JobRequest): JobRequest {
  const names = criticalNames(request);
  if (request.crit !== undefined && names.length === 0) {
    throw new EnvelopeInvalidError([
      { pointer: "/crit", rule: "crit", message: "must name at least one attribute, or be left out" },
    ]);
  }
  const issues = names.flatMap((name): Issue[] => {
    if (CORE_ATTRIBUTES.has(name)) {
      return [
        { pointer: "/crit", rule: "crit", message: `"${name}" is known to every reader; leave it out` },
      ];
    }
    if (!Object.hasOwn(request, name)) {
      return [{ pointer: "/crit", rule: "crit", message: `names "${name}", which the job does not carry` }];
    }
    return [];
  });
  if (issues.length > 0) throw new EnvelopeInvalidError(issues);
  return request;
}
