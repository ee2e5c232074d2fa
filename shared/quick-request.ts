/**
 * Takes the plain form of a job at a glance, when it surely is right: the door's most frequent question.
 *
 * Says yes or nothing. What it does not take may still be right: `envelope.ts` then checks it by its schema, which
 * also says what is wrong. Both have their bounds from here, and a test holds the one against the other.
 */

/** Dotted lower case, two to eight parts, no version inside. */
export const TYPE_PATTERN = /^[a-z][a-z0-9]*(\.[a-z][a-z0-9-]*){1,7}$/;

export const TYPE_CHARS_MAX = 128;

/** Largest CloudEvents Integer, a signed 32-bit number. */
export const VERSION_MAX = 2 ** 31 - 1;

/** Attributes that are any text of 1 to so many characters. */
export const TEXT_CHARS_MAX = {
  id: 256,
  source: 512,
  crit: 256,
  subject: 256,
  partitionkey: 256,
  dedupkey: 256,
  correlationid: 128,
  causationid: 128,
  dataschema: 2_048,
} as const;

/** How much a job matters when there is not room for all: the last are refused first. */
export const PRIORITIES = ["critical", "high", "normal", "low"] as const;

export type Priority = (typeof PRIORITIES)[number];

/** Of the texts, those that need no more than their length, in the order in which the schema has them. */
const QUICK_TEXTS = ["id", "source", "subject", "partitionkey", "dedupkey"] as const;

/** A job in its plain form, all of it checked. */
export interface QuickRequest {
  readonly type: string;
  readonly schemaversion: number;
  readonly data: Record<string, unknown>;
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  readonly partitionkey?: string;
  readonly dedupkey?: string;
  readonly priority?: Priority;
  readonly [extension: string]: unknown;
}

/** The request with its attributes in the schema's order; `null` when the schema must be asked. */
export function quickRequest(value: unknown): QuickRequest | null {
  if (!isPlainObject(value)) return null;
  const { type, schemaversion, data } = value;
  if (!isType(type) || !isVersion(schemaversion) || !isPlainObject(data)) return null;
  const request = { type, schemaversion, data };
  const count = Object.keys(value).length;
  return count === 3 || addOthers(request, value) === count ? request : null;
}

/** @returns how many attributes the request then has; 0 when one of them is not quickly taken. */
function addOthers(request: Record<string, unknown>, value: Record<string, unknown>): number {
  let count = 3;
  for (const name of QUICK_TEXTS) {
    const text = value[name];
    if (text === undefined) continue;
    if (typeof text !== "string" || text.length === 0 || text.length > TEXT_CHARS_MAX[name]) return 0;
    request[name] = text;
    count += 1;
  }
  if (value.priority === undefined) return count;
  request.priority = value.priority;
  return isPriority(value.priority) ? count + 1 : 0;
}

function isPriority(value: unknown): value is Priority {
  return PRIORITIES.some((it) => it === value);
}

function isType(value: unknown): value is string {
  return typeof value === "string" && value.length <= TYPE_CHARS_MAX && TYPE_PATTERN.test(value);
}

function isVersion(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= VERSION_MAX;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
