/** Whether this process leads, as a gauge: over all autoscalers its sum is 1, but for the moments in between. */
import { Gauge, type Registry } from "prom-client";
import type { Term } from "../leadership.ts";

export function addLeaderMetrics(registry: Registry, leadership: { readonly term: Term | null }): void {
  new Gauge({
    name: "sluice_autoscaler_leader",
    help: "1 while this autoscaler leads, else 0.",
    registers: [registry],
    collect() {
      this.set(leadership.term === null ? 0 : 1);
    },
  });
  new Gauge({
    name: "sluice_autoscaler_epoch",
    help: "Epoch of the term that this autoscaler leads in; 0 while it does not lead.",
    registers: [registry],
    collect() {
      this.set(leadership.term?.epoch ?? 0);
    },
  });
}
