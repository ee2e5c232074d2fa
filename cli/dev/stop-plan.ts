/** How long each part of the stop may take. */
import type { SluiceConfig } from "#shared/sluice-config";

/** Beyond the drain: to write the last words, close servers, and for what must be killed to be killed. */
const AUTOSCALER_GRACE_MS = 8_000;

/** Longest drain of any pool, in milliseconds. */
export function longestDrainMs({ pools }: Pick<SluiceConfig, "pools">, defaultMs: number): number {
  return Math.max(defaultMs, ...Object.values(pools).map((pool) => pool.drainDeadlineMs ?? defaultMs));
}

/** It answers the requests in flight, which takes seconds at most. */
export const PRODUCER_STOP = { signals: ["SIGTERM"], killAfterMs: 12_000 } as const;

export function autoscalerStop(drainMs: number) {
  return { signals: ["SIGTERM"], killAfterMs: drainMs + AUTOSCALER_GRACE_MS } as const;
}

export const PRODUCER_HURRIED_STOP = { signals: ["SIGKILL"], killAfterMs: 0 } as const;

/**
 * The autoscaler takes a second signal as "kill the workers and end". They differ, because two of one
 * kind that wait together arrive as one.
 */
export const AUTOSCALER_HURRIED_STOP = { signals: ["SIGTERM", "SIGINT"], killAfterMs: 3_000 } as const;
