/**
 * The ways in which a schema can be obeyed: its unions multiplied out, each way a list of nodes that all
 * hold, whose own unions and `allOf` need not be looked at any more.
 *
 * `not` and the "no second branch" of `oneOf` are left to whoever makes a value: it asks the whole schema.
 */
import { schemasOfProperty } from "./accepts.ts";
import { ANY, type JsonType, type Linked } from "./linked-schema.ts";

/** Ways looked at; a product of unions could have thousands. */
const ALTERNATIVES_MAX = 300;
/** Steps through `allOf` and unions without a step into a value. */
const NESTING_MAX = 30;

export class Alternative {
  /** All of them hold at once. */
  readonly parts: readonly Linked[];
  readonly #properties = new Map<string, Linked>();
  readonly #items = new Map<number, Linked>();

  constructor(parts: readonly Linked[]) {
    this.parts = parts;
  }

  /** The only values allowed, or `null` where no part lists any. */
  get values(): readonly unknown[] | null {
    return this.parts.flatMap((part) => part.values)[0] ?? null;
  }

  most(bound: (part: Linked) => number | null): number {
    return this.parts.reduce((most, part) => Math.max(most, bound(part) ?? most), Number.NEGATIVE_INFINITY);
  }

  least(bound: (part: Linked) => number | null): number {
    return this.parts.reduce(
      (least, part) => Math.min(least, bound(part) ?? least),
      Number.POSITIVE_INFINITY,
    );
  }

  declaredNames(): string[] {
    return [...new Set(this.parts.flatMap((part) => [...part.properties.keys(), ...part.required]))];
  }

  requiredNames(): string[] {
    return [...new Set(this.parts.flatMap((part) => part.required))];
  }

  property(name: string): Linked {
    return remembered(this.#properties, name, () =>
      allOf(this.parts.flatMap((part) => schemasOfProperty(part, name))),
    );
  }

  /** Whether names other than the declared ones have no value. */
  refusesOtherNames(): boolean {
    return this.parts.some((part) => part.additionalProperties?.never && part.patternProperties.length === 0);
  }

  /** The rule for names, of which nothing is known when it is ANY. */
  names(): Linked {
    return allOf(this.parts.flatMap((part) => part.propertyNames ?? []));
  }

  item(index: number): Linked {
    return remembered(this.#items, index, () => allOf(this.parts.flatMap((part) => itemOf(part, index))));
  }

  prefixLength(): number {
    return Math.max(...this.parts.map((part) => part.prefixItems.length));
  }
}

function itemOf(part: Linked, index: number): readonly Linked[] {
  const at = part.prefixItems[index] ?? part.items;
  return at === null ? [] : [at];
}

function remembered<Key>(known: Map<Key, Linked>, key: Key, make: () => Linked): Linked {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  return made;
}

/** Nodes made for several ones, found again part by part: recursion is noticed by meeting a node again. */
interface Joined {
  node: Linked | null;
  readonly further: WeakMap<Linked, Joined>;
}

const nothingJoined: Joined = { node: null, further: new WeakMap() };

/** One node for several that hold at once; the same one for the same parts. */
function allOf(several: readonly Linked[]): Linked {
  const parts = [...new Set(several)];
  const [first, second] = parts;
  if (first === undefined) return ANY;
  if (second === undefined) return first;
  const joined = parts.reduce(joinedWith, nothingJoined);
  joined.node ??= { ...ANY, allOf: parts, text: null };
  return joined.node;
}

function joinedWith(joined: Joined, part: Linked): Joined {
  const known = joined.further.get(part);
  if (known !== undefined) return known;
  const made: Joined = { node: null, further: new WeakMap() };
  joined.further.set(part, made);
  return made;
}

const alternativesKnown = new WeakMap<Linked, readonly Alternative[]>();

export function alternativesOf(schema: Linked): readonly Alternative[] {
  let alternatives = alternativesKnown.get(schema);
  if (alternatives === undefined) {
    alternatives = waysOf(schema, 0)
      .map((parts) => new Alternative(parts))
      .filter((alternative) => typesOf(alternative).length > 0);
    alternativesKnown.set(schema, alternatives);
  }
  return alternatives;
}

type Way = readonly Linked[];

function waysOf(schema: Linked, depth: number): Way[] {
  if (schema.never || depth > NESTING_MAX) return [];
  let ways: Way[] = [[schema]];
  for (const part of schema.allOf) ways = product(ways, waysOf(part, depth + 1));
  for (const { branches } of schema.unions) {
    ways = product(
      ways,
      branches.flatMap((branch) => waysOf(branch, depth + 1)),
    );
  }
  return ways;
}

function product(ones: readonly Way[], others: readonly Way[]): Way[] {
  const ways: Way[] = [];
  for (const one of ones) {
    for (const other of others) {
      const way = [...new Set([...one, ...other])];
      if (ways.length < ALTERNATIVES_MAX && typesOfWay(way).length > 0) ways.push(way);
    }
  }
  return ways;
}

const TYPES: readonly JsonType[] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/** The types that a value of this way can have; "number" stands for fractions alone. */
export function typesOf({ parts }: Alternative): readonly JsonType[] {
  return typesOfWay(parts);
}

function typesOfWay(parts: Way): readonly JsonType[] {
  return TYPES.filter((type) =>
    parts.every(
      ({ types }) => types === null || types.has(type) || (type === "integer" && types.has("number")),
    ),
  );
}
