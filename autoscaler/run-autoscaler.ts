/**
 * Wires one autoscaler process: control loop, executor, control API; and stops them in order.
 *
 * Stopping ends the loop first, so that nothing is started any more, then the workers by draining.
 */
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { FastifyInstance } from "fastify";
import type { Clock } from "#shared/clock";
import { isLoopback, requireLoopback } from "#shared/http/loopback";
import { startAuthentication } from "#shared/http/start-authentication";
import type { Log } from "#shared/log";
import { type AuditAct, AuditStore } from "#shared/redis/audit-store";
import { connectPatient, disconnect, type RedisConnection, untilReady } from "#shared/redis/connection";
import { requireSafe } from "#shared/redis/durability";
import { DurabilityWatch } from "#shared/redis/durability-watch";
import { FleetStore } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LimitsStore } from "#shared/redis/limits-store";
import { LoadStore } from "#shared/redis/load-store";
import { RegistryFollower } from "#shared/redis/registry-store";
import { limitsBaseOf, readSluiceConfig, type SluiceConfig } from "#shared/sluice-config";
import type { AutoscalerConfig } from "./config.ts";
import type { ChoreMetrics } from "./control-api/chore-metrics.ts";
import { ControlMetrics } from "./control-api/control-metrics.ts";
import { buildControlServer } from "./control-api/server.ts";
import { ControlLoop } from "./control-loop.ts";
import { LocalProcesses } from "./fleet/local-processes.ts";
import { GateKeeper, type GateMove } from "./gate-keeper.ts";
import { LeaderWork } from "./leader-work.ts";
import { LimitsKeeper, type OverrideRequest } from "./limits-keeper.ts";
import { Observer } from "./observe.ts";
import { retireAbsent } from "./retire-absent.ts";
import { LaneRetirer } from "./retirement/lane-retirer.ts";
import { LoadEstimates } from "./scaling/load-estimates.ts";
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
  const sluice = await readSluiceConfig(config.configPath);
  const connections = {
    commands: connectPatient(config.redisUrl, "sluice-autoscaler"),
    events: connectPatient(config.redisUrl, "sluice-autoscaler-events"),
  };
  try {
    await untilReady(connections.commands, START_TIMEOUT_MS);
    await control({ ...ports, config, sluice, ...connections });
  } finally {
    disconnect(connections.commands);
    disconnect(connections.events);
  }
}

interface Control extends AutoscalerPorts {
  readonly config: AutoscalerConfig;
  readonly sluice: SluiceConfig;
  readonly commands: RedisConnection;
  readonly events: RedisConnection;
}

async function control(setup: Control): Promise<void> {
  const { config, sluice, commands, events, clock, log, stop } = setup;
  const keys = keysOf(config.prefix);
  const watch = new DurabilityWatch(commands, config.durability);
  requireSafe(await watch.look());

  const door = await startAuthentication(config.auth, { redis: commands, keys, clock, log });
  const load = new LoadStore(commands, keys);
  const executor = new LocalProcesses({ ...setup, config: sluice, drainDeadlineMs: config.drainDeadlineMs });
  const startDelays = new StartDelays(clock);
  const estimates = new LoadEstimates();
  const fleet = new FleetStore(commands, keys);
  const observer = new Observer({
    clock,
    config: sluice,
    fleet,
    load,
    registry: new RegistryFollower(commands, keys),
    executor,
    estimates,
    startDelayMs: () => startDelays.estimate.startDelayMs,
  });
  await retireAbsent((await observer.look()).snapshot, { redis: commands, keys, config: sluice, log });

  const metrics = new ControlMetrics();
  const loop = new ControlLoop({
    clock,
    log,
    config: sluice,
    observer,
    fleet,
    load,
    executor,
    estimates,
    startDelays,
    laneRetirer: new LaneRetirer({ redis: commands, keys, clock, log }),
    host: hostname(),
    epoch: await load.nextEpoch(),
    onDecision: (record) => metrics.decided(record),
    onObservation: ({ snapshot }) => metrics.observed(snapshot),
  });
  await LoadStore.listen(events, keys, (queue) => loop.enqueued(queue));

  const queues = new LaneQueues(commands, config.prefix);
  const gateKeeper = new GateKeeper({
    redis: commands,
    keys,
    clock,
    estimates,
    observe: () => observer.recent(),
    look: () => observer.look(),
  });
  const audit = new AuditStore({ redis: commands, keys, clock, log });
  const server = await buildControlServer({
    log,
    loopbackOnly: isLoopback(config.host),
    authentication: door.authentication,
    metrics: metrics.registry,
    queues,
    ...answersOf({ clock, observer, load, gateKeeper, audit, limits: await publishedLimits(setup) }),
    readiness: () => ({ durability: watch.found, ...watchState(watch, stop), problems: [] }),
  });
  await listenAndRun(server, { ...setup, executor, watch, metrics: metrics.chores, loops: [loop, door] });
  queues.close();
  log.info("autoscaler has stopped");
}

interface Running extends Control {
  readonly executor: LocalProcesses;
  readonly watch: DurabilityWatch;
  readonly metrics: ChoreMetrics;
  readonly loops: readonly { run(stop: AbortSignal): Promise<unknown> }[];
}

/** Serves until it is told to stop, then stops the workers. */
async function listenAndRun(server: FastifyInstance, running: Running): Promise<void> {
  const { config, log, clock, executor, watch, metrics, stop, insist } = running;
  const leaderWork = new LeaderWork({ ...config, clock, log, metrics });
  const loops = [...running.loops, leaderWork, { run: () => watch.run(clock, stop) }];
  await server.listen({ host: config.host, port: config.port });
  log.info({ port: (server.server.address() as AddressInfo).port }, "autoscaler is listening");
  insist.addEventListener("abort", () => executor.killAll(), { once: true });
  await Promise.race([Promise.all(loops.map((it) => it.run(stop))), afterStop(stop, clock)]);
  log.info({ workers: executor.workers().length }, "autoscaler is stopping its workers");
  const closed = Promise.race([server.close(), clock.sleep(CLOSE_TIMEOUT_MS)]);
  await Promise.all([executor.stopAll(), closed]);
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

/** What the control API asks, each answered soon or not at all. */
function answersOf({ clock, observer, load, gateKeeper, audit, limits }: Answering) {
  return {
    audit: {
      record: (act: AuditAct) => audit.record(act),
      page: (limit: number, before: number | null) => answeredSoon(clock, audit.page(limit, before)),
    },
    snapshot: async () => (await answeredSoon(clock, observer.recent())).snapshot,
    observation: () => answeredSoon(clock, observer.recent()),
    decisions: (max: number) => answeredSoon(clock, load.decisions(max)),
    gates: () => answeredSoon(clock, gateKeeper.gates()),
    moveGate: (move: GateMove) => answeredSoon(clock, gateKeeper.move(move)),
    limits: {
      view: () => answeredSoon(clock, limits.view()),
      set: (request: OverrideRequest) => answeredSoon(clock, limits.set(request)),
      drop: (path: string) => answeredSoon(clock, limits.drop(path)),
    },
  };
}

interface Answering {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly load: LoadStore;
  readonly gateKeeper: GateKeeper;
  readonly audit: AuditStore;
  readonly limits: LimitsKeeper;
}

/** A viewer is not kept waiting for a Redis that is away: the loops' connection is a patient one. */
async function answeredSoon<Answer>(clock: Clock, answer: Promise<Answer>): Promise<Answer> {
  const late = clock.sleep(VIEW_TIMEOUT_MS).then(() => {
    throw new Error("Redis did not answer in time");
  });
  return Promise.race([answer, late]);
}

const VIEW_TIMEOUT_MS = 2_000;

/** A round that hangs in a Redis that is away does not hold up a stop. */
function afterStop(stop: AbortSignal, clock: Clock): Promise<unknown> {
  return new Promise((resolve) => {
    const wait = () => clock.after(ROUND_TIMEOUT_MS, () => resolve("stopped"));
    if (stop.aborted) wait();
    else stop.addEventListener("abort", wait, { once: true });
  });
}

const ROUND_TIMEOUT_MS = 100;
