/** Takes a JSON value and makes it odd in one place. Pure: the dice are an argument. */
import type { Dice } from "../support/dice.ts";

type Step = string | number;

interface Place {
  readonly path: readonly Step[];
  readonly value: unknown;
}

const PLACES_MAX = 400;

/** The places of a value, itself first, as far as there are not too many. */
function placesOf(root: unknown): readonly Place[] {
  const places: Place[] = [{ path: [], value: root }];
  for (let at = 0; at < places.length && places.length < PLACES_MAX; at += 1) {
    const { path, value } = places[at] as Place;
    if (value === null || typeof value !== "object") continue;
    for (const [name, inner] of Object.entries(value)) {
      places.push({ path: [...path, Array.isArray(value) ? Number(name) : name], value: inner });
    }
  }
  return places;
}

/** A copy of `root` with `value` at `path`; `undefined` takes the place away. */
export function withValueAt(root: unknown, path: readonly Step[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(root)) {
    const items = root.map((it, index) => (index === step ? withValueAt(it, rest, value) : it));
    return rest.length === 0 && value === undefined ? items.filter((_it, index) => index !== step) : items;
  }
  const object = (root ?? {}) as Record<string, unknown>;
  const copy = { ...object, [step]: withValueAt(object[String(step)], rest, value) };
  if (rest.length === 0 && value === undefined) delete copy[String(step)];
  return copy;
}

const OTHERS: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  "",
  "0",
  "null",
  [],
  {},
  [[]],
  [null],
  { "": "" },
  "9007199254740993",
];

export function withWrongType(root: unknown, dice: Dice): unknown {
  const { path, value } = dice.pick(placesOf(root));
  const others = OTHERS.filter((it) => kindOf(it) !== kindOf(value));
  return withValueAt(root, path, dice.pick(others));
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

export function withSomethingMissing(root: unknown, dice: Dice): unknown {
  const places = placesOf(root).filter(({ path }) => path.length > 0);
  return places.length === 0 ? undefined : withValueAt(root, dice.pick(places).path, undefined);
}

const EXTRA_NAMES = [
  "extra",
  "tenant",
  "minreaderversion",
  "jobId",
  "id ",
  "Type",
  "",
  "toString",
  "hasOwnProperty",
  "a".repeat(300),
  "ключ",
];

export function withSomethingExtra(root: unknown, dice: Dice): unknown {
  const objects = placesOf(root).filter(({ value }) => kindOf(value) === "object");
  const place = objects.length === 0 ? { path: ["extra"] } : dice.pick(objects);
  return withValueAt(root, [...place.path, dice.pick(EXTRA_NAMES)], dice.pick([...OTHERS, "text"]));
}

/** Text that programs get wrong. Half a surrogate pair becomes an escape in JSON. */
export const ODD_TEXTS: readonly string[] = [
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udc00x",
  "\u202eevil",
  "👩‍👩‍👧‍👦",
  "ﬃ",
  "İ",
  "ß",
  "\u2028",
  "\u2029",
  "\ufeffid",
  "\uffff",
  "e\u0301",
  "a".repeat(64).concat("\u0301".repeat(200)),
  "\r\nset-cookie: a=b",
  "<script>alert(1)</script>",
  "'; DROP TABLE jobs;--",
  "$" + "{jndi:ldap://x}",
  "../../etc/passwd",
  "%00",
  "{{7*7}}",
  "\u001b[31m",
  "１２３",
  "NaN",
  "-0",
  "1e400",
  "2026-13-45T99:99:99Z",
  "2026-02-30T12:00:00Z",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "2026-01-31t12:00:00z",
  "2026-01-31T12:00:00+99:99",
];

export function withOddText(root: unknown, dice: Dice): unknown {
  const texts = placesOf(root).filter(({ value }) => typeof value === "string");
  const place = texts.length === 0 ? (placesOf(root)[0] as Place) : dice.pick(texts);
  return withValueAt(root, place.path, dice.pick(ODD_TEXTS));
}

export function withSomethingHuge(root: unknown, dice: Dice): unknown {
  const { path } = dice.pick(placesOf(root));
  const size = dice.pick([1_000, 70_000, 270_000, 1_200_000]);
  const huge = [
    () => "x".repeat(size),
    () => Array.from({ length: Math.floor(size / 10) }, (_it, index) => index),
    () => Object.fromEntries(Array.from({ length: Math.floor(size / 20) }, (_it, index) => [`k${index}`, 1])),
    () => Number(`1e${dice.below(309)}`),
    () => -(2 ** (40 + dice.below(30))),
    () => "é".repeat(Math.floor(size / 2)),
  ];
  return withValueAt(root, path, dice.pick(huge)());
}

export function withSomethingDeep(root: unknown, dice: Dice): unknown {
  const { path } = dice.pick(placesOf(root));
  const depth = dice.pick([20, 31, 32, 33, 64, 500, 1_500]);
  const isList = dice.chance(0.5);
  let deep: unknown = 1;
  for (let level = 0; level < depth; level += 1) deep = isList ? [deep] : { a: deep };
  return withValueAt(root, path, deep);
}
