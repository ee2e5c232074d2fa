/** Baselines that do not look: a constant fleet, and one that knew what would come. */
import { CELL_MS } from "../outcome.ts";
import type { PolicyFactory } from "../scaling-policy.ts";

const TICK_MS = 5_000;

export function constantPolicy(workers: number): PolicyFactory {
  return () => ({
    name: "static peak",
    tickMs: TICK_MS,
    scaleIn: "drain-idle-first",
    victimGraceMs: Number.POSITIVE_INFINITY,
    decide: () => workers,
  });
}

/** Has what is demanded ready when it is: asks for it a start delay and a look ahead. */
export function clairvoyantPolicy(demand: Uint32Array, startDelayMs: number): PolicyFactory {
  return ({ workersMin }) => ({
    name: "clairvoyant",
    tickMs: TICK_MS,
    scaleIn: "drain-idle-first",
    victimGraceMs: Number.POSITIVE_INFINITY,
    decide: ({ nowMs }) => {
      const first = Math.floor(nowMs / CELL_MS);
      const last = Math.floor((nowMs + startDelayMs + TICK_MS) / CELL_MS);
      return demand.subarray(first, last + 1).reduce((a, b) => Math.max(a, b), workersMin);
    },
  });
}
