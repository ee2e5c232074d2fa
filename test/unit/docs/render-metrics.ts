/** docs/reference/metrics.md: the metrics in each process's registry. */
import type { Metric, Registry } from "prom-client";
import { ControlMetrics } from "#autoscaler/control-api/control-metrics";
import { addLeaderMetrics } from "#autoscaler/control-api/leader-metrics";
import { ProducerMetrics } from "#producer/metrics";
import { code, table } from "./rendered-blocks.ts";

/** Metrics of Node.js itself, which prom-client names and documents. */
const OF_NODE = /^sluice_(process|nodejs)_/;

export async function renderMetrics(): Promise<Readonly<Record<string, string>>> {
  return {
    producer: await metricTable(new ProducerMetrics().registry),
    autoscaler: await metricTable(autoscalerMetrics()),
  };
}

function autoscalerMetrics(): Registry {
  const { registry } = new ControlMetrics();
  addLeaderMetrics(registry, { term: null });
  return registry;
}

async function metricTable(registry: Registry): Promise<string> {
  const metrics = (await registry.getMetricsAsJSON()).filter(({ name }) => !OF_NODE.test(name));
  const rows = metrics
    .map(({ name, type, help }) => [code(name), String(type), labelsOf(registry.getSingleMetric(name)), help])
    .toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return table(["Metric", "Type", "Labels", "What it tells"], rows);
}

/** prom-client keeps the names on the metric and leaves them out of its types. */
function labelsOf(metric: Metric | undefined): string {
  const { labelNames = [] } = (metric ?? {}) as { readonly labelNames?: readonly string[] };
  return labelNames.length === 0 ? "–" : labelNames.map(code).join(", ");
}
