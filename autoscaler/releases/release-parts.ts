/** The parts that lead rollouts and answer for them, put together. */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { RedisConnection } from "#shared/redis/connection";
import type { FleetStore } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { ProbeStore } from "#shared/redis/probe-store";
import { moveGate, retireRelease } from "#shared/redis/registry-store";
import { ReleaseCountersStore } from "#shared/redis/release-counters-store";
import { ReleaseOrdersStore } from "#shared/redis/release-orders-store";
import { RequeueStore } from "#shared/redis/requeue-store";
import { RolloutStore } from "#shared/redis/rollout-store";
import type { WorkerHold, WorkerHoldsStore } from "#shared/redis/worker-holds-store";
import type { SluiceConfig } from "#shared/sluice-config";
import { answeredSoon } from "../control-answers.ts";
import type { Observer } from "../observe.ts";
import type { LoadEstimates } from "../scaling/load-estimates.ts";
import { KeepingDesk } from "./keeping-desk.ts";
import type { ReleaseList } from "./release-list.ts";
import { RequeueExhausted } from "./requeue-exhausted.ts";
import { RolloutActs } from "./rollout-acts.ts";
import { RolloutKeeper } from "./rollout-keeper.ts";

export interface ReleaseSetup {
  readonly redis: RedisConnection;
  readonly prefix: string;
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly fleet: Pick<FleetStore, "order">;
  readonly estimates: Pick<LoadEstimates, "loadSlots">;
}

export function rolloutKeeperOf({ redis, prefix, config, clock, log, fleet, estimates }: ReleaseSetup) {
  const keys = keysOf(prefix);
  const requeue = new RequeueExhausted({ clock, log, store: new RequeueStore(redis, keys) });
  return new RolloutKeeper({
    config,
    log,
    store: new RolloutStore(redis, keys),
    orders: new ReleaseOrdersStore(redis, keys),
    counters: new ReleaseCountersStore(redis, keys),
    probes: new ProbeStore(redis, keys),
    acts: new RolloutActs({
      log,
      fleet,
      estimates,
      requeue,
      moveGate: (move) => moveGate(redis, keys, move),
      retireRelease: (release) => retireRelease(redis, keys, release),
    }),
  });
}

export interface ReleaseAnswering
  extends Pick<ReleaseSetup, "redis" | "prefix" | "config" | "clock" | "log"> {
  readonly keeper: Pick<RolloutKeeper, "seen">;
  readonly observer: Pick<Observer, "look">;
  readonly releaseList: Pick<ReleaseList, "refresh">;
  readonly holdsStore: WorkerHoldsStore;
  /** The control loop may look at once. */
  wake(): void;
}

/** What the control API asks of rollouts, releases and single workers, each answered soon or not at all. */
export function releaseAnswers(answering: ReleaseAnswering) {
  const { redis, prefix, config, clock, log, keeper, observer, releaseList, holdsStore, wake } = answering;
  const keys = keysOf(prefix);
  const store = new RolloutStore(redis, keys);
  return {
    clock,
    rollouts: new KeepingDesk({
      config,
      log,
      store,
      keeper,
      soon: (answer) => answeredSoon(clock, answer),
      // A release that was added a moment ago is one that can be started.
      look: () => releaseList.refresh().then(() => observer.look()),
      onStored: wake,
    }),
    holds: {
      read: () => answeredSoon(clock, holdsStore.read()),
      set: (hold: WorkerHold) => answeredSoon(clock, holdsStore.set(hold)),
    },
    retireRelease: (release: string) => answeredSoon(clock, retireRelease(redis, keys, release)),
  };
}
