/** Workers as they are shown, from what they last said and what the executor sees of their processes. */
import type { ObservedWorker } from "#shared/redis/fleet-store";
import { toRfc3339 } from "#shared/system-clock";
import type { ExecutedWorker } from "./fleet/fleet-executor.ts";
import type { FleetSight } from "./fleet/fleet-sight.ts";
import { decideWorkerState } from "./scaling/decide-worker-state.ts";
import type { WorkerView } from "./snapshot.ts";

/** Those that were heard of, and those that were spawned and not heard of yet. */
export function workerViews(
  heard: readonly ObservedWorker[],
  redisNowMs: number,
  executor: Pick<FleetSight, "workers" | "hasEnded">,
): WorkerView[] {
  const executed = executor.workers();
  const running = new Set(executed.map((it) => it.workerId));
  const known = new Set(heard.map((it) => it.workerId));
  const silent = executed.filter((it) => !known.has(it.workerId)).map(startingWorker);
  const processRuns = (id: string) => (running.has(id) ? true : executor.hasEnded(id) ? false : null);
  return [...heard.map((it) => workerView(it, redisNowMs, processRuns(it.workerId))), ...silent];
}

function workerView(
  { workerId, facts, status, registeredAtMs, seenAtMs }: ObservedWorker,
  redisNowMs: number,
  processRuns: boolean | null,
): WorkerView {
  const heartbeatAgeMs = Math.max(0, redisNowMs - seenAtMs);
  const verdict = decideWorkerState({ heartbeatAgeMs, said: status, processRuns });
  return {
    worker: workerId,
    release: facts.release,
    queue: facts.queue,
    ...verdict,
    slots: facts.slots,
    busy: status?.busy ?? 0,
    lanes: lanesTaken(status),
    trippedLanes: status?.trippedLanes ?? [],
    takes: status?.takes ?? "all",
    firstRuns: status?.firstRuns ?? null,
    heartbeatAgeMs,
    startedAt: toRfc3339(registeredAtMs),
    pid: facts.pid,
    host: facts.host,
    settled: status?.settled ?? {},
    eventLoopLagMs: status?.eventLoopLagMs ?? null,
    rssBytes: status?.rssBytes ?? null,
    clockOffsetMs: status?.clockOffsetMs ?? null,
  };
}

function startingWorker({ workerId, release, queue, startedAtMs, pid }: ExecutedWorker): WorkerView {
  return {
    worker: workerId,
    release,
    queue,
    state: "starting",
    reason: "spawned, not registered yet",
    slots: 0,
    busy: 0,
    lanes: [],
    trippedLanes: [],
    takes: "all",
    firstRuns: null,
    heartbeatAgeMs: null,
    startedAt: toRfc3339(startedAtMs),
    pid,
    host: null,
    settled: {},
    eventLoopLagMs: null,
    rssBytes: null,
    clockOffsetMs: null,
  };
}

function lanesTaken(status: ObservedWorker["status"]): readonly string[] {
  if (status === null) return [];
  const { lanes, trippedLanes, heldLanes } = status;
  if (trippedLanes.length + heldLanes.length === 0) return lanes;
  return lanes.filter((lane) => !trippedLanes.includes(lane) && !heldLanes.includes(lane));
}
