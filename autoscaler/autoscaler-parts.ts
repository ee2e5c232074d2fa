/**
 * The parts of one autoscaler process: stores, estimates, what leads and what acts. Put together and not started:
 * run-autoscaler.ts does that.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { RedisConnection } from "#shared/redis/connection";
import { DecisionStore } from "#shared/redis/decision-store";
import { DesiredStore } from "#shared/redis/desired-store";
import { FleetStore } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { LoadStore } from "#shared/redis/load-store";
import { PlannerStore } from "#shared/redis/planner-store";
import { RegistryFollower } from "#shared/redis/registry-store";
import { ScalingOverridesFollower, ScalingOverridesStore } from "#shared/redis/scaling-overrides-store";
import { WorkerHoldsStore } from "#shared/redis/worker-holds-store";
import { boundsInForce } from "#shared/scaling/resolve-overrides";
import type { SluiceConfig } from "#shared/sluice-config";
import type { AutoscalerConfig } from "./config.ts";
import type { ChoreMetrics } from "./control-api/chore-metrics.ts";
import { ControlMetrics } from "./control-api/control-metrics.ts";
import { LocalProcesses } from "./fleet/local-processes.ts";
import { remoteExecutorOf } from "./fleet/open-remote-executor.ts";
import { WorkerHolds } from "./fleet/worker-holds.ts";
import { DesiredNumbers } from "./keda/desired-numbers.ts";
import { LeadFleet } from "./lead-fleet.ts";
import { LeaderWork } from "./leader-work.ts";
import { Observer } from "./observe.ts";
import { PlannerMemory } from "./planner-memory.ts";
import type { ReleaseList } from "./releases/release-list.ts";
import { rolloutKeeperOf } from "./releases/release-parts.ts";
import type { RolloutKeeper } from "./releases/rollout-keeper.ts";
import { LoadEstimates } from "./scaling/load-estimates.ts";
import { StartDelays } from "./start-delays.ts";

export interface AutoscalerPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Environment that workers inherit. */
  readonly environment: Readonly<Record<string, string>>;
  /** How to start a worker of a release that names no command. */
  readonly defaultCommand: readonly string[];
  /** Aborts when the autoscaler shall stop. */
  readonly stop: AbortSignal;
  /** Aborts when it shall stop without waiting for jobs in flight. */
  readonly insist: AbortSignal;
}

export interface Control extends AutoscalerPorts {
  readonly config: AutoscalerConfig;
  /** With its releases as the file has them now. */
  readonly sluice: SluiceConfig;
  readonly releaseList: ReleaseList;
  readonly commands: RedisConnection;
  readonly events: RedisConnection;
  readonly leaseRedis: RedisConnection;
}

export type Parts = ReturnType<typeof partsOf>;

/** What the loop and the control API share. */
export function partsOf(setup: Control) {
  const { config, sluice, commands, leaseRedis, clock, log } = setup;
  const keys = keysOf(config.prefix);
  const load = new LoadStore(commands, keys);
  const startDelays = new StartDelays(clock);
  const estimates = new LoadEstimates();
  const metrics = new ControlMetrics(() => estimates.histograms());
  const scalingOverrides = new ScalingOverridesStore(commands, keys);
  const overrides = new ScalingOverridesFollower(scalingOverrides);
  // By the connection that fails fast: a term ends in time while Redis is away.
  const memory = new PlannerMemory({ store: new PlannerStore(leaseRedis, keys), clock, log });
  const fleet = new FleetStore(commands, keys);
  const ofReleases = { redis: commands, prefix: config.prefix, config: sluice, clock, log, fleet, estimates };
  const rollouts = rolloutKeeperOf(ofReleases);
  const lead = leadFleet(setup, { chores: metrics.chores, overrides, memory, rollouts });
  const observer = new Observer({
    clock,
    config: sluice,
    fleet,
    load,
    registry: new RegistryFollower(commands, keys),
    executor: lead.sight,
    estimates,
    tickMs: config.tickMs,
    startDelayMs: () => startDelays.estimate.startDelayMs,
  });
  const decisions = new DecisionStore(commands, keys);
  const desired = new DesiredStore(commands, keys);
  const numbers = new DesiredNumbers({ store: desired, config: sluice, clock });
  const holdsStore = new WorkerHoldsStore(commands, keys);
  const holds = new WorkerHolds({ store: holdsStore, fleet });
  const stores = { load, fleet, decisions, desired, scalingOverrides, overrides, memory, holdsStore, holds };
  return { ...stores, rollouts, lead, metrics, startDelays, estimates, observer, numbers };
}

/** The lease, the executor, and what is done under the lease beside scaling. */
function leadFleet(
  setup: Control,
  {
    chores,
    overrides,
    memory,
    rollouts,
  }: {
    readonly chores: ChoreMetrics;
    readonly overrides: Pick<ScalingOverridesFollower, "of">;
    readonly memory: Pick<PlannerMemory, "keepAtEnd">;
    readonly rollouts: Pick<RolloutKeeper, "isActive">;
  },
): LeadFleet {
  const { config, sluice, clock, log, leaseRedis } = setup;
  const { drainDeadlineMs, redisUrl, dataDir, executorDir } = config;
  return new LeadFleet({
    clock,
    log,
    sluice,
    keys: keysOf(config.prefix),
    redisUrl,
    dataDir,
    executorDir,
    leaseRedis,
    processes: new LocalProcesses({ ...setup, config: sluice, drainDeadlineMs }),
    remote: remoteExecutorOf(config.remote, { sluice, log }),
    bounds: (queue) => {
      const policy = sluice.pools[queue] ?? { workersMin: 0, workersMax: 0 };
      const { workersMin, workersMax } = boundsInForce(policy, overrides.of(queue, clock.nowMs()).bounds);
      return { workersMin, workersMax: rollouts.isActive(queue) ? 2 * workersMax + 1 : workersMax };
    },
    work: async (term) => {
      const working = new LeaderWork({ ...config, clock, log, metrics: chores });
      await Promise.all([working.run(term.over), memory.keepAtEnd(term)]);
    },
  });
}
