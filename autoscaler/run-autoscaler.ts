/**
 * Wires one autoscaler process: control loop, leadership, executor, control API; and stops them in order.
 *
 * Any number may run on one Redis: one leads and the others stand by, and all answer. Stopping ends the leader's work
 * first, so that nothing is started any more, and gives the lease back; then the workers are drained, unless another
 * autoscaler of this machine goes on with them.
 */
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { FastifyInstance } from "fastify";
import type { Clock } from "#shared/clock";
import type { Authentication } from "#shared/http/authenticate";
import { isLoopback, requireLoopback } from "#shared/http/loopback";
import { startAuthentication } from "#shared/http/start-authentication";
import type { Log } from "#shared/log";
import { AuditStore } from "#shared/redis/audit-store";
import {
  connectFailingFast,
  connectPatient,
  disconnect,
  type RedisConnection,
  untilReady,
} from "#shared/redis/connection";
import { DecisionStore } from "#shared/redis/decision-store";
import { DesiredStore } from "#shared/redis/desired-store";
import { requireSafe } from "#shared/redis/durability";
import { DurabilityWatch } from "#shared/redis/durability-watch";
import { FleetStore } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LeaderLease } from "#shared/redis/leader-lease";
import { LimitsStore } from "#shared/redis/limits-store";
import { LoadStore } from "#shared/redis/load-store";
import { RegistryFollower } from "#shared/redis/registry-store";
import { ScalingOverridesFollower, ScalingOverridesStore } from "#shared/redis/scaling-overrides-store";
import { boundsInForce } from "#shared/scaling/resolve-overrides";
import { limitsBaseOf, readSluiceConfig, type SluiceConfig } from "#shared/sluice-config";
import type { AutoscalerConfig } from "./config.ts";
import { answeredSoon, answersOf } from "./control-answers.ts";
import type { ChoreMetrics } from "./control-api/chore-metrics.ts";
import { ControlMetrics } from "./control-api/control-metrics.ts";
import { addLeaderMetrics } from "./control-api/leader-metrics.ts";
import { buildControlServer } from "./control-api/server.ts";
import { ControlLoop } from "./control-loop.ts";
import { LocalProcesses } from "./fleet/local-processes.ts";
import { GateKeeper } from "./gate-keeper.ts";
import { DesiredNumbers } from "./keda/desired-numbers.ts";
import { requireSafeKeda } from "./keda/keda-settings.ts";
import { startKeda } from "./keda/start-keda.ts";
import { LeadFleet } from "./lead-fleet.ts";
import { LeaderWork } from "./leader-work.ts";
import { LimitsKeeper } from "./limits-keeper.ts";
import { Observer } from "./observe.ts";
import { retireAbsent } from "./retire-absent.ts";
import { LaneRetirer } from "./retirement/lane-retirer.ts";
import { LoadEstimates } from "./scaling/load-estimates.ts";
import { scalingAnswers } from "./scaling-answers.ts";
import { StartDelays } from "./start-delays.ts";

const START_TIMEOUT_MS = 15_000;
const CLOSE_TIMEOUT_MS = 2_000;

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

/** @throws when the configuration, the environment or Redis does not allow a start. */
export async function runAutoscaler(config: AutoscalerConfig, ports: AutoscalerPorts): Promise<void> {
  requireLoopback(config);
  if (config.keda !== null) requireSafeKeda(config.keda, config.auth);
  const sluice = await readSluiceConfig(config.configPath);
  const connections = {
    commands: connectPatient(config.redisUrl, "sluice-autoscaler"),
    events: connectPatient(config.redisUrl, "sluice-autoscaler-events"),
    leaseRedis: connectFailingFast(config.redisUrl, "sluice-autoscaler-lease"),
  };
  try {
    const needed = [connections.commands, connections.leaseRedis];
    await Promise.all(needed.map((it) => untilReady(it, START_TIMEOUT_MS)));
    await control({ ...ports, config, sluice, ...connections });
  } finally {
    disconnect(connections.commands);
    disconnect(connections.events);
    disconnect(connections.leaseRedis);
  }
}

interface Control extends AutoscalerPorts {
  readonly config: AutoscalerConfig;
  readonly sluice: SluiceConfig;
  readonly commands: RedisConnection;
  readonly events: RedisConnection;
  readonly leaseRedis: RedisConnection;
}

async function control(setup: Control): Promise<void> {
  const { config, commands, events, clock, log } = setup;
  const keys = keysOf(config.prefix);
  const watch = new DurabilityWatch(commands, config.durability);
  requireSafe(await watch.look());

  const door = await startAuthentication(config.auth, { redis: commands, keys, clock, log });
  const parts = partsOf(setup);
  const { lead, metrics, numbers } = parts;
  const keda = await kedaOf(setup, numbers, door.authentication);
  const loop = loopOf(setup, parts);
  addLeaderMetrics(metrics.registry, lead.leadership);
  lead.leadership.onTerm(() => loop.wake());
  await LoadStore.listen(events, keys, (queue) => loop.enqueued(queue));
  await LeaderLease.listen(events, keys, () => lead.leadership.released());

  const queues = new LaneQueues(commands, config.prefix);
  const { authentication } = door;
  const server = await serverOf({ ...setup, ...parts, watch, queues, authentication });
  await listenAndRun(server, { ...setup, lead, watch, loops: [loop, door, lead.keeper, ...keda] });
  queues.close();
  log.info("autoscaler has stopped");
}

/** What the loop and the control API share. */
function partsOf(setup: Control) {
  const { config, sluice, commands, clock } = setup;
  const keys = keysOf(config.prefix);
  const load = new LoadStore(commands, keys);
  const startDelays = new StartDelays(clock);
  const estimates = new LoadEstimates();
  const metrics = new ControlMetrics(() => estimates.histograms());
  const scalingOverrides = new ScalingOverridesStore(commands, keys);
  const overrides = new ScalingOverridesFollower(scalingOverrides);
  const lead = leadFleet(setup, metrics.chores, overrides);
  const fleet = new FleetStore(commands, keys);
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
  const stores = { load, fleet, decisions, desired, scalingOverrides, overrides };
  return { ...stores, lead, metrics, startDelays, estimates, observer, numbers };
}

type Parts = ReturnType<typeof partsOf>;

function loopOf(setup: Control, parts: Parts): ControlLoop {
  const { config, sluice, commands, clock, log } = setup;
  const keys = keysOf(config.prefix);
  const { lead, metrics } = parts;
  return new ControlLoop({
    ...parts,
    clock,
    log,
    config: sluice,
    executor: lead.executor,
    sight: lead.sight,
    leadership: lead.leadership,
    tickMs: config.tickMs,
    laneRetirer: new LaneRetirer({ redis: commands, keys, clock, log }),
    host: hostname(),
    adopt: (worker) => lead.executor.adopt(worker),
    onTerm: ({ snapshot }) => retireAbsent(snapshot, { redis: commands, keys, config: sluice, log }),
    onDecision: (record) => metrics.decided(record),
    onObservation: ({ snapshot }) => metrics.observed(snapshot),
  });
}

interface Serving extends Control, Parts {
  readonly watch: DurabilityWatch;
  readonly queues: LaneQueues;
  readonly authentication: Authentication;
}

async function serverOf(serving: Serving): Promise<FastifyInstance> {
  const { config, sluice, commands, clock, log, stop, watch, queues, authentication } = serving;
  const { lead, metrics, observer, decisions, scalingOverrides, estimates, numbers } = serving;
  const keys = keysOf(config.prefix);
  const gateKeeper = new GateKeeper({
    redis: commands,
    keys,
    clock,
    estimates,
    observe: () => observer.recent(),
    look: () => observer.look(),
  });
  const audit = new AuditStore({ redis: commands, keys, clock, log });
  return buildControlServer({
    log,
    loopbackOnly: isLoopback(config.host),
    authentication,
    metrics: metrics.registry,
    queues,
    leader: () => answeredSoon(clock, lead.view()),
    desired: (question) => numbers.answer(question),
    desiredPools: numbers.pools,
    ...scalingAnswers({
      decisions,
      store: scalingOverrides,
      config: sluice,
      snapshot: async () => (await observer.recent()).snapshot,
      soon: (answer) => answeredSoon(clock, answer),
    }),
    ...answersOf({ clock, observer, gateKeeper, audit, limits: await publishedLimits(serving) }),
    readiness: () => ({ durability: watch.found, ...watchState(watch, stop), problems: [] }),
  });
}

/** The scaler for KEDA, where it is asked for. */
async function kedaOf(setup: Control, numbers: DesiredNumbers, authentication: Authentication) {
  const { keda } = setup.config;
  return keda === null ? [] : [await startKeda(keda, { ...setup, numbers, authentication })];
}

/** The lease, the executor, and what is done under the lease beside scaling. */
function leadFleet(
  setup: Control,
  chores: ChoreMetrics,
  overrides: Pick<ScalingOverridesFollower, "of">,
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
    bounds: (queue) => {
      const policy = sluice.pools[queue] ?? { workersMin: 0, workersMax: 0 };
      return boundsInForce(policy, overrides.of(queue, clock.nowMs()).bounds);
    },
    work: ({ over }) => new LeaderWork({ ...config, clock, log, metrics: chores }).run(over),
  });
}

interface Running extends Control {
  readonly lead: LeadFleet;
  readonly watch: DurabilityWatch;
  readonly loops: readonly { run(stop: AbortSignal): Promise<unknown> }[];
}

/** Serves until it is told to stop, then stops the workers, or leaves them to another autoscaler of the machine. */
async function listenAndRun(server: FastifyInstance, running: Running): Promise<void> {
  const { config, log, clock, lead, watch, stop, insist } = running;
  const { executor, leadership } = lead;
  const loops = [...running.loops, { run: () => watch.run(clock, stop) }];
  await server.listen({ host: config.host, port: config.port });
  log.info({ port: (server.server.address() as AddressInfo).port }, "autoscaler is listening");
  insist.addEventListener("abort", () => executor.killAll(), { once: true });
  const leading = leadership.run(stop);
  await Promise.race([Promise.all(loops.map((it) => it.run(stop))), afterStop(stop, clock)]);
  // The lease is given back, and with it our place among those that stand by.
  await leading;
  const closed = Promise.race([server.close(), clock.sleep(CLOSE_TIMEOUT_MS)]);
  const other = lead.leaveTo();
  if (other === null) log.info("autoscaler is stopping its workers");
  else log.info({ pid: other }, "another autoscaler of this machine goes on with the workers");
  await Promise.all([other === null ? executor.stopAll() : null, closed]);
}

/** The limits, with what the configuration file says as their base. */
async function publishedLimits({ config, sluice, commands, clock }: Control): Promise<LimitsKeeper> {
  const limits = new LimitsKeeper(new LimitsStore(commands, keysOf(config.prefix)), clock);
  await limits.publish(limitsBaseOf(sluice));
  return limits;
}

function watchState({ redisReachable }: DurabilityWatch, stop: AbortSignal) {
  return { redisReachable, stopping: stop.aborted };
}

/** A round that hangs in a Redis that is away does not hold up a stop. */
function afterStop(stop: AbortSignal, clock: Clock): Promise<unknown> {
  return new Promise((resolve) => {
    const wait = () => clock.after(ROUND_TIMEOUT_MS, () => resolve("stopped"));
    if (stop.aborted) wait();
    else stop.addEventListener("abort", wait, { once: true });
  });
}

const ROUND_TIMEOUT_MS = 100;
