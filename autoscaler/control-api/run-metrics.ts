/**
 * How long jobs waited and ran, as Prometheus histograms: what the whole fleet has counted, not this process alone.
 *
 * The numbers are the fleet's counters in Redis as they were read last, so they go on rising when the autoscaler
 * starts anew, and a scrape asks Redis nothing.
 */
import type { Metric, Registry } from "prom-client";
import { BUCKET_BOUNDS_MS } from "#shared/run-counters";
import type { LoadEstimates } from "../scaling/load-estimates.ts";

export type Histograms = ReturnType<LoadEstimates["histograms"]>;

const PHASES = [
  ["sluice_job_pickup_seconds", "pickup", "Time from a job falling due to a worker taking it."],
  ["sluice_job_run_seconds", "run", "Time a job held its slot, from taken to settled."],
] as const;

/** @param read what was counted by the last look. */
export function addRunMetrics(registry: Registry, read: () => Histograms): void {
  for (const [name, phase, help] of PHASES) {
    const metric = {
      name,
      labelNames: ["queue", "type"],
      get: async () => ({
        name,
        help,
        type: "histogram",
        values: read()
          .filter((it) => it.phase === phase)
          .flatMap((it) => samplesOf(name, it)),
        aggregator: "sum",
      }),
      reset: () => undefined,
    };
    // The registry asks only for the name and the numbers; its own type wants one of its classes.
    registry.registerMetric(metric as unknown as Metric);
  }
}

/** Prometheus counts upwards: each bucket holds all smaller ones too. */
function samplesOf(name: string, { queue, type, counts, sumMs }: Histograms[number]) {
  const labels = { queue, type };
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    const bound = BUCKET_BOUNDS_MS[index];
    const le = bound === undefined ? "+Inf" : String(bound / 1_000);
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumMs / 1_000 },
    { metricName: `${name}_count`, labels, value: below },
  ];
}
