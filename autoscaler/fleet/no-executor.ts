/**
 * Of pools whose workers something else starts and stops: they are watched and decided on, and nothing is done.
 */
import type { CommandAnswer, ExecutorStatus, FleetExecutor } from "./fleet-executor.ts";

export class NoExecutor implements FleetExecutor {
  async desired(): Promise<CommandAnswer> {
    return { started: [], limitedBy: null };
  }

  async status(): Promise<ExecutorStatus> {
    return { epoch: null, workers: [], ended: [], blocked: [], room: {} };
  }

  async stop(): Promise<void> {}
}
