/** Measures every side once a round, one after the other, and puts rounds together. */
import type { BenchOptions } from "./options.ts";
import type { Sample } from "./sample.ts";
import type { Group } from "./sides.ts";
import { type Spread, spreadOf } from "./statistics.ts";

const METRICS = ["perSecond", "nodeUsPerJob", "redisUsPerJob", "redisBytesPerJob", "p50Ms", "p99Ms"] as const;
export type Metric = (typeof METRICS)[number];

export interface SideResult {
  readonly id: string;
  readonly label: string;
  /** `null` where the side has no such thing. */
  readonly metrics: Readonly<Record<Metric, Spread | null>>;
  readonly rounds: readonly Sample[];
}

/** Of each round's own two neighbours, so that what slows the machine for a while slows both. */
export interface RatioResult {
  readonly of: string;
  readonly to: string;
  readonly perSecond: Spread;
  /** Below 1: less CPU a job than the yardstick. */
  readonly nodeUsPerJob: Spread;
  /** `null` where the sides have no latencies. */
  readonly p99Ms: Spread | null;
}

export interface GroupResult {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly sides: readonly SideResult[];
  readonly ratios: readonly RatioResult[];
}

/** A round goes through every side in order: A B C, A B C, ... */
export async function runRounds(
  groups: readonly Group[],
  options: BenchOptions,
  onProgress: (text: string) => void,
): Promise<readonly GroupResult[]> {
  const samples = new Map<string, Sample[]>();
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const side of groups.flatMap((group) => group.sides)) {
      const sample = await side.measure(options, []);
      samples.set(side.id, [...(samples.get(side.id) ?? []), sample]);
      onProgress(`round ${round}/${options.rounds}  ${side.label}: ${Math.round(sample.perSecond)} a second`);
    }
  }
  return groups.map((group) => groupResult(group, samples));
}

function groupResult(group: Group, samples: ReadonlyMap<string, readonly Sample[]>): GroupResult {
  const { name, title, unit } = group;
  const sides = group.sides.map(({ id, label }) => {
    const rounds = samples.get(id) ?? [];
    return { id, label, metrics: metricsOf(rounds), rounds };
  });
  const ratios = group.ratios.flatMap((ids) => {
    const [of, to] = ids.map((id) => sides.find((side) => side.id === id));
    return of && to ? [ratioOf(of, to)] : [];
  });
  return { name, title, unit, sides, ratios };
}

function metricsOf(rounds: readonly Sample[]): Record<Metric, Spread | null> {
  const spreads = METRICS.map((metric) => {
    const values = rounds.flatMap((sample) => sample[metric] ?? []);
    return [metric, values.length === 0 ? null : spreadOf(values)];
  });
  return Object.fromEntries(spreads);
}

function ratioOf(of: SideResult, to: SideResult): RatioResult {
  const ratios = (metric: "perSecond" | "nodeUsPerJob" | "p99Ms") =>
    spreadOf(
      of.rounds.map(
        (sample, round) => Number(sample[metric]) / Number(to.rounds[round]?.[metric] ?? Number.NaN),
      ),
    );
  return {
    of: of.label,
    to: to.label,
    perSecond: ratios("perSecond"),
    nodeUsPerJob: ratios("nodeUsPerJob"),
    p99Ms: of.metrics.p99Ms === null || to.metrics.p99Ms === null ? null : ratios("p99Ms"),
  };
}
