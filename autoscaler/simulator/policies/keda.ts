/**
 * KEDA with the Horizontal Pod Autoscaler of Kubernetes, as a baseline.
 *
 * Two loops. KEDA's own asks every 30 s and decides only between none and some: one replica when the metric is above
 * 0, none after a cool-down of 300 s. The HPA syncs every 15 s and decides the rest: the metric over the target, kept
 * within a tolerance of 0.1; growing by 4 pods or 100 % in 15 s, whichever is more; shrinking to the most that it
 * has recommended within the stabilization window, 300 s by default.
 * Sources: kedacore/keda pkg/scaling, kubernetes pkg/controller/podautoscaler (replica_calculator.go,
 * horizontal.go), autoscaling/v2 defaults.
 */
import type { PolicyFactory, PolicyOptions, PoolSight, ScaleIn, ScalingPolicy } from "../scaling-policy.ts";

export interface KedaSettings {
  readonly name: string;
  /** `waiting`: the length of the list that KEDA's Redis scaler reads. */
  readonly metric: "waiting" | "waiting+active";
  /** Jobs a replica. */
  readonly target: number;
  /** What was recommended within this long is kept. */
  readonly stabilizationMs: number;
  /** 0: it may go to none. */
  readonly replicasMin: number;
  readonly scaleIn: ScaleIn;
  readonly victimGraceMs: number;
}

const SYNC_MS = 15_000;
/** KEDA's polling interval in syncs of the HPA. */
const POLL_SYNCS = 2;
const COOLDOWN_MS = 300_000;
const TOLERANCE = 0.1;
const PODS_UP = 4;
const SHARE_UP = 2;

/** With everything but metric and target at its default; `waiting` is the Redis list scaler. */
export function kedaDefault(metric: KedaSettings["metric"], target: number): PolicyFactory {
  return keda({
    name: `KEDA ${metric}, L=${target}`,
    metric,
    target,
    stabilizationMs: 300_000,
    replicasMin: 0,
    scaleIn: "kill-random",
    victimGraceMs: 30_000,
  });
}

export function keda(settings: KedaSettings): PolicyFactory {
  return (options) => new KedaPolicy(settings, options);
}

class KedaPolicy implements ScalingPolicy {
  readonly name: string;
  readonly tickMs = SYNC_MS;
  readonly scaleIn: ScaleIn;
  readonly victimGraceMs: number;
  readonly #settings: KedaSettings;
  readonly #replicasMax: number;
  #recommended: { readonly atMs: number; readonly replicas: number }[] = [];
  #syncs = 0;
  #activeAtMs: number | null = null;

  constructor(settings: KedaSettings, { workersMax }: PolicyOptions) {
    this.#settings = settings;
    this.#replicasMax = workersMax;
    this.name = settings.name;
    this.scaleIn = settings.scaleIn;
    this.victimGraceMs = settings.victimGraceMs;
  }

  decide(sight: PoolSight): number {
    const { metric, replicasMin } = this.#settings;
    const amount = metric === "waiting" ? sight.waiting : sight.waiting + sight.active;
    const replicas = sight.readyWorkers + sight.startingWorkers;
    const polls = this.#syncs % POLL_SYNCS === 0;
    this.#syncs += 1;
    // A fleet that is there at the first look was needed until then.
    if (polls && amount > 0) this.#activeAtMs = sight.nowMs;
    else this.#activeAtMs ??= replicas > 0 ? sight.nowMs : Number.NEGATIVE_INFINITY;
    const isActive = sight.nowMs - this.#activeAtMs < COOLDOWN_MS;
    if (replicas === 0) {
      this.#recommended = [];
      return polls && amount > 0 ? Math.max(1, replicasMin) : replicasMin;
    }
    if (polls && !isActive && replicasMin === 0) return 0;
    return this.#sync(sight.nowMs, amount, replicas);
  }

  /** One sync of the HPA. Its own minimum is 1. */
  #sync(nowMs: number, amount: number, replicas: number): number {
    const { target, stabilizationMs, replicasMin } = this.#settings;
    const ratio = amount / (target * replicas);
    const desired = Math.abs(1 - ratio) <= TOLERANCE ? replicas : Math.ceil(amount / target);
    // Without a memory the HPA begins with what is there.
    if (this.#recommended.length === 0) this.#recommended.push({ atMs: nowMs, replicas });
    this.#recommended = this.#recommended.filter(({ atMs }) => atMs > nowMs - stabilizationMs);
    this.#recommended.push({ atMs: nowMs, replicas: desired });
    const recent = this.#recommended.reduce((most, it) => Math.max(most, it.replicas), 0);
    const stable = desired >= replicas ? desired : Math.min(replicas, recent);
    const upTo = Math.max(replicas + PODS_UP, replicas * SHARE_UP);
    return Math.max(1, replicasMin, Math.min(stable, upTo, this.#replicasMax));
  }
}
