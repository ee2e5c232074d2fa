/**
 * What state a worker is in, from its last heartbeat.
 *
 * Pure. Heartbeats size the fleet and free no job. A worker whose process is known to run is given
 * longer before it counts as dead: a Redis that was away silences everybody, and replacing a fleet
 * that is only silent would double it.
 */
import type { WorkerState } from "../snapshot.ts";

const SUSPECT_AFTER_MS = 6_000;
const DEAD_AFTER_MS = 10_000;
const DEAD_AFTER_MS_WHILE_RUNNING = 40_000;

export interface HeardWorker {
  /** Milliseconds since the last heartbeat by Redis' clock. */
  readonly heartbeatAgeMs: number;
  /** What it said of itself, `null` when it has only registered. */
  readonly said: { readonly state: "ok" | "draining" | "quarantined"; readonly reason: string | null } | null;
  /** Whether the executor sees its process; `null` when it is not the executor's. */
  readonly processRuns: boolean | null;
}

export interface WorkerVerdict {
  readonly state: WorkerState;
  /** Why it is not `ok`, `null` when it is. */
  readonly reason: string | null;
}

export function decideWorkerState({ heartbeatAgeMs, said, processRuns }: HeardWorker): WorkerVerdict {
  const deadAfterMs = processRuns === true ? DEAD_AFTER_MS_WHILE_RUNNING : DEAD_AFTER_MS;
  const silence = `no heartbeat for ${Math.round(heartbeatAgeMs / 1_000)} s`;
  if (processRuns === false) return { state: "dead", reason: "its process has ended" };
  if (heartbeatAgeMs > deadAfterMs) return { state: "dead", reason: silence };
  if (heartbeatAgeMs > SUSPECT_AFTER_MS) return { state: "suspect", reason: silence };
  if (said === null) return { state: "starting", reason: "registered, no heartbeat yet" };
  return { state: said.state, reason: said.reason };
}
