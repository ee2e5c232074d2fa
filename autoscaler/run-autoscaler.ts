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
import { AuditStore } from "#shared/redis/audit-store";
import { connectFailingFast, connectPatient, disconnect, untilReady } from "#shared/redis/connection";
import { requireSafe } from "#shared/redis/durability";
import { DurabilityWatch } from "#shared/redis/durability-watch";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LeaderLease } from "#shared/redis/leader-lease";
import { LimitsStore } from "#shared/redis/limits-store";
import { LoadStore } from "#shared/redis/load-store";
import { limitsBaseOf, readSluiceConfig } from "#shared/sluice-config";
import { type AutoscalerPorts, type Control, type Parts, partsOf } from "./autoscaler-parts.ts";
import type { AutoscalerConfig } from "./config.ts";
import { answeredSoon, answersOf } from "./control-answers.ts";
import { addLeaderMetrics } from "./control-api/leader-metrics.ts";
import { buildControlServer } from "./control-api/server.ts";
import { ControlLoop } from "./control-loop.ts";
import { GateKeeper } from "./gate-keeper.ts";
import type { DesiredNumbers } from "./keda/desired-numbers.ts";
import { requireSafeKeda } from "./keda/keda-settings.ts";
import { startKeda } from "./keda/start-keda.ts";
import type { LeadFleet } from "./lead-fleet.ts";
import { LimitsKeeper } from "./limits-keeper.ts";
import { ReleaseList, withReleases } from "./releases/release-list.ts";
import { releaseAnswers } from "./releases/release-parts.ts";
import { retireAbsent } from "./retire-absent.ts";
import { LaneRetirer } from "./retirement/lane-retirer.ts";
import { scalingAnswers } from "./scaling-answers.ts";

const START_TIMEOUT_MS = 15_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** @throws when the configuration, the environment or Redis does not allow a start. */
export async function runAutoscaler(config: AutoscalerConfig, ports: AutoscalerPorts): Promise<void> {
  requireLoopback(config);
  if (config.keda !== null) requireSafeKeda(config.keda, config.auth);
  const configured = await readSluiceConfig(config.configPath);
  const releaseList = new ReleaseList({ config: configured, log: ports.log });
  const sluice = withReleases(configured, releaseList);
  const connections = {
    commands: connectPatient(config.redisUrl, "sluice-autoscaler"),
    events: connectPatient(config.redisUrl, "sluice-autoscaler-events"),
    leaseRedis: connectFailingFast(config.redisUrl, "sluice-autoscaler-lease"),
  };
  try {
    const needed = [connections.commands, connections.leaseRedis];
    await Promise.all(needed.map((it) => untilReady(it, START_TIMEOUT_MS)));
    await control({ ...ports, config, sluice, releaseList, ...connections });
  } finally {
    disconnect(connections.commands);
    disconnect(connections.events);
    disconnect(connections.leaseRedis);
  }
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
  const wake = () => loop.wake();
  const server = await serverOf({ ...setup, ...parts, watch, queues, authentication, wake });
  await listenAndRun(server, { ...setup, lead, watch, loops: [loop, door, lead.keeper, ...keda] });
  queues.close();
  log.info("autoscaler has stopped");
}

function loopOf(setup: Control, parts: Parts): ControlLoop {
  const { config, sluice, commands, clock, log } = setup;
  const keys = keysOf(config.prefix);
  const { lead, metrics } = parts;
  return new ControlLoop({
    ...parts,
    clock,
    log,
    config: sluice,
    releaseList: setup.releaseList,
    executor: lead.hands,
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
  /** Begins a round of the control loop. */
  wake(): void;
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
  const ofReleases = { redis: commands, prefix: config.prefix, config: sluice, keeper: serving.rollouts };
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
    ...releaseAnswers({ ...serving, ...ofReleases }),
    ...answersOf({ clock, observer, gateKeeper, audit, limits: await publishedLimits(serving) }),
    readiness: () => ({
      durability: watch.found,
      ...watchState(watch, stop),
      problems: [],
      role: lead.leadership.role,
    }),
  });
}

/** The scaler for KEDA, where it is asked for. */
async function kedaOf(setup: Control, numbers: DesiredNumbers, authentication: Authentication) {
  const { keda } = setup.config;
  return keda === null ? [] : [await startKeda(keda, { ...setup, numbers, authentication })];
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
  const killOwn = () => lead.leaveTo() ?? executor.killAll();
  insist.addEventListener("abort", killOwn, { once: true });
  const leading = leadership.run(stop);
  // Until the lease is given back, and with it our place among those that stand by.
  await Promise.race([Promise.all([leading, ...loops.map((it) => it.run(stop))]), afterStop(stop, clock)]);
  const closed = Promise.race([server.close(), clock.sleep(CLOSE_TIMEOUT_MS)]);
  const other = lead.leaveTo();
  if (other === null) log.info("autoscaler is stopping its workers");
  else log.info({ pid: other }, "another autoscaler of this machine goes on with the workers");
  await Promise.all([other === null ? executor.stopAll() : null, closed, leading]);
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

/** A round or a lease that hangs in a Redis that is away does not hold up the workers' stop. */
function afterStop(stop: AbortSignal, clock: Clock): Promise<unknown> {
  return new Promise((resolve) => {
    const wait = () => clock.after(ROUND_TIMEOUT_MS, () => resolve("stopped"));
    if (stop.aborted) wait();
    else stop.addEventListener("abort", wait, { once: true });
  });
}

const ROUND_TIMEOUT_MS = 100;
