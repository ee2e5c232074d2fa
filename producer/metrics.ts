/** The producer's metrics. Labels are bounded: never a job id, a tenant or an error's text. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Problem } from "#shared/http/problem";
import type { MemoryUse } from "#shared/redis/memory-watch";
import type { BatchCounts } from "./batch-result.ts";

/** A counter with its labels: looking it up by them costs as much as counting. */
interface Counting {
  inc(): void;
}

export class ProducerMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter<"outcome" | "reason">;
  readonly #accepted: Counting;
  /** By what is refused, found once each. */
  readonly #refused = new Map<string, Counting>();
  readonly #batchJobs: Counter<"outcome">;
  readonly #duration: Histogram;

  /** @param memoryUse what admission sees of Redis' memory, asked whenever the metrics are read. */
  constructor(memoryUse: () => MemoryUse | null = () => null) {
    new Gauge({
      name: "sluice_redis_memory_bytes",
      help: "Memory of Redis as admission sees it: used, and max. Jobs are refused from 85 % on.",
      labelNames: ["kind"],
      registers: [this.registry],
      collect() {
        const use = memoryUse();
        if (use === null) return;
        this.set({ kind: "used" }, use.usedBytes);
        this.set({ kind: "max" }, use.maxBytes);
      },
    });
    collectDefaultMetrics({ register: this.registry, prefix: "sluice_" });
    this.#requests = new Counter({
      name: "sluice_enqueue_requests_total",
      help: "Requests to enqueue a job, by outcome; reason is the problem's code.",
      labelNames: ["outcome", "reason"],
      registers: [this.registry],
    });
    this.#accepted = this.#requests.labels({ outcome: "accepted", reason: "" });
    this.#batchJobs = new Counter({
      name: "sluice_enqueue_batch_jobs_total",
      help: "Jobs of batches and streams, by outcome as their answers tell it.",
      labelNames: ["outcome"],
      registers: [this.registry],
    });
    this.#duration = new Histogram({
      name: "sluice_enqueue_duration_seconds",
      help: "From a request's first byte to the end of its answer.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers: [this.registry],
    });
  }

  refused(problem: Problem): void {
    const { status, code } = problem;
    const outcome = status < 500 ? "invalid" : (problem.outcome ?? "unknown");
    let counting = this.#refused.get(code + outcome);
    if (counting === undefined) {
      counting = this.#requests.labels({ outcome, reason: code });
      this.#refused.set(code + outcome, counting);
    }
    counting.inc();
  }

  /** @param counts how many jobs of a batch, or of a part of a stream, ended how. */
  batchAnswered(counts: BatchCounts): void {
    for (const [outcome, jobs] of Object.entries(counts))
      if (jobs > 0) this.#batchJobs.inc({ outcome }, jobs);
  }

  /** @param elapsedMs how long the request took. */
  answered(status: number, elapsedMs: number): void {
    if (status === 202) this.#accepted.inc();
    this.#duration.observe(elapsedMs / 1_000);
  }
}
