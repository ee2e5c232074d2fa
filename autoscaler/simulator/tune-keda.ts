/**
 * KEDA on waiting + active at its best on one trace: the cheapest of all its settings that miss no more than allowed.
 *
 * It stands for a person who has tried everything on this very trace, so it is harder to beat than KEDA is. The grid:
 * jobs a replica from 0.25 to 40 in steps of about 12 %, stabilization 60, 120 and 300 s, minimum 0 and 1, and three
 * ways of going: a pod at random with 30 s of grace (jobs get killed), at random with as much grace as its job needs,
 * and idle pods first (a deletion cost on each busy pod).
 */
import type { Arena, Price, Round } from "./arena.ts";
import { type KedaSettings, keda } from "./policies/keda.ts";

export interface TunedKeda extends Price {
  readonly settings: KedaSettings;
}

const TARGETS = [
  0.25, 0.33, 0.4, 0.5, 0.55, 0.6, 0.67, 0.75, 0.82, 0.9, 1, 1.1, 1.2, 1.35, 1.5, 1.65, 1.8, 2, 2.2, 2.4, 2.7,
  3, 3.3, 3.7, 4.1, 4.6, 5.2, 5.8, 6.5, 7.3, 8.2, 9.2, 10.5, 12, 13.5, 15, 17, 19, 22, 25, 28, 32, 36, 40,
] as const;

const WINDOWS_MS = [60_000, 120_000, 300_000] as const;

const WAYS_OUT = [
  { scaleIn: "kill-random", victimGraceMs: 30_000, told: "random, 30 s grace" },
  { scaleIn: "kill-random", victimGraceMs: Number.POSITIVE_INFINITY, told: "random, endless grace" },
  { scaleIn: "kill-idle-first", victimGraceMs: Number.POSITIVE_INFINITY, told: "idle first" },
] as const;

/** The cool-down without a poll. */
const QUIET_MS = 270_000;

/** So many seeds say about where a family's limit is. */
const SCOUT_SEEDS = 3;

/** A family that is this much dearer there is not looked at again. */
const HOPELESS = 1.08;

/** More misses come with a larger target, but not strictly: so many larger ones are tried too. */
const TRIED_ABOVE = 3;

/** Dearer settings are tried until so many have kept the promise. */
const KEPT_BELOW = 2;

/** @returns `null` when no setting keeps to the limit. */
export function tuneKeda(arena: Arena, missesPercentMax: number): TunedKeda | null {
  let best: TunedKeda | null = null;
  for (const family of familiesOf(arena)) {
    const found = tuneFamily(arena, family, { missesPercentMax, best });
    if (found !== null) best = found;
  }
  return best;
}

type Family = (target: number) => KedaSettings;

function familiesOf({ rounds }: Arena): Family[] {
  const minima = rounds.some(fallsQuiet) ? [0, 1] : [0];
  return WAYS_OUT.flatMap(({ scaleIn, victimGraceMs, told }) =>
    WINDOWS_MS.flatMap((stabilizationMs) =>
      minima.map((replicasMin) => (target: number) => ({
        name: `KEDA waiting+active, L=${target}, ${stabilizationMs / 1_000} s, min ${replicasMin}, ${told}`,
        metric: "waiting+active" as const,
        target,
        stabilizationMs,
        replicasMin,
        scaleIn,
        victimGraceMs,
      })),
    ),
  );
}

/** Without a time as long as the cool-down KEDA never goes to none, and the minimum does not matter. */
function fallsQuiet({ workload: { arrivalsMs, horizonMs }, demand }: Round): boolean {
  let lastMs = demand[0] === 0 ? Number.NEGATIVE_INFINITY : 0;
  for (const atMs of arrivalsMs) {
    if (atMs - lastMs > QUIET_MS) return true;
    lastMs = atMs;
  }
  return horizonMs - lastMs > QUIET_MS;
}

/** The cheaper of `best` and this family's best, or `null` when that is `best`. */
function tuneFamily(
  arena: Arena,
  family: Family,
  { missesPercentMax, best }: { readonly missesPercentMax: number; readonly best: TunedKeda | null },
): TunedKeda | null {
  const scouted = scout(arena, family, missesPercentMax);
  if (scouted === null || scouted.workerHours > hoursOf(best) * HOPELESS) return null;
  let cheapest = best;
  let kept = 0;
  for (let at = scouted.at + TRIED_ABOVE; at >= 0 && kept < KEPT_BELOW; at -= 1) {
    const settings = settingsAt(family, at);
    if (settings === null) continue;
    const limits = { missesPercent: missesPercentMax, workerHours: Number.POSITIVE_INFINITY };
    const price = arena.price(() => keda(settings), limits);
    if (price === null) continue;
    kept += Number(at <= scouted.at);
    if (price.workerHours < hoursOf(cheapest)) cheapest = { settings, ...price };
  }
  return cheapest === best ? null : cheapest;
}

function hoursOf(tuned: TunedKeda | null): number {
  return tuned?.workerHours ?? Number.POSITIVE_INFINITY;
}

/** The largest target that keeps the promise under the first seeds, by bisection, and its hours. */
function scout(
  arena: Arena,
  family: Family,
  missesPercent: number,
): { readonly at: number; readonly workerHours: number } | null {
  const rounds = arena.rounds.slice(0, SCOUT_SEEDS);
  const limits = { missesPercent, workerHours: Number.POSITIVE_INFINITY };
  let best: { readonly at: number; readonly workerHours: number } | null = null;
  let [kept, missed] = [-1, TARGETS.length as number];
  while (missed - kept > 1) {
    const middle = (kept + missed) >> 1;
    const settings = settingsAt(family, middle);
    const price = settings === null ? null : arena.price(() => keda(settings), limits, { rounds });
    if (price === null) missed = middle;
    else {
      kept = middle;
      best = { at: middle, workerHours: price.workerHours };
    }
  }
  return best;
}

function settingsAt(family: Family, at: number): KedaSettings | null {
  const target = TARGETS[at];
  return target === undefined ? null : family(target);
}
