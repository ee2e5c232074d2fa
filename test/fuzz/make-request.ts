/**
 * Makes the requests of a run. Pure: the plan, the words and the number of a request with its seed give the
 * request, so that one that found something can be made again.
 */
import { Dice } from "../support/dice.ts";
import { FUZZ_CLASSES, type FuzzClass, type FuzzRequest } from "./fuzz-request.ts";
import { oddBytes } from "./odd-bytes.ts";
import { oddContentType, oddHeaders, oddMethod, oddPath, oddPathWord, oddQuery } from "./odd-parts.ts";
import type { OperationPlan, PlannedBody, PlannedParameter } from "./operation-plan.ts";
import { malformed, withDuplicateKey } from "./spoil-text.ts";
import {
  withOddText,
  withSomethingDeep,
  withSomethingExtra,
  withSomethingHuge,
  withSomethingMissing,
  withWrongType,
} from "./spoil-value.ts";
import { namesOf, type WordPool } from "./word-pool.ts";

export interface Making {
  readonly plan: readonly OperationPlan[];
  readonly words: WordPool;
  readonly seed: number;
  /** Sent with every request, such as a credential and the Host. */
  readonly headers: readonly (readonly [string, string])[];
}

/** Classes that make a body odd. */
const OF_BODIES: ReadonlySet<FuzzClass> = new Set([
  "wrong-type",
  "missing",
  "extra",
  "unicode",
  "huge",
  "duplicate-keys",
  "deep",
  "malformed-body",
  "content-type",
]);

/** What is sent most: a third of the requests is as it should be, so that there is something to find. */
const VALID_SHARE = 0.3;

export function makeRequest(making: Making, index: number): FuzzRequest {
  const dice = new Dice(Math.imul(making.seed + index * 0x9e3779b1, 0x85ebca6b) ^ index);
  // Each operation by turns: those without a body must not starve the others.
  const operation = making.plan[index % making.plan.length] as OperationPlan;
  const kinds = FUZZ_CLASSES.filter((it) => operation.bodies.length > 0 || !OF_BODIES.has(it));
  const kind = dice.chance(VALID_SHARE) ? "valid" : dice.pick(kinds);
  const request = wellFormed(operation, making, { index, kind, dice });
  return madeOdd(request, operation, dice);
}

interface Draw {
  readonly index: number;
  readonly kind: FuzzClass;
  readonly dice: Dice;
}

/** Long waits and narrow conditions are of no use to a fuzzer, nor is a key that all jobs share. */
const PREFERRED: Readonly<Record<string, readonly string[]>> = {
  wait: ["0", "0", "0", "1"],
  Prefer: ["wait=0", "respond-async", "wait=0, handling=lenient"],
  "If-Match": ["*", '"1"', '"1", "2"', 'W/"1"', '"none"'],
  "Last-Event-ID": ["1", "end", "9".repeat(20), "x"],
};

function wellFormed(operation: OperationPlan, { words, headers }: Making, draw: Draw): FuzzRequest {
  const { index, kind, dice } = draw;
  const given = operation.parameters
    .filter(({ required }) => required || dice.chance(0.4))
    .map((it) => ({ ...it, word: wordFor(it, words, draw) }));
  const inPlace = (wanted: string) => given.filter(({ place }) => place === wanted);
  const path = inPlace("path").reduce(
    (made, { name, word }) => made.replace(`{${name}}`, encodeURIComponent(word)),
    operation.path,
  );
  const query = new URLSearchParams(inPlace("query").map(({ name, word }): [string, string] => [name, word]));
  const fields = inPlace("header").filter(({ word }) => /^[\x20-\x7e]*$/.test(word));
  const request = {
    index,
    kind,
    operation: operation.name,
    method: operation.method,
    target: query.size === 0 ? path : `${path}?${query}`,
    headers: [...headers, ...fields.map(({ name, word }) => [name, word] as const)],
    body: null,
  };
  if (operation.bodies.length === 0) return request;
  return withBody(request, dice.pick(operation.bodies), { words, dice });
}

function wordFor({ name, samples }: PlannedParameter, words: WordPool, { index, dice }: Draw): string {
  if (name === "Idempotency-Key" && dice.chance(0.8)) return `"key-${index}"`;
  const preferred = PREFERRED[name];
  if (preferred !== undefined) return dice.pick(preferred);
  const known = dice.chance(0.8) ? words.word(namesOf(name), dice) : null;
  return known ?? (samples.length === 0 ? "x" : dice.pick(samples));
}

interface BodyDraw {
  readonly words: WordPool;
  readonly dice: Dice;
}

function withBody(request: FuzzRequest, body: PlannedBody, draw: BodyDraw): FuzzRequest {
  const { dice } = draw;
  const isList = body.isLines || Array.isArray(body.samples[0]);
  const count = isList ? 1 + dice.below(5) : 1;
  const samples = Array.from({ length: count }, () => sampleOf(body, draw));
  const value = body.isLines || !isList ? samples.map((it) => spoiled(it, request.kind, dice)) : null;
  const list = value ?? [spoiled(samples.flat(), request.kind, dice)];
  const headers = [...request.headers, ["content-type", body.contentType] as const];
  const text = list.map((it) => JSON.stringify(it) ?? "").join("\n");
  return { ...request, headers, body: Buffer.from(text), value: body.isLines ? list : list[0] };
}

/** A sample that means something, most of the time. */
function sampleOf(body: PlannedBody, { words, dice }: BodyDraw): unknown {
  const sample = body.samples.length === 0 ? {} : dice.pick(body.samples);
  if (Array.isArray(sample)) return sample.slice(0, 5).map((it) => withMeaning(it, { words, dice }));
  return withMeaning(sample, { words, dice });
}

/** Names whose values follow rules that no schema says. */
const MEANINGS: Readonly<Record<string, readonly unknown[]>> = {
  expression: ["* * * * *", "0 4 * * 1-5", "*/15 0-6 1,15 * *", "0 0 29 2 *"],
  timeZone: ["UTC", "Europe/Berlin", "America/New_York"],
  crit: ["subject", "expirytime"],
  expirytime: ["2090-01-01T00:00:00Z", "2090-01-01T02:00:00+02:00"],
  anchor: ["2026-01-31T12:00:00Z"],
  startAt: ["2026-01-31T12:00:00Z"],
  endAt: ["2090-01-01T00:00:00Z"],
  attempts: [1, 2],
  timeoutms: [1, 5_000],
  why: ["ordered twice", ""],
};

/** Left out most of the time: a moment that nearly always lies too far ahead, keys that jobs would share. */
const RARE: ReadonlySet<string> = new Set(["scheduledtime", "id", "crit", "dedupkey"]);

function withMeaning(sample: unknown, { words, dice }: BodyDraw): unknown {
  const isObject = sample !== null && typeof sample === "object" && !Array.isArray(sample);
  if (!isObject || dice.chance(0.1)) return sample;
  const fields = Object.entries(sample).filter(([name]) => !RARE.has(name) || dice.chance(0.1));
  const meant = Object.fromEntries(
    fields.map(([name, value]) => {
      const isInner = value !== null && typeof value === "object" && name !== "data";
      if (isInner) return [name, withMeaning(value, { words, dice })];
      return [name, MEANINGS[name] === undefined ? value : dice.pick(MEANINGS[name])];
    }),
  );
  const job = "schemaversion" in meant && "data" in meant ? words.job(dice) : null;
  return onlyOne({ ...meant, ...job }, ["every", "cron"], dice);
}

/** Of properties that exclude each other one is left. */
function onlyOne(value: Record<string, unknown>, names: readonly string[], dice: Dice) {
  const present = names.filter((name) => name in value);
  if (present.length < 2) return value;
  const kept = dice.pick(present);
  return Object.fromEntries(Object.entries(value).filter(([name]) => name === kept || !names.includes(name)));
}

function spoiled(value: unknown, kind: FuzzClass, dice: Dice): unknown {
  switch (kind) {
    case "wrong-type":
      return withWrongType(value, dice);
    case "missing":
      return withSomethingMissing(value, dice);
    case "extra":
      return withSomethingExtra(value, dice);
    case "unicode":
      return withOddText(value, dice);
    case "huge":
      return withSomethingHuge(value, dice);
    case "deep":
      return withSomethingDeep(value, dice);
    default:
      return value;
  }
}

function madeOdd(request: FuzzRequest, operation: OperationPlan, dice: Dice): FuzzRequest {
  const text = request.body?.toString("utf8") ?? "";
  switch (request.kind) {
    case "duplicate-keys":
      return { ...withoutValue(request), body: Buffer.from(withDuplicateKey(text, dice)) };
    case "malformed-body":
      return { ...withoutValue(request), body: malformed(text, dice) };
    case "content-type":
      return { ...withoutValue(request), headers: oddContentType(request.headers, dice) };
    case "odd-headers":
      return { ...request, headers: oddHeaders(request.headers, dice) };
    case "odd-query":
      return { ...request, target: oddQuery(request.target, operation.parameters, dice) };
    case "odd-id":
      return { ...request, target: oddPathWord(operation.path, request.target, dice) };
    case "odd-method":
      return { ...withoutValue(request), method: oddMethod(request.method, dice) };
    case "odd-path":
      return { ...withoutValue(request), target: oddPath(request.target, dice) };
    case "raw-bytes":
      return { ...withoutValue(request), bytes: oddBytes(request, dice) };
    default:
      return request;
  }
}

function withoutValue({ value: _value, ...request }: FuzzRequest): FuzzRequest {
  return request;
}
