/**
 * Numbers at and beside the limits of some schemas: what is likely to pass one of them and not another.
 * Proposals only; the caller asks which are valid.
 */
import type { Alternative } from "./alternatives.ts";
import { commonStep, decimalsOf, plus, times } from "./decimals.ts";
import { distinct } from "./distinct.ts";
import type { Linked } from "./linked-schema.ts";

/** Small ones first: the first valid one is shown to people. */
const PLAIN = [0, 1, -1, 0.5, -0.5, 1.5, 2, 3, 10, 100, -100, 1e6, 1e10, -1e10];
const EXTREME = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e20, 1e300];
/** Multiples of the writer's step on either side of a limit, and from zero up. */
const STEPS = [-2, -1, 0, 1, 2];
const FIRST_MULTIPLES = 14;

export interface NumberRange {
  /** Itself perhaps excluded, as `max`. */
  readonly min: number;
  readonly max: number;
  /** `null` where any fraction is allowed. */
  readonly step: number | null;
}

export function numberRangeOf(alternative: Alternative): NumberRange {
  return {
    min: Math.max(
      alternative.most((part) => part.minimum),
      alternative.most((part) => part.above),
    ),
    max: Math.min(
      alternative.least((part) => part.maximum),
      alternative.least((part) => part.below),
    ),
    step: commonStep(alternative.parts.flatMap((part) => part.multipleOf ?? [])),
  };
}

/** `others` are nodes of another schema for the same place, whose limits count as well. */
export function* numbersAround(alternative: Alternative, others: readonly Linked[]): Iterable<number> {
  for (const number of distinct(proposals(alternative, others))) {
    if (Number.isFinite(number)) yield number === 0 ? 0 : number;
  }
}

function* proposals(alternative: Alternative, others: readonly Linked[]): Iterable<number> {
  yield* PLAIN;
  const { step } = numberRangeOf(alternative);
  const limits = [...alternative.parts, ...others].flatMap(limitsOf);
  yield* limits;
  for (const limit of limits) yield* besideOf(limit, step);
  const steps = others.flatMap((part) => part.multipleOf ?? []);
  for (const multiple of [step ?? [], steps].flat()) yield* firstMultiples(multiple);
  yield* EXTREME;
}

function limitsOf({ minimum, maximum, above, below, values }: Linked): number[] {
  const listed = values.flat().filter((value) => typeof value === "number");
  return [minimum, maximum, above, below, ...listed].filter((limit) => limit !== null);
}

function besideOf(limit: number, step: number | null): number[] {
  const unit = 10 ** -decimalsOf(limit);
  const beside = [1, -1, 0.5, -0.5, unit, -unit, unit / 10, -unit / 10].map((change) => plus(limit, change));
  if (step === null) return beside;
  const nearest = Math.round(limit / step);
  return [...beside, ...STEPS.map((offset) => times(nearest + offset, step))];
}

function firstMultiples(step: number): number[] {
  return Array.from({ length: FIRST_MULTIPLES }, (_, index) => times(index + 1, step)).concat(
    times(-1, step),
    plus(step, 1),
    step / 2,
  );
}
