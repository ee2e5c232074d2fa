/**
 * Wires one producer process and runs it until it is told to stop.
 *
 * Stopping: not ready at once, no new connections, requests in flight are answered, counts handed
 * over; with Redis away that ends by its own deadline.
 */
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import type { Clock } from "#shared/clock";
import { Enqueuing } from "#shared/enqueue/enqueuing";
import { isLoopback, requireLoopback } from "#shared/http/loopback";
import { startAuthentication } from "#shared/http/start-authentication";
import type { Log } from "#shared/log";
import { BatchClaims } from "#shared/redis/batch-claims";
import { connectFailingFast, disconnect, type RedisConnection, untilReady } from "#shared/redis/connection";
import { requireSafe } from "#shared/redis/durability";
import { DurabilityWatch } from "#shared/redis/durability-watch";
import { type Keys, keysOf } from "#shared/redis/keys";
import { ScheduleStore } from "#shared/redis/schedule-store";
import { untilAborted } from "#shared/until-aborted";
import type { ProducerConfig } from "./config.ts";
import { ProducerMetrics } from "./metrics.ts";
import { OverloadGate } from "./overload-gate.ts";
import { readingPorts } from "./reading.ts";
import { ScheduleKeeper } from "./schedule-keeper.ts";
import { buildServer } from "./server.ts";

const START_TIMEOUT_MS = 15_000;

/** Requests in flight get this long to be answered. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface ProducerPorts {
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws when Redis is not reached, not safe, or the address cannot be listened on. */
export async function runProducer(
  config: ProducerConfig,
  { clock, log }: ProducerPorts,
  stop: AbortSignal,
): Promise<void> {
  requireLoopback(config);
  const redis = connectFailingFast(config.redisUrl, "sluice-producer");
  try {
    await serve(redis, { config, clock, log, keys: keysOf(config.prefix), stop });
  } finally {
    disconnect(redis);
  }
}

interface Serving extends ProducerPorts {
  readonly config: ProducerConfig;
  readonly keys: Keys;
  readonly stop: AbortSignal;
}

async function serve(redis: RedisConnection, { config, clock, log, keys, stop }: Serving): Promise<void> {
  await untilReady(redis, START_TIMEOUT_MS);
  const watch = new DurabilityWatch(redis, config.durability);
  requireSafe(await watch.look());

  const door = await startAuthentication(config.auth, { redis, keys, clock, log });
  const enqueuing = new Enqueuing({ redis, keys, clock });
  await enqueuing.look();
  const { registry } = enqueuing;
  const counts = new ProducerMetrics(() => enqueuing.memory.use);
  const gate = new OverloadGate({
    clock,
    random: Math.random,
    activeMs: () => performance.eventLoopUtilization().active,
    onRefused: (problem) => counts.refused(problem),
  });
  const server = buildServer({
    log,
    counts,
    metrics: counts.registry,
    loopbackOnly: isLoopback(config.host),
    authentication: door.authentication,
    gate,
    enqueuer: enqueuing.enqueuer,
    schedules: new ScheduleKeeper({
      store: new ScheduleStore(redis, keys),
      registry: () => registry.document,
    }),
    claims: new BatchClaims(redis, keys, clock),
    registry: () => registry.document,
    ...readingPorts({ redis, keys, clock, log, registry: () => registry.document }),
    readiness: () => ({
      durability: watch.found,
      redisReachable: watch.redisReachable,
      stopping: stop.aborted,
      problems: registry.document.revision === 0 ? ["no release is published yet"] : [],
    }),
  });
  await server.listen({ host: config.host, port: config.port });
  const { port } = server.server.address() as AddressInfo;
  log.info({ host: config.host, port, durability: watch.found?.level }, "producer is listening");

  const loops = Promise.all([watch.run(clock, stop), door.run(stop), enqueuing.run(stop), gate.run(stop)]);
  await untilAborted(stop);
  await Promise.race([server.close(), clock.sleep(CLOSE_TIMEOUT_MS)]);
  await Promise.race([loops, clock.sleep(CLOSE_TIMEOUT_MS)]);
  enqueuing.close();
  log.info("producer has stopped");
}
