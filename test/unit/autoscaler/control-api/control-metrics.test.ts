import { describe, expect, test } from "vitest";
import { ControlMetrics } from "#autoscaler/control-api/control-metrics";
import { BUCKETS } from "#autoscaler/scaling/estimate-spread";
import {
  decisionRecord,
  laneTrip,
  laneView,
  OBSERVED_AT,
  queueView,
  snapshotOf,
  workerView,
} from "./build-look.ts";

/** The scrape's lines about one metric, without comments. */
async function samplesOf(metrics: ControlMetrics, name: string): Promise<readonly string[]> {
  const scrape = await metrics.registry.getSingleMetricAsString(name);
  return scrape.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("ControlMetrics", () => {
  test("shows waits and runs of the fleet as histograms, each bucket with all smaller ones", async () => {
    const counts = new Array<number>(BUCKETS).fill(0);
    [counts[0], counts[3], counts[BUCKETS - 1]] = [2, 1, 1];
    const waits = { queue: "shop", type: "a.b", phase: "pickup" as const, counts, sumMs: 4_001_250 };
    const metrics = new ControlMetrics(() => [waits]);
    const name = "sluice_job_pickup_seconds";
    const lines = await samplesOf(metrics, name);
    const of = 'queue="shop",type="a.b"';
    // 2 up to 0.1 s; one more up to 1 s; the last one is above the highest bound.
    for (const [bound, jobs] of [
      ["0.1", 2],
      ["0.5", 2],
      ["1", 3],
      ["3600", 3],
      ["+Inf", 4],
    ] as const)
      expect(lines).toContain(`${name}_bucket{le="${bound}",${of}} ${jobs}`);
    expect(lines.slice(-2)).toEqual([`${name}_sum{${of}} 4001.25`, `${name}_count{${of}} 4`]);
    expect(await samplesOf(metrics, "sluice_job_run_seconds")).toEqual([]);
  });

  test("shows a lane's jobs and the age of the oldest, in seconds", async () => {
    const metrics = new ControlMetrics();
    const lanes = [laneView({ waiting: 3, scheduled: 2, inFlight: 1, oldestDueAgeMs: 1_500 })];
    metrics.observed(snapshotOf({ queues: [queueView({ lanes, parked: 4, quarantined: 5 })] }));
    expect(await samplesOf(metrics, "sluice_queue_jobs")).toEqual([
      'sluice_queue_jobs{queue="shop",lane="shop.r1",state="due"} 3',
      'sluice_queue_jobs{queue="shop",lane="shop.r1",state="scheduled"} 2',
      'sluice_queue_jobs{queue="shop",lane="shop.r1",state="active"} 1',
    ]);
    expect(await samplesOf(metrics, "sluice_queue_oldest_due_age_seconds")).toEqual([
      'sluice_queue_oldest_due_age_seconds{queue="shop",lane="shop.r1"} 1.5',
    ]);
    expect(await samplesOf(metrics, "sluice_parked_jobs")).toEqual(['sluice_parked_jobs{queue="shop"} 4']);
    expect(await samplesOf(metrics, "sluice_quarantined_jobs")).toEqual([
      'sluice_quarantined_jobs{queue="shop"} 5',
    ]);
  });

  test("counts workers by state with zeros for the states nobody is in, and no slots of the dead", async () => {
    const metrics = new ControlMetrics();
    const workers = [
      workerView({ worker: "a", busy: 3 }),
      workerView({ worker: "b", busy: 2 }),
      workerView({ worker: "c", busy: 9, state: "dead" }),
    ];
    metrics.observed(snapshotOf({ workers }));
    const labels = 'pool="shop",release="shop-1"';
    expect(await samplesOf(metrics, "sluice_workers")).toEqual(
      Object.entries({ starting: 0, ok: 2, suspect: 0, dead: 1, draining: 0, quarantined: 0 }).map(
        ([state, count]) => `sluice_workers{${labels},state="${state}"} ${count}`,
      ),
    );
    // Two alive with 10 slots each, 3 + 2 of them busy.
    expect(await samplesOf(metrics, "sluice_worker_slots")).toEqual([`sluice_worker_slots{${labels}} 20`]);
    expect(await samplesOf(metrics, "sluice_worker_slots_busy")).toEqual([
      `sluice_worker_slots_busy{${labels}} 5`,
    ]);
  });

  test("shows a live release without workers and forgets what is gone", async () => {
    const metrics = new ControlMetrics();
    metrics.observed(snapshotOf({ workers: [] }));
    expect(await samplesOf(metrics, "sluice_worker_slots")).toEqual([
      'sluice_worker_slots{pool="shop",release="shop-1"} 0',
    ]);
    metrics.observed(snapshotOf({ queues: [], workers: [], releases: [] }));
    expect(await samplesOf(metrics, "sluice_worker_slots")).toEqual([]);
    expect(await samplesOf(metrics, "sluice_queue_jobs")).toEqual([]);
  });

  test("does not say zero lanes are orphaned before it has looked", async () => {
    const metrics = new ControlMetrics();
    expect(await samplesOf(metrics, "sluice_orphaned_lanes")).toEqual(["sluice_orphaned_lanes Nan"]);
    const lanes = [laneView(), laneView({ lane: "shop.r2", orphaned: true })];
    metrics.observed(snapshotOf({ queues: [queueView({ lanes })] }));
    expect(await samplesOf(metrics, "sluice_orphaned_lanes")).toEqual(["sluice_orphaned_lanes 1"]);
  });

  test("shows the trips of a lane by release, and counts the lanes that stand still for them", async () => {
    const metrics = new ControlMetrics();
    expect(await samplesOf(metrics, "sluice_tripped_lanes")).toEqual(["sluice_tripped_lanes Nan"]);
    expect(await samplesOf(metrics, "sluice_lane_trips")).toEqual([]);
    const trips = [laneTrip({ failures: 4 }), laneTrip({ release: "shop-3" })];
    const lanes = [laneView({ tripped: true, trips }), laneView({ lane: "shop.r2", trips: [laneTrip()] })];
    metrics.observed(snapshotOf({ queues: [queueView({ lanes })] }));
    expect(await samplesOf(metrics, "sluice_lane_trips")).toEqual([
      'sluice_lane_trips{queue="shop",lane="shop.r1",release="shop-2"} 4',
      'sluice_lane_trips{queue="shop",lane="shop.r1",release="shop-3"} 1',
      'sluice_lane_trips{queue="shop",lane="shop.r2",release="shop-2"} 1',
    ]);
    expect(await samplesOf(metrics, "sluice_tripped_lanes")).toEqual(["sluice_tripped_lanes 1"]);
  });

  test("tell why a pool has so many workers, and nothing of what is not known", async () => {
    const metrics = new ControlMetrics();
    const setting = { by: "ada", why: "x", at: OBSERVED_AT, expiresAt: OBSERVED_AT };
    metrics.decided(
      decisionRecord({
        clamps: [{ by: "workers-max", from: 9, to: 2, sentence: "x" }],
        overrides: { freeze: { pool: "shop", hard: false, ...setting }, bounds: null },
        errorBudget: { burnt: null },
      }),
    );
    expect(await samplesOf(metrics, "sluice_scaling_workers")).toEqual([
      'sluice_scaling_workers{pool="shop",release="shop-1",count="present"} 1',
      'sluice_scaling_workers{pool="shop",release="shop-1",count="wanted"} 2',
      'sluice_scaling_workers{pool="shop",release="shop-1",count="desired"} 2',
    ]);
    // The term "arrivals" of the builder's lane is not known.
    expect(await samplesOf(metrics, "sluice_scaling_term_slots")).toEqual([
      'sluice_scaling_term_slots{pool="shop",term="in-system"} 11',
    ]);
    expect(await samplesOf(metrics, "sluice_scaling_limited")).toEqual([
      'sluice_scaling_limited{pool="shop",limit="workers-max"} 1',
    ]);
    expect(await samplesOf(metrics, "sluice_scaling_frozen")).toEqual([
      'sluice_scaling_frozen{pool="shop"} 1',
    ]);
    expect(await samplesOf(metrics, "sluice_scaling_bounds_workers")).toHaveLength(2);
    expect(await samplesOf(metrics, "sluice_scaling_error_budget_burnt_ratio")).toEqual([]);
    metrics.decided(decisionRecord());
    expect(await samplesOf(metrics, "sluice_scaling_limited")).toEqual([]);
    expect(await samplesOf(metrics, "sluice_scaling_frozen")).toEqual([
      'sluice_scaling_frozen{pool="shop"} 0',
    ]);
  });

  test("counts decisions and shows the last one of each pool", async () => {
    const metrics = new ControlMetrics();
    metrics.decided(decisionRecord({ desired: { "shop-1": 2 } }));
    metrics.decided(decisionRecord({ desired: { "shop-2": 3 }, at: "1970-01-01T00:01:40.500Z" }));
    expect(await samplesOf(metrics, "sluice_autoscaler_desired_workers")).toEqual([
      'sluice_autoscaler_desired_workers{pool="shop",release="shop-2"} 3',
    ]);
    expect(await samplesOf(metrics, "sluice_autoscaler_decisions_total")).toEqual([
      'sluice_autoscaler_decisions_total{pool="shop",kind="sized",reason="as-wanted"} 2',
    ]);
    expect(await samplesOf(metrics, "sluice_autoscaler_last_evaluation_timestamp_seconds")).toEqual([
      'sluice_autoscaler_last_evaluation_timestamp_seconds{pool="shop"} 100.5',
    ]);
  });
});
