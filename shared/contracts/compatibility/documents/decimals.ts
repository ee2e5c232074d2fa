/** Decimal arithmetic on the few numbers of a schema: 3 x 0.1 is 0.3, as whoever wrote the schema meant it. */

/** Beyond this many decimals doubles hold no exact answer anyway. */
const DECIMALS_MAX = 15;

export function decimalsOf(value: number): number {
  const [digits = "", exponent = "0"] = String(value).toLowerCase().split("e");
  const fraction = digits.split(".")[1]?.length ?? 0;
  return Math.min(Math.max(fraction - Number(exponent), 0), DECIMALS_MAX);
}

export function times(factor: number, step: number): number {
  const scale = 10 ** decimalsOf(step);
  return (factor * Math.round(step * scale)) / scale;
}

export function plus(value: number, change: number): number {
  const scale = 10 ** Math.max(decimalsOf(value), decimalsOf(change));
  const sum = (Math.round(value * scale) + Math.round(change * scale)) / scale;
  return Number.isFinite(sum) ? sum : value + change;
}

/** The least common multiple of steps, or their product where that would be astronomic. */
export function commonStep(steps: readonly number[]): number | null {
  const [first, ...others] = steps;
  if (first === undefined) return null;
  return others.reduce((common, step) => commonStepOfTwo(common, step), first);
}

function commonStepOfTwo(one: number, other: number): number {
  const scale = 10 ** Math.max(decimalsOf(one), decimalsOf(other));
  let [a, b] = [Math.round(one * scale), Math.round(other * scale)];
  const product = a * b;
  while (b > 0) [a, b] = [b, a % b];
  return a === 0 ? one * other : product / a / scale;
}
