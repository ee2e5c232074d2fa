/**
 * Reads a regular expression, as JSON Schema's `pattern` has it (ECMAScript with the `u` flag), into a tree.
 *
 * Only what a finite automaton can follow: no look-around, no back references, no word boundaries, no Unicode
 * properties. For those the answer is `null` and nothing is concluded from the pattern.
 */

/** Inclusive ranges of code points. */
export type Ranges = readonly (readonly [number, number])[];

export type PatternTree =
  | { readonly kind: "one"; readonly of: Ranges }
  | { readonly kind: "sequence"; readonly parts: readonly PatternTree[] }
  | { readonly kind: "choice"; readonly options: readonly PatternTree[] }
  | { readonly kind: "repeat"; readonly part: PatternTree; readonly min: number; readonly max: number }
  | { readonly kind: "start" }
  | { readonly kind: "end" };

export const CODE_POINT_MAX = 0x10ffff;

/** Groups inside one another; each is a step of recursion. */
const DEPTH_MAX = 100;

const DIGITS: Ranges = [[0x30, 0x39]];
const WORD: Ranges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** ECMA-262: WhiteSpace and LineTerminator. */
const SPACE: Ranges = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_ENDS: Ranges = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

const CLASSES: Readonly<Record<string, Ranges>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

class Unsupported extends Error {}

/** The tree of a pattern, or `null` when it is invalid or cannot be followed. */
export function parsePattern(source: string): PatternTree | null {
  try {
    // The parser below is lenient: what is invalid has to be refused here.
    new RegExp(source, "u");
    return new Parser(source).parse();
  } catch (error) {
    if (error instanceof Unsupported || error instanceof SyntaxError) return null;
    throw error;
  }
}

export function complement(ranges: Ranges): Ranges {
  const holes: [number, number][] = [];
  let next = 0;
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    if (from > next) holes.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= CODE_POINT_MAX) holes.push([next, CODE_POINT_MAX]);
  return holes;
}

class Parser {
  readonly #points: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#points = Array.from(source);
  }

  parse(): PatternTree {
    const tree = this.#choice();
    if (this.#at < this.#points.length) throw new Unsupported();
    return tree;
  }

  #peek(): string | undefined {
    return this.#points[this.#at];
  }

  #take(): string {
    const point = this.#points[this.#at];
    if (point === undefined) throw new Unsupported();
    this.#at += 1;
    return point;
  }

  /** Takes `text` if it comes next. */
  #skip(text: string): boolean {
    const isNext = this.#points.slice(this.#at, this.#at + text.length).join("") === text;
    if (isNext) this.#at += text.length;
    return isNext;
  }

  #choice(): PatternTree {
    const options = [this.#sequence()];
    while (this.#skip("|")) options.push(this.#sequence());
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: "choice", options };
  }

  #sequence(): PatternTree {
    const parts: PatternTree[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      parts.push(this.#repeated(this.#single()));
    }
    return { kind: "sequence", parts };
  }

  #single(): PatternTree {
    const point = this.#take();
    switch (point) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return { kind: "one", of: complement(LINE_ENDS) };
      case "(":
        return this.#group();
      case "[":
        return { kind: "one", of: this.#class() };
      case "\\":
        return { kind: "one", of: this.#escape() };
      default:
        return { kind: "one", of: only(codePoint(point)) };
    }
  }

  #group(): PatternTree {
    if (this.#skip("?:")) return this.#closed();
    if (this.#skip("?<")) {
      if (this.#peek() === "=" || this.#peek() === "!") throw new Unsupported();
      while (this.#take() !== ">");
      return this.#closed();
    }
    if (this.#peek() === "?") throw new Unsupported();
    return this.#closed();
  }

  #closed(): PatternTree {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new Unsupported();
    const tree = this.#choice();
    this.#depth -= 1;
    if (!this.#skip(")")) throw new Unsupported();
    return tree;
  }

  #repeated(part: PatternTree): PatternTree {
    const times = this.#times();
    if (times === null) return part;
    const [min, max] = times;
    // Lazy or greedy makes no difference to whether there is a match.
    this.#skip("?");
    return { kind: "repeat", part, min, max };
  }

  #times(): [number, number] | null {
    if (this.#skip("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#skip("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#skip("?")) return [0, 1];
    if (!this.#skip("{")) return null;
    let text = "";
    for (let point = this.#take(); point !== "}"; point = this.#take()) text += point;
    const [min = "", max] = text.split(",");
    if (max === undefined) return [Number(min), Number(min)];
    return [Number(min), max === "" ? Number.POSITIVE_INFINITY : Number(max)];
  }

  #class(): Ranges {
    const isNegated = this.#skip("^");
    const ranges: (readonly [number, number])[] = [];
    while (!this.#skip("]")) {
      const from = this.#classMember();
      const [first] = from;
      const isRange = this.#peek() === "-" && this.#points[this.#at + 1] !== "]";
      if (!isRange || first === undefined) {
        ranges.push(...from);
        continue;
      }
      this.#take();
      const [last] = this.#classMember();
      ranges.push([first[0], last?.[1] ?? first[0]]);
    }
    return isNegated ? complement(ranges) : ranges;
  }

  #classMember(): Ranges {
    const point = this.#take();
    if (point !== "\\") return only(codePoint(point));
    return this.#skip("b") ? only(0x08) : this.#escape();
  }

  #escape(): Ranges {
    const point = this.#take();
    const known = CLASSES[point];
    if (known !== undefined) return known;
    const control = CONTROLS[point];
    if (control !== undefined) return only(control);
    if (point === "x") return only(this.#hex(2));
    if (point === "u") return only(this.#unicode());
    if (point === "c") return only(codePoint(this.#take()) % 32);
    // Back references, boundaries and properties are letters and digits; the rest stands for itself.
    if (/[0-9A-Za-z]/.test(point)) throw new Unsupported();
    return only(codePoint(point));
  }

  #hex(digits: number): number {
    let text = "";
    for (let count = 0; count < digits; count += 1) text += this.#take();
    return Number.parseInt(text, 16);
  }

  #unicode(): number {
    if (this.#skip("{")) {
      let text = "";
      for (let point = this.#take(); point !== "}"; point = this.#take()) text += point;
      return Number.parseInt(text, 16);
    }
    const high = this.#hex(4);
    const isPair = high >= 0xd800 && high <= 0xdbff && this.#skip("\\u");
    if (!isPair) return high;
    const low = this.#hex(4);
    // Halves that are no pair match single halves; such text is refused at the door anyway.
    if (low < 0xdc00 || low > 0xdfff) throw new Unsupported();
    return 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
  }
}

function only(point: number): Ranges {
  return [[point, point]];
}

function codePoint(text: string): number {
  return text.codePointAt(0) ?? 0;
}
