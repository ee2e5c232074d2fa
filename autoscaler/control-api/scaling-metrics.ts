/**
 * The last decision of each pool as gauges: what was there, wanted and decided, by which term, and what limits it.
 *
 * Labels are bounded: pools and releases by the configuration and the registry, terms and limits by the law. What a
 * decision does not know has no sample, never a zero.
 */
import { Gauge, type Registry } from "prom-client";
import type { DecisionRecord } from "../decision-record.ts";

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface GaugeFacts {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** @param decisions the last one of each pool. */
export function addScalingMetrics(registry: Registry, decisions: () => Iterable<DecisionRecord>): void {
  const gauge = (facts: GaugeFacts, samplesOf: (decision: DecisionRecord) => readonly Sample[]) =>
    new Gauge({
      ...facts,
      registers: [registry],
      collect() {
        this.reset();
        for (const decision of decisions()) {
          for (const { labels, value } of samplesOf(decision))
            this.set({ pool: decision.queue, ...labels }, value);
        }
      },
    });
  gauge(
    {
      name: "sluice_scaling_workers",
      help: "Workers of a release at the last decision: present, wanted by the lanes, and desired after all limits.",
      labelNames: ["pool", "release", "count"],
    },
    ({ present, wanted, desired }) => [
      ...counted("present", present),
      ...counted("wanted", wanted),
      ...counted("desired", desired),
    ],
  );
  gauge(
    {
      name: "sluice_scaling_term_slots",
      help: "Slots that a term of the scaling law asks for, the recorded lanes together; none while it is not known.",
      labelNames: ["pool", "term"],
    },
    termSamples,
  );
  gauge(
    {
      name: "sluice_scaling_limited",
      help: "1 for each limit that the last decision met.",
      labelNames: ["pool", "limit"],
    },
    ({ clamps }) =>
      [...new Set(clamps.map(({ by }) => by))].map((limit) => ({ labels: { limit }, value: 1 })),
  );
  gauge(
    {
      name: "sluice_scaling_frozen",
      help: "1 while operators hold the pool's number of workers.",
      labelNames: ["pool"],
    },
    ({ overrides }) => [{ labels: {}, value: overrides.freeze === null ? 0 : 1 }],
  );
  gauge(
    {
      name: "sluice_scaling_bounds_workers",
      help: "Bounds of the pool that hold, operators' overrides with them: min and max.",
      labelNames: ["pool", "bound"],
    },
    ({ inputs: { bounds } }) =>
      bounds === null
        ? []
        : [
            { labels: { bound: "min" }, value: bounds.workersMin },
            { labels: { bound: "max" }, value: bounds.workersMax },
          ],
  );
  gauge(
    {
      name: "sluice_scaling_error_budget_burnt_ratio",
      help: "Share of the allowed lateness that was used lately: 1 is exactly the allowance; none while not measured.",
      labelNames: ["pool"],
    },
    ({ errorBudget }) => {
      const burnt = errorBudget?.burnt;
      return typeof burnt === "number" ? [{ labels: {}, value: burnt }] : [];
    },
  );
}

function counted(count: string, workers: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(workers).map(([release, value]) => ({ labels: { release, count }, value }));
}

function termSamples({ inputs: { lanes } }: DecisionRecord): readonly Sample[] {
  const sums = new Map<string, number | null>();
  for (const { term, slots } of lanes.flatMap(({ terms }) => terms)) {
    const sum = sums.get(term) ?? 0;
    sums.set(term, slots === null || sums.get(term) === null ? null : sum + slots);
  }
  return [...sums].flatMap(([term, value]) => (value === null ? [] : [{ labels: { term }, value }]));
}
