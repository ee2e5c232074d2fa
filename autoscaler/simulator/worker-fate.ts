/** How one start of a worker will go: drawn when it begins. */
import { lognormal, type Random } from "./random.ts";
import type { FleetModel } from "./simulation.ts";

export interface StartFate {
  /** Until it is ready, or until it fails. */
  readonly delayMs: number;
  readonly fails: boolean;
}

export function drawStart(random: Random, model: FleetModel, atMs: number): StartFate {
  const { startFailureShare } = model;
  const delayMs = model.startDelayAt?.(atMs) ?? drawnDelay(random, model);
  return { delayMs, fails: startFailureShare > 0 && random.next() < startFailureShare };
}

function drawnDelay(random: Random, { startDelayMs, startDelayScv }: FleetModel): number {
  return startDelayScv === 0 ? startDelayMs : lognormal(random, startDelayMs, startDelayScv);
}
