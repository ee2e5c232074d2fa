/**
 * Random documents that a writer's schema accepts, rich in what a reader's may refuse: where both are
 * given, each field takes boundary values as often as any others.
 *
 * A made value that its schema refuses (`not`, a second branch of `oneOf`, two patterns at once) is replaced
 * by the smallest one; nothing is tried until it fits, so that a contradiction cannot hang a caller.
 */
import fc from "fast-check";
import { accepts } from "./accepts.ts";
import { type Alternative, alternativesOf, typesOf } from "./alternatives.ts";
import { plainBoundaryValues } from "./boundary-values.ts";
import type { JsonType, Linked } from "./linked-schema.ts";
import { isSettled, itemPlace, type Place, piecesOf, propertyPlace } from "./place.ts";
import { randomNumbers, randomTexts } from "./random-values.ts";
import { ITEMS_MAX, smallestOf, spareNames } from "./whole-documents.ts";

/** Steps into values before only small ones are made. */
const DEPTH_MAX = 12;
/** A recursive schema is entered this often on one path. */
const ENTERED_MAX = 2;
/** Items above the smallest number allowed, in an outer and in an inner array. */
const EXTRA_ITEMS = 4;
const EXTRA_ITEMS_WITHIN = 1;
const OUTER_DEPTH = 4;
/** Undeclared names that may turn up, each in one object of five. */
const SPARE_NAMES = 5;
const BOUNDARY_VALUES_MAX = 40;

type Documents = fc.Arbitrary<unknown>;

/**
 * `null` when not even a smallest document was found. With a reader, only what it could refuse is varied;
 * without one, everything.
 */
export function randomDocuments(place: Place): Documents | null {
  return documentsAt(place, { path: [], compares: place.readers.length > 0 });
}

interface Walk {
  /** Writer's schemas that the place is inside of, outermost first. */
  readonly path: readonly Linked[];
  readonly compares: boolean;
}

interface Scene extends Walk {
  readonly place: Place;
  readonly pieces: readonly Linked[];
}

function documentsAt(place: Place, { path, compares }: Walk): Documents | null {
  const { writer } = place;
  const smallest = smallestOf(writer);
  if (smallest === null) return null;
  const entered = path.filter((node) => node === writer).length;
  const isEnough = path.length >= DEPTH_MAX || entered >= ENTERED_MAX;
  if (isEnough || (compares && isSettled(place))) return fc.constant(smallest.value);

  const scene: Scene = { place, pieces: piecesOf(place.readers), path: [...path, writer], compares };
  const boundary = plainBoundaryValues(place).slice(0, BOUNDARY_VALUES_MAX);
  const ways = alternativesOf(writer).map((alternative) => lazily(() => oneWay(alternative, scene)));
  const documents = oneOf(ways, smallest.value).map((value) =>
    accepts(writer, value) ? value : smallest.value,
  );
  if (boundary.length === 0) return documents;
  return fc.oneof(documents, fc.constantFrom(...boundary.map(({ value }) => value)));
}

/** Built when it is first needed: unions in unions would otherwise be built a thousand times over. */
function lazily(build: () => Documents | null): () => Documents | null {
  let built: Documents | null | undefined;
  return () => {
    if (built === undefined) built = build();
    return built;
  };
}

function oneOf(ways: readonly (() => Documents | null)[], otherwise: unknown): Documents {
  const [only, second] = ways;
  if (only !== undefined && second === undefined) return only() ?? fc.constant(otherwise);
  return fc.nat(Math.max(ways.length - 1, 0)).chain((way) => ways[way]?.() ?? fc.constant(otherwise));
}

function oneWay(alternative: Alternative, scene: Scene): Documents | null {
  const { values } = alternative;
  if (values !== null) return values.length === 0 ? null : fc.constantFrom(...values);
  const types = typesOf(alternative).filter((type) => type !== "integer" || !includesFractions(alternative));
  const ways = types.map((type) => lazily(() => ofType(type, alternative, scene)));
  return oneOf(ways, smallestOf(scene.place.writer)?.value ?? null);
}

/** Numbers of both kinds are made together. */
function includesFractions(alternative: Alternative): boolean {
  return typesOf(alternative).includes("number");
}

function ofType(type: JsonType, alternative: Alternative, scene: Scene): Documents | null {
  switch (type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number":
      return randomNumbers(alternative);
    case "string":
      return randomTexts(alternative);
    case "array":
      return randomArrays(alternative, scene);
    case "object":
      return randomObjects(alternative, scene);
  }
}

function randomArrays(alternative: Alternative, scene: Scene): Documents | null {
  const min = Math.max(
    alternative.most((part) => part.minItems),
    0,
  );
  const max = alternative.least((part) => part.maxItems);
  if (min > Math.min(max, ITEMS_MAX)) return null;
  const first = firstItems(alternative, scene);
  const further = itemsAt(alternative, first.length, scene);
  const extra = scene.path.length > OUTER_DEPTH ? EXTRA_ITEMS_WITHIN : EXTRA_ITEMS;
  const minLength = Math.max(min - first.length, 0);
  const maxLength = further === null ? 0 : Math.max(Math.min(max - first.length, minLength + extra), 0);
  const [least, most] = [Math.min(min, first.length), Math.min(max, first.length)];
  const cut = fc.integer({ min: least, max: most });
  const rest = fc.array(further ?? fc.constant(null), {
    minLength: Math.min(minLength, maxLength),
    maxLength,
  });
  const isUnique = alternative.parts.some((part) => part.uniqueItems);
  return fc.tuple(cut, fc.tuple(...first), rest).map(([length, head, tail]) => {
    const items = tail.length > 0 ? [...head, ...tail] : head.slice(0, length);
    return isUnique ? withoutRepetition(items) : items;
  });
}

/** Items with a schema of their own, up to the first that nothing fits. */
function firstItems(alternative: Alternative, scene: Scene): Documents[] {
  const items: Documents[] = [];
  for (let index = 0; index < alternative.prefixLength(); index += 1) {
    const item = itemsAt(alternative, index, scene);
    if (item === null) break;
    items.push(item);
  }
  return items;
}

function itemsAt(alternative: Alternative, index: number, scene: Scene): Documents | null {
  return documentsAt(itemPlace(alternative.item(index), scene.pieces, index), scene);
}

function withoutRepetition(items: readonly unknown[]): unknown[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

const ABSENT = Symbol("absent");

function randomObjects(alternative: Alternative, scene: Scene): Documents {
  const required = new Set(alternative.requiredNames());
  const declared = alternative.declaredNames();
  const fields: [string, Documents][] = [];
  for (const name of [...declared, ...undeclaredNames(alternative, scene)]) {
    const values = documentsAt(propertyPlace(alternative.property(name), scene.pieces, name), scene);
    if (values === null) continue;
    const weight = required.has(name) ? 0 : declared.includes(name) ? 1 : 4;
    fields.push([
      name,
      fc.oneof({ weight, arbitrary: fc.constant(ABSENT) }, { weight: 1, arbitrary: values }),
    ]);
  }
  const names = fields.map(([name]) => name);
  return fc.tuple(...fields.map(([, values]) => values)).map((values) => {
    const entries = names.map((name, index): [string, unknown] => [name, values[index]]);
    const present = entries.filter(([, value]) => value !== ABSENT);
    return withinLimits(Object.fromEntries(present), alternative, scene.place.writer);
  });
}

function undeclaredNames(alternative: Alternative, { pieces }: Scene): string[] {
  const names = new Set(pieces.flatMap((piece) => [...piece.properties.keys(), ...piece.required]));
  for (const name of alternative.declaredNames()) names.delete(name);
  const most = names.size + SPARE_NAMES;
  for (const name of spareNames(alternative)) {
    if (names.size >= most) break;
    names.add(name);
  }
  return [...names];
}

/** With the fields of a smallest document when there are too few, and without optional ones when too many. */
function withinLimits(made: Record<string, unknown>, alternative: Alternative, writer: Linked): object {
  const count = Object.keys(made).length;
  const min = alternative.most((part) => part.minProperties);
  const max = alternative.least((part) => part.maxProperties);
  if (count < min) return { ...(smallestOf(writer)?.value as object), ...made };
  if (count <= max) return made;
  const required = new Set(alternative.requiredNames());
  const optional = Object.keys(made).filter((name) => !required.has(name));
  const tooMany = new Set(optional.slice(0, count - max));
  return Object.fromEntries(Object.entries(made).filter(([name]) => !tooMany.has(name)));
}
