/**
 * The autoscaler's metrics: the last snapshot and the last decisions, as gauges.
 *
 * A scrape reads what the control loop saw and asks Redis nothing. Labels are bounded by the registry
 * and the configuration; what is gone from the snapshot is gone from the next scrape. Whether the
 * numbers are fresh is told by `sluice_autoscaler_last_evaluation_timestamp_seconds`.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { fromRfc3339 } from "#shared/system-clock";
import type { DecisionRecord, LaneView, QueueView, Snapshot, WorkerState, WorkerView } from "../snapshot.ts";
import { ChoreMetrics } from "./chore-metrics.ts";
import { addRunMetrics, type Histograms } from "./run-metrics.ts";
import { addScalingMetrics } from "./scaling-metrics.ts";

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

interface GaugeFacts {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

const WORKER_STATES: readonly WorkerState[] = [
  "starting",
  "ok",
  "suspect",
  "dead",
  "draining",
  "quarantined",
];

export class ControlMetrics {
  readonly registry = new Registry();
  /** What is done beside scaling. */
  readonly chores = new ChoreMetrics(this.registry);
  readonly #decisions: Counter<"pool" | "kind" | "reason">;
  readonly #lastDecision = new Map<string, DecisionRecord>();
  #snapshot: Snapshot | null = null;

  /** @param histograms what the fleet has counted of its runs. */
  constructor(histograms: () => Histograms = () => []) {
    collectDefaultMetrics({ register: this.registry, prefix: "sluice_" });
    this.#decisions = new Counter({
      name: "sluice_autoscaler_decisions_total",
      help: "Scaling decisions, by what was decided and why.",
      labelNames: ["pool", "kind", "reason"],
      registers: [this.registry],
    });
    addRunMetrics(this.registry, histograms);
    addScalingMetrics(this.registry, () => this.#lastDecision.values());
    this.#addLaneGauges();
    this.#addQueueGauges();
    this.#addFleetGauges();
    this.#addDecisionGauges();
  }

  /** Takes the latest look; the next scrape shows it. */
  observed(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
  }

  decided(record: DecisionRecord): void {
    this.#lastDecision.set(record.queue, record);
    this.#decisions.inc({ pool: record.queue, kind: record.kind, reason: record.reason });
  }

  #addLaneGauges(): void {
    this.#gauge(
      {
        name: "sluice_queue_jobs",
        help: "Unfinished jobs of a lane: due and not taken, waiting for a time, or in flight.",
        labelNames: ["queue", "lane", "state"],
      },
      () =>
        this.#lanes(({ waiting, scheduled, inFlight }) => [
          { labels: { state: "due" }, value: waiting },
          { labels: { state: "scheduled" }, value: scheduled },
          { labels: { state: "active" }, value: inFlight },
        ]),
    );
    this.#gauge(
      {
        name: "sluice_queue_oldest_due_age_seconds",
        help: "Time since the oldest waiting job of a lane fell due; 0 when nothing waits.",
        labelNames: ["queue", "lane"],
      },
      () => this.#lanes(({ oldestDueAgeMs }) => [{ labels: {}, value: (oldestDueAgeMs ?? 0) / 1_000 }]),
    );
    this.#gauge(
      {
        name: "sluice_lane_trips",
        help: "Times in a row that a release failed at its own step in a lane; none once it has read a job there.",
        labelNames: ["queue", "lane", "release"],
      },
      () =>
        this.#lanes(({ trips }) =>
          trips.map(({ release, failures }) => ({ labels: { release }, value: failures })),
        ),
    );
    this.#laneAlarm(
      "sluice_orphaned_lanes",
      "Lanes that hold jobs and that no live release has, or can get, a worker for.",
      ({ orphaned }) => orphaned,
    );
    this.#laneAlarm(
      "sluice_tripped_lanes",
      "Lanes that hold jobs and stand still, because every release that takes them fails at its own step.",
      ({ tripped }) => tripped,
    );
  }

  #laneAlarm(name: string, help: string, isOn: (lane: LaneView) => boolean): void {
    this.#gauge({ name, help, labelNames: [] }, () => {
      // Not known is not zero.
      if (this.#snapshot === null) return [{ labels: {}, value: Number.NaN }];
      const lanes = this.#snapshot.queues.flatMap((queue) => queue.lanes);
      return [{ labels: {}, value: lanes.filter(isOn).length }];
    });
  }

  #addQueueGauges(): void {
    const gauge = (name: string, help: string, value: (queue: QueueView) => number) =>
      this.#gauge({ name, help, labelNames: ["queue"] }, () =>
        (this.#snapshot?.queues ?? []).map((queue) => ({
          labels: { queue: queue.queue },
          value: value(queue),
        })),
      );
    gauge(
      "sluice_parked_jobs",
      "Jobs that no live release reads, kept for one that does.",
      (it) => it.parked,
    );
    gauge("sluice_quarantined_jobs", "Jobs kept for a person to look at.", (it) => it.quarantined);
  }

  #addFleetGauges(): void {
    const labelNames = ["pool", "release"];
    this.#gauge(
      { name: "sluice_workers", help: "Workers, by state.", labelNames: [...labelNames, "state"] },
      () =>
        this.#releases((workers) =>
          WORKER_STATES.map((state) => ({
            labels: { state },
            value: workers.filter((it) => it.state === state).length,
          })),
        ),
    );
    const slots = (name: string, help: string, field: "slots" | "busy") =>
      this.#gauge({ name, help, labelNames }, () =>
        this.#releases((workers) => {
          const alive = workers.filter(({ state }) => state !== "dead");
          return [{ labels: {}, value: alive.reduce((sum, it) => sum + it[field], 0) }];
        }),
      );
    slots("sluice_worker_slots", "Slots of workers that are not dead.", "slots");
    slots("sluice_worker_slots_busy", "Slots with a job in flight, of workers that are not dead.", "busy");
  }

  #addDecisionGauges(): void {
    this.#gauge(
      {
        name: "sluice_autoscaler_desired_workers",
        help: "Workers that the last decision asks for.",
        labelNames: ["pool", "release"],
      },
      () =>
        [...this.#lastDecision].flatMap(([pool, { desired }]) =>
          Object.entries(desired).map(([release, value]) => ({ labels: { pool, release }, value })),
        ),
    );
    this.#gauge(
      {
        name: "sluice_autoscaler_last_evaluation_timestamp_seconds",
        help: "When the pool was last decided on, in seconds since the Unix epoch.",
        labelNames: ["pool"],
      },
      () =>
        [...this.#lastDecision].map(([pool, { at }]) => ({
          labels: { pool },
          value: (fromRfc3339(at) ?? Number.NaN) / 1_000,
        })),
    );
  }

  #lanes(samplesOf: (lane: LaneView) => readonly Sample[]): readonly Sample[] {
    return (this.#snapshot?.queues ?? []).flatMap(({ queue, lanes }) =>
      lanes.flatMap((lane) => labelled({ queue, lane: lane.lane }, samplesOf(lane))),
    );
  }

  /** Live releases, and others while they have workers. */
  #releases(samplesOf: (workers: readonly WorkerView[]) => readonly Sample[]): readonly Sample[] {
    const { workers = [], releases = [] } = this.#snapshot ?? {};
    const live = releases.filter(({ state }) => state === "live");
    const pairs = [
      ...live.flatMap(({ release, generations }) =>
        Object.keys(generations).map((pool) => ({ pool, release })),
      ),
      ...workers.map(({ queue, release }) => ({ pool: queue, release })),
    ];
    const distinct = new Map(pairs.map((pair) => [JSON.stringify([pair.pool, pair.release]), pair]));
    return [...distinct.values()].flatMap(({ pool, release }) => {
      const own = workers.filter((it) => it.queue === pool && it.release === release);
      return labelled({ pool, release }, samplesOf(own));
    });
  }

  #gauge({ name, help, labelNames }: GaugeFacts, samples: () => readonly Sample[]): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels, value } of samples()) this.set(labels, value);
      },
    });
  }
}

function labelled(labels: Labels, samples: readonly Sample[]): readonly Sample[] {
  return samples.map((sample) => ({ labels: { ...labels, ...sample.labels }, value: sample.value }));
}
