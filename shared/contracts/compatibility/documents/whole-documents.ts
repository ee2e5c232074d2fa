/**
 * The smallest document that a schema accepts, and a full one: the two ends that samples and changes of one
 * place start from.
 *
 * A search, not a proof: of a schema that contradicts itself, or whose demands no proposal meets, there is
 * no document here. Recursion ends where a schema would be inside itself once more.
 */
import { accepts } from "./accepts.ts";
import { Alternative, alternativesOf, typesOf } from "./alternatives.ts";
import { firstOf } from "./distinct.ts";
import { ANY, type JsonType, type Linked } from "./linked-schema.ts";
import { numbersAround } from "./number-values.ts";
import { stringsAround } from "./string-values.ts";

/** A document in a box, because `null` is one. */
export interface Found {
  readonly value: unknown;
}

/** Items of a full array, where as many are allowed. */
const FULL_ITEMS = 2;
/** More items than this are not made to meet a `minItems`. */
export const ITEMS_MAX = 2_000;
/** Schemas entered inside each other; the door takes 32 levels of values. */
const DEPTH_MAX = 64;
/** Schemas entered for one document; definitions that use each other twice would double it at each step. */
const NODES_MAX = 20_000;
/** Names tried to meet a `minProperties`. */
const SPARE_NAMES_MAX = 300;
/** Names of one rule that show its limits. */
const STRANGE_NAMES_MAX = 60;

const smallestKnown = new WeakMap<Linked, Found>();

export function smallestOf(schema: Linked): Found | null {
  return make(schema, { isFull: false, inside: new Set(), budget: { left: NODES_MAX } });
}

/** The smallest that obeys `schema` in one of its ways and by a value of one type. */
export function smallestWay(schema: Linked, alternative: Alternative, type: JsonType): Found | null {
  const making = { isFull: false, inside: new Set([schema]), budget: { left: NODES_MAX } };
  return firstAccepted(schema, proposalsOfType(alternative, type, making));
}

/** A small one that is not among `values`, for arrays without repetition. */
export function smallestBeside(values: readonly unknown[], schema: Linked): Found | null {
  return makeBeside(values, schema, { isFull: false, inside: new Set(), budget: { left: NODES_MAX } });
}

/** With every optional property that can be there. */
export function fullestOf(schema: Linked): Found | null {
  return make(schema, { isFull: true, inside: new Set(), budget: { left: NODES_MAX } });
}

interface Making {
  readonly isFull: boolean;
  /** Schemas being made, outermost first. */
  readonly inside: Set<Linked>;
  readonly budget: { left: number };
}

function make(schema: Linked, making: Making): Found | null {
  const known = making.isFull ? undefined : smallestKnown.get(schema);
  if (known !== undefined) return known;
  const isTooMuch = making.inside.size >= DEPTH_MAX || making.budget.left === 0;
  if (isTooMuch || making.inside.has(schema)) return null;
  making.budget.left -= 1;
  making.inside.add(schema);
  const found = makeAnew(schema, making);
  making.inside.delete(schema);
  if (!making.isFull && found !== null) smallestKnown.set(schema, found);
  return found;
}

function makeAnew(schema: Linked, making: Making): Found | null {
  let best: Found | null = null;
  for (const alternative of alternativesOf(schema)) {
    const found = firstAccepted(schema, proposals(alternative, making));
    if (found === null) continue;
    if (!making.isFull) return found;
    if (best === null || sizeOf(found.value) > sizeOf(best.value)) best = found;
  }
  return best;
}

function firstAccepted(schema: Linked, values: Iterable<unknown>): Found | null {
  for (const value of values) if (accepts(schema, value)) return { value };
  return null;
}

function sizeOf(value: unknown): number {
  return JSON.stringify(value).length;
}

/** Simple ones first; of a full document, those with the most in them. */
function* proposals(alternative: Alternative, making: Making): Iterable<unknown> {
  if (alternative.values !== null) {
    yield* alternative.values;
    return;
  }
  const types = typesOf(alternative);
  for (const type of making.isFull ? types.toReversed() : types) {
    yield* proposalsOfType(alternative, type, making);
  }
}

function* proposalsOfType(alternative: Alternative, type: JsonType, making: Making): Iterable<unknown> {
  if (type === "null") yield null;
  if (type === "boolean") yield* [false, true];
  if (type === "integer" || type === "number") yield* numbersAround(alternative, []);
  if (type === "string") yield* stringsAround(alternative, []);
  if (type === "array") yield* arraysOf(alternative, making);
  if (type === "object") yield* objectsOf(alternative, making);
}

function* arraysOf(alternative: Alternative, making: Making): Iterable<unknown[]> {
  const min = Math.max(
    alternative.most((part) => part.minItems),
    0,
  );
  const max = alternative.least((part) => part.maxItems);
  const full = Math.min(max, Math.max(min, alternative.prefixLength() + FULL_ITEMS));
  const items: unknown[] = [];
  const wanted = Math.min(making.isFull ? full : min, ITEMS_MAX);
  const isUnique = alternative.parts.some((part) => part.uniqueItems);
  while (items.length < wanted) {
    const schema = alternative.item(items.length);
    const found = isUnique ? makeBeside(items, schema, making) : make(schema, making);
    if (found === null) break;
    items.push(found.value);
  }
  yield items;
  if (making.isFull) yield* arraysOf(alternative, { ...making, isFull: false });
}

function makeBeside(values: readonly unknown[], schema: Linked, making: Making): Found | null {
  const taken = new Set(values.map((value) => JSON.stringify(value)));
  for (const alternative of alternativesOf(schema)) {
    for (const value of proposals(alternative, { ...making, isFull: false })) {
      if (!taken.has(JSON.stringify(value)) && accepts(schema, value)) return { value };
    }
  }
  return null;
}

function* objectsOf(alternative: Alternative, making: Making): Iterable<object> {
  const fields = new Map<string, unknown>();
  for (const name of making.isFull ? alternative.declaredNames() : alternative.requiredNames()) {
    addField(fields, name, make(alternative.property(name), making));
  }
  fillUp(fields, alternative, making);
  yield Object.fromEntries(fields);
  if (making.isFull) yield* objectsOf(alternative, { ...making, isFull: false });
}

function addField(fields: Map<string, unknown>, name: string, found: Found | null): void {
  if (found !== null) fields.set(name, found.value);
}

/** More names, declared ones first, until there are as many as the schema wants. */
function fillUp(fields: Map<string, unknown>, alternative: Alternative, making: Making): void {
  const min = alternative.most((part) => part.minProperties);
  if (fields.size >= min) return;
  for (const name of possibleNames(alternative)) {
    if (fields.size >= min) return;
    if (!fields.has(name)) addField(fields, name, make(alternative.property(name), making));
  }
}

/** Declared ones first. */
export function* possibleNames(alternative: Alternative): Iterable<string> {
  yield* alternative.declaredNames();
  yield* spareNames(alternative);
}

/**
 * Names that the schema does not declare and does not refuse; plain ones first. `others` are another
 * schema's rules for names, at whose limits some of them lie.
 */
export function* spareNames(alternative: Alternative, others: readonly Linked[] = []): Iterable<string> {
  if (alternative.refusesOtherNames()) return;
  const rule = alternative.names();
  const seen = new Set(alternative.declaredNames());
  for (const name of namesProposed(alternative, others)) {
    if (seen.has(name) || FORBIDDEN.has(name)) continue;
    seen.add(name);
    if (accepts(rule, name) && !alternative.property(name).never) yield name;
  }
}

/** Names that the door refuses in any document. */
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

function* namesProposed(alternative: Alternative, others: readonly Linked[]): Iterable<string> {
  const rules = alternativesOf(alternative.names());
  for (const { values } of rules) yield* values?.filter((name) => typeof name === "string") ?? [];
  yield* numberedNames(1, 4);
  const hasRules = others.length > 0 || rules.some((rule) => rule.parts.some(limitsText));
  if (hasRules) for (const rule of rules) yield* firstOf(STRANGE_NAMES_MAX, stringsAround(rule, others));
  for (const [pattern] of alternative.parts.flatMap((part) => part.patternProperties)) {
    yield* firstOf(STRANGE_NAMES_MAX, stringsAround(new Alternative([{ ...ANY, pattern }]), others));
  }
  yield* numberedNames(4, SPARE_NAMES_MAX);
}

function limitsText({ minLength, maxLength, pattern, format }: Linked): boolean {
  return minLength > 0 || Number.isFinite(maxLength) || pattern !== null || format !== null;
}

function* numberedNames(from: number, to: number): Iterable<string> {
  for (let number = from; number < to; number += 1) yield `k${number}`;
}
