/**
 * What the leader wants of all workers of a release in a pool: one document a release, that they read when they
 * register and with every heartbeat.
 *
 * It goes beside the standing order of a single worker and never widens it: a worker that drains stays
 * draining. Where there is none, a release takes all it reads.
 */
import { z } from "zod";

export const TAKES = ["all", "probe", "own-lanes", "nothing"] as const;

/**
 * What a release's workers take. `probe`: no job, they run the probe. `own-lanes`: only from the lanes that the
 * document names. `nothing`: they are kept warm.
 */
export type Takes = (typeof TAKES)[number];

export const releaseOrders = z.object({
  /** Of the leader's term; one of a lower epoch than one already obeyed is ignored. */
  epoch: z.int(),
  takes: z.enum(TAKES),
  /** For `own-lanes`: names of lanes. */
  lanes: z.array(z.string()).default([]),
  /** Number of the try of the probe, `null` when none is wanted. */
  probeAttempt: z.int().nullable().default(null),
  /** What its leaving workers run is handed back now, without counting an attempt. */
  handBack: z.boolean().default(false),
  /** Releases whose failed attempts do not count for any job of the pool. */
  discounted: z.array(z.string()).default([]),
});

export type ReleaseOrders = z.output<typeof releaseOrders>;

/** What a worker's probe has come to. */
export const probeOutcome = z.object({
  attempt: z.int(),
  worker: z.string(),
  outcome: z.enum(["pending", "succeeded", "failed"]),
  /** In a sentence; hostile text. */
  detail: z.string().max(500),
});

export type ProbeOutcome = z.output<typeof probeOutcome>;
