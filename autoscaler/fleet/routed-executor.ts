/**
 * One executor out of two: pools of this machine's processes, and pools whose workers are containers elsewhere.
 *
 * A stop names workers and no pool, so it goes to both; each leaves out whom it does not know.
 */
import type {
  CommandAnswer,
  ExecutorStatus,
  FleetCommand,
  FleetExecutor,
  StopCommand,
} from "./fleet-executor.ts";

export interface RoutedExecutorPorts {
  readonly local: FleetExecutor;
  readonly remote: FleetExecutor;
  /** Pools of the remote one. */
  readonly remotePools: ReadonlySet<string>;
}

export class RoutedExecutor implements FleetExecutor {
  readonly #ports: RoutedExecutorPorts;

  constructor(ports: RoutedExecutorPorts) {
    this.#ports = ports;
  }

  desired(command: FleetCommand): Promise<CommandAnswer> {
    const { local, remote, remotePools } = this.#ports;
    return (remotePools.has(command.queue) ? remote : local).desired(command);
  }

  async stop(command: StopCommand): Promise<void> {
    const { local, remote } = this.#ports;
    await Promise.all([local.stop(command), remote.stop(command)]);
  }

  async status(): Promise<ExecutorStatus> {
    const { local, remote } = this.#ports;
    const [own, other] = await Promise.all([local.status(), remote.status()]);
    return {
      epoch: own.epoch === null && other.epoch === null ? null : Math.max(own.epoch ?? 0, other.epoch ?? 0),
      workers: [...own.workers, ...other.workers],
      ended: [...own.ended, ...other.ended],
      blocked: [...own.blocked, ...other.blocked],
      room: { ...own.room, ...other.room },
    };
  }
}
