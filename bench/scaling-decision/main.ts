/**
 * `npm run bench:decision`: what one round of the autoscaler costs with 1,000 lanes and 10,000 workers.
 *
 * Two measurements, each of 20 rounds after a warm-up, in one process against a Redis of its own: the decision alone
 * (the law for every lane, the pools' sizes, who leaves), and one look (one pipeline, and what is made of the replies).
 * Half of the rounds decide on a fleet that is too small and half on one that is too large, so that leavers are chosen.
 */
import type { Observation } from "#autoscaler/observe";
import { decideLeavers } from "#autoscaler/scaling/decide-leavers";
import { PoolPlanner } from "#autoscaler/scaling/pool-planner";
import type { QueueView, WorkerView } from "#autoscaler/snapshot";
import { fromRfc3339 } from "#shared/system-clock";
import { configOf, fillFleet, observerOf, releaseName } from "#test/support/large-fleet";
import { Cleanup } from "../cleanup.ts";
import { startRedis } from "../redis-server.ts";

const SIZE = { queues: 250, lanesPerQueue: 4, workersPerQueue: 40 };
const ROUNDS = 20;
const WARM_UP = 5;
const PREFIX = "bench";
const LIMIT_MS = 50;

interface Figures {
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly maxMs: number;
  /** Processor time of the median round: what is left when others want the machine too. */
  readonly cpuMedianMs: number;
}

process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const cleanup = new Cleanup();
try {
  process.exitCode = await run();
} finally {
  await cleanup.run();
}

async function run(): Promise<number> {
  const { redis } = await startRedis(cleanup, "socket");
  const note = (text: string) => process.stderr.write(`${text}\n`);
  note(
    `filling Redis: ${SIZE.queues * SIZE.lanesPerQueue} lanes, ${SIZE.queues * SIZE.workersPerQueue} workers`,
  );
  await fillFleet(redis, PREFIX, SIZE);
  const observer = observerOf(redis, PREFIX, SIZE);
  const first = await observer.look();
  const looks = await timed(() => observer.look());
  const decisions = await timed(decider(first));
  const commands = await commandsOf(async () => {
    await observer.look();
  });
  const result = {
    lanes: SIZE.queues * SIZE.lanesPerQueue,
    queues: SIZE.queues,
    workers: first.snapshot.workers.length,
    rounds: ROUNDS,
    decision: decisions,
    look: { ...looks, commands },
    limitMs: LIMIT_MS,
    kept: decisions.p95Ms < LIMIT_MS,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  return result.kept ? 0 : 1;

  async function commandsOf(act: () => Promise<void>): Promise<number> {
    let sent = 0;
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, stream) => {
      sent += 1;
      return send(command, stream);
    };
    await act();
    redis.sendCommand = send;
    return sent;
  }
}

/** One decision on everything; what was wanted before is remembered from round to round, as in the autoscaler. */
function decider({ snapshot, fleet, document }: Observation): () => number {
  const { pools } = configOf(
    snapshot.queues.map((it) => it.queue),
    SIZE.lanesPerQueue,
  );
  const planners = new Map(
    snapshot.queues.map(({ queue }) => [
      queue,
      new PoolPlanner({ ...(pools[queue] ?? fail(queue)), pickupPromiseMs: 30_000 }),
    ]),
  );
  let nowMs = 0;
  let round = 0;
  return () => {
    nowMs += 5_000;
    round += 1;
    let touched = 0;
    for (const queue of snapshot.queues) {
      const own = fleet.of(queue.queue);
      const releases = Object.entries(document.releases).map(([release, known]) => ({
        release,
        generation: known.queues[queue.queue]?.generation ?? 0,
        readsGenerations: queue.lanes.filter((it) => it.readers.includes(release)).map((it) => it.generation),
        trippedGenerations: [],
        publishedOrder: known.order,
        live: true,
        workers: own.filter((it) => it.release === release).length,
        draining: 0,
      }));
      const { decision } = (planners.get(queue.queue) ?? fail(queue.queue)).plan({
        nowMs,
        lanes: queue.lanes.map((lane) => seen(lane, fleet.readySlots(lane.lane), round)),
        releases,
        startDelayMs: 2_000,
      });
      for (let generation = 1; generation <= SIZE.lanesPerQueue; generation += 1) {
        const release = releaseName(generation);
        const workers = own.filter((it) => it.release === release).map(fleetWorker);
        const plan = decideLeavers({ desired: decision.desired[release] ?? 0, workers });
        touched += plan.start + plan.drain.length;
      }
    }
    return touched;
  };
}

function seen(lane: QueueView["lanes"][number], readySlots: number, round: number) {
  const { generation, inFlight, dueSoon, oldestDueAgeMs } = lane;
  return {
    lane: lane.lane,
    generation,
    measured: {
      waiting: round % 2 === 0 ? 2_000 : 0,
      active: inFlight,
      dueSoon,
      oldestDueAgeMs,
      arrivalRatePerSec: round % 2 === 0 ? 50 : 1,
      serviceTimeMs: 1_500,
      readySlots,
      arrivedTotal: round * 127,
    },
  };
}

function fleetWorker({ worker, busy, startedAt }: WorkerView) {
  return {
    workerId: worker,
    state: "ok" as const,
    busy,
    startedAtMs: fromRfc3339(startedAt) ?? 0,
    drained: false,
  };
}

async function timed(act: () => unknown): Promise<Figures> {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    const startedMs = performance.now();
    const cpu = process.cpuUsage();
    await act();
    const tookMs = performance.now() - startedMs;
    const { user, system } = process.cpuUsage(cpu);
    if (round < WARM_UP) continue;
    times.push(tookMs);
    cpuTimes.push((user + system) / 1_000);
  }
  times.sort((a, b) => a - b);
  cpuTimes.sort((a, b) => a - b);
  const at = (share: number, sorted = times) => rounded(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { medianMs: at(0.5), p95Ms: at(0.95), maxMs: at(1), cpuMedianMs: at(0.5, cpuTimes) };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function fail(queue: string): never {
  throw new Error(`there is no pool ${queue}`);
}
