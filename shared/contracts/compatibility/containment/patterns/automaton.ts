/**
 * A finite automaton for "does this pattern match somewhere in the text", run over code points.
 *
 * It keeps sets of states, so its time grows with the text and never explodes, as a backtracking matcher may.
 */
import { CODE_POINT_MAX, type PatternTree, type Ranges } from "./pattern-syntax.ts";

/** Something that reads a text symbol by symbol. `State` is opaque to the reader of texts. */
export interface Machine<State = unknown> {
  readonly start: State;
  next(state: State, codePoint: number): State;
  /** Whether a text that ends here is taken. */
  accepts(state: State): boolean;
  /** Equal for states with the same future. */
  keyOf(state: State): string;
  /** Symbols that are in the same ones of these sets make no difference to the machine. */
  readonly sets: readonly Ranges[];
}

interface Edge {
  /** `null`: takes no symbol. */
  readonly on: Ranges | null;
  /** Only at this end of the text; `null`: anywhere. */
  readonly only: "start" | "end" | null;
  readonly to: number;
}

/** A repetition spelled out too often would make the automaton too big to search. */
const STATES_MAX = 3000;
const ANYTHING: Ranges = [[0, CODE_POINT_MAX]];

class TooBig extends Error {}

type States = readonly number[];

/** Where in the text a state is looked at. */
interface Ends {
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

class PatternMachine implements Machine<States> {
  readonly start: States;
  readonly sets: readonly Ranges[];
  readonly #edges: readonly Edge[][];
  readonly #final: number;

  constructor(edges: readonly Edge[][], first: number, final: number) {
    this.#edges = edges;
    this.#final = final;
    // Until the first symbol is read, edges that need the start of the text are open.
    this.start = this.#closure([first], { atStart: true, atEnd: false });
    const sets = edges.flat().flatMap(({ on }) => (on === null || on === ANYTHING ? [] : [on]));
    this.sets = [...new Map(sets.map((set) => [JSON.stringify(set), set])).values()];
  }

  next(states: States, codePoint: number): States {
    const reached: number[] = [];
    for (const state of states) {
      for (const { on, to } of this.#edges[state] ?? []) {
        if (on !== null && isWithin(codePoint, on)) reached.push(to);
      }
    }
    return this.#closure(reached, { atStart: false, atEnd: false });
  }

  accepts(states: States): boolean {
    const atStart = states === this.start;
    return this.#closure(states, { atStart, atEnd: true }).includes(this.#final);
  }

  keyOf(states: States): string {
    return states === this.start ? "start" : states.join(",");
  }

  #closure(states: readonly number[], at: Ends): States {
    const reached = new Set(states);
    for (const state of reached) {
      for (const edge of this.#edges[state] ?? []) if (isFree(edge, at)) reached.add(edge.to);
    }
    // From there on every text is taken, so nothing else matters.
    if (reached.has(this.#final)) return [this.#final];
    return [...reached].sort((a, b) => a - b);
  }
}

export function isWithin(codePoint: number, ranges: Ranges): boolean {
  return ranges.some(([from, to]) => codePoint >= from && codePoint <= to);
}

/** Whether an edge is passed without reading a symbol. */
function isFree({ on, only }: Edge, { atStart, atEnd }: Ends): boolean {
  if (on !== null) return false;
  return only === null || (only === "start" ? atStart : atEnd);
}

/** `null` when the pattern would need too many states. */
export function machineOf(tree: PatternTree): Machine<States> | null {
  try {
    const builder = new Builder();
    // A match may begin and end anywhere.
    const first = builder.state();
    builder.edge(first, { on: ANYTHING, only: null, to: first });
    const final = builder.build(tree, first);
    builder.edge(final, { on: ANYTHING, only: null, to: final });
    return new PatternMachine(builder.edges, first, final);
  } catch (error) {
    if (error instanceof TooBig) return null;
    throw error;
  }
}

class Builder {
  readonly edges: Edge[][] = [];

  state(): number {
    if (this.edges.length >= STATES_MAX) throw new TooBig();
    this.edges.push([]);
    return this.edges.length - 1;
  }

  edge(from: number, edge: Edge): void {
    this.edges[from]?.push(edge);
  }

  #free(from: number, to: number): void {
    this.edge(from, { on: null, only: null, to });
  }

  /** Adds what the tree takes after state `from`, and answers the state after it. */
  build(tree: PatternTree, from: number): number {
    switch (tree.kind) {
      case "one":
        return this.#step(from, { on: tree.of, only: null });
      case "start":
      case "end":
        return this.#step(from, { on: null, only: tree.kind });
      case "sequence":
        return tree.parts.reduce((state, part) => this.build(part, state), from);
      case "choice":
        return this.#choice(tree.options, from);
      case "repeat":
        return this.#repeat(tree, from);
    }
  }

  #step(from: number, edge: Omit<Edge, "to">): number {
    const to = this.state();
    this.edge(from, { ...edge, to });
    return to;
  }

  #choice(options: readonly PatternTree[], from: number): number {
    const end = this.state();
    for (const option of options) this.#free(this.build(option, from), end);
    return end;
  }

  #repeat({ part, min, max }: Extract<PatternTree, { kind: "repeat" }>, from: number): number {
    let state = from;
    for (let count = 0; count < min; count += 1) {
      const next = this.build(part, state);
      // It takes nothing, however often it is repeated.
      if (next === state) return state;
      state = next;
    }
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.state();
      this.#free(state, loop);
      this.#free(this.build(part, loop), loop);
      return loop;
    }
    const end = this.state();
    this.#free(state, end);
    for (let count = min; count < max; count += 1) {
      const next = this.build(part, state);
      if (next === state) break;
      state = next;
      this.#free(state, end);
    }
    return end;
  }
}

/** Takes texts of `min` to `max` code points. */
export function lengthMachine(min: number, max: number): Machine<number> {
  // One more than the last length that matters stands for all above.
  const cap = Number.isFinite(max) ? max + 1 : min;
  return {
    start: 0,
    next: (length) => Math.min(length + 1, cap),
    accepts: (length) => length >= min && length <= max,
    keyOf: String,
    sets: [],
  };
}
