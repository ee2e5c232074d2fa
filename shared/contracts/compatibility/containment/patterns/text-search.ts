/**
 * Whether there is a text at all that some machines take and others refuse: a walk through all the
 * states that they can reach together. Also the test of one text against one pattern.
 */
import { isWithin, type Machine, machineOf } from "./automaton.ts";
import { CODE_POINT_MAX, parsePattern } from "./pattern-syntax.ts";

/** Joint states looked at before the search gives up. */
const JOINT_STATES_MAX = 4000;

/** Patterns whose machines are kept; when there are more, all are forgotten. */
const MACHINES_MAX = 500;
const machines = new Map<string, Machine | null>();

/** The machine of a pattern, or `null` when it is invalid or cannot be followed. */
export function machineOfPattern(pattern: string): Machine | null {
  const known = machines.get(pattern);
  if (known !== undefined) return known;
  if (machines.size >= MACHINES_MAX) machines.clear();
  const tree = parsePattern(pattern);
  const machine = tree === null ? null : machineOf(tree);
  machines.set(pattern, machine);
  return machine;
}

/** Whether a pattern matches somewhere in a text; `null` when the pattern is invalid. */
export function matches(pattern: string, text: string): boolean | null {
  const machine = machineOfPattern(pattern);
  return machine === null ? (compiled(pattern)?.test(text) ?? null) : runs(machine, text);
}

function compiled(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return null;
  }
}

function runs(machine: Machine, text: string): boolean {
  let state = machine.start;
  for (const symbol of text) state = machine.next(state, symbol.codePointAt(0) ?? 0);
  return machine.accepts(state);
}

/**
 * Whether a text exists for which `isWanted` is true of what each machine says about it.
 *
 * @param isWanted of the machines' answers, in their order
 * @returns `null` when the search gave up
 */
export function textExists(
  machines: readonly Machine[],
  isWanted: (taken: readonly boolean[]) => boolean,
): boolean | null {
  const symbols = representatives(machines);
  const start = machines.map((machine) => machine.start);
  const seen = new Set([keyOf(machines, start)]);
  const open = [start];
  for (let states = open.pop(); states !== undefined; states = open.pop()) {
    const here = states;
    if (isWanted(machines.map((machine, index) => machine.accepts(here[index])))) return true;
    for (const symbol of symbols) {
      const next = machines.map((machine, index) => machine.next(here[index], symbol));
      const key = keyOf(machines, next);
      if (seen.has(key)) continue;
      if (seen.size >= JOINT_STATES_MAX) return null;
      seen.add(key);
      open.push(next);
    }
  }
  return false;
}

function keyOf(machines: readonly Machine[], states: readonly unknown[]): string {
  return machines.map((machine, index) => machine.keyOf(states[index])).join("|");
}

/** One code point of each kind that the machines tell apart. */
function representatives(machines: readonly Machine[]): number[] {
  const sets = machines.flatMap((machine) => machine.sets);
  const borders = new Set([0, ...sets.flat().flatMap(([from, to]) => [from, to + 1])]);
  const kinds = new Map<string, number>();
  for (const border of borders) {
    if (border > CODE_POINT_MAX) continue;
    kinds.set(sets.map((set) => Number(isWithin(border, set))).join(""), border);
  }
  return [...kinds.values()];
}
