/**
 * From a pool's and a release's template to the one container that may come of them, as the engine's API wants it.
 *
 * Pure, and the only place that writes such a body: not privileged, no capability, no new privileges, read-only root,
 * a user that is not root, bounds of memory, processor and processes, one read-only file and one temporary directory.
 * No part of it comes from a command but the names of pool, release and worker, which must be declared.
 */
import type { PoolTemplate, ReleaseTemplate } from "./templates.ts";

/** Where a worker finds the address of its Redis. */
export const SECRET_TARGET = "/run/secrets/redis-url";

export const LABELS = {
  stack: "sluice.stack",
  pool: "sluice.pool",
  release: "sluice.release",
  worker: "sluice.worker",
  /** Term of the leader that had it started. */
  epoch: "sluice.epoch",
} as const;

/** What all workers of a stack have in common. */
export interface StackFacts {
  readonly stack: string;
  /** Name of the network with Redis in it. */
  readonly network: string;
  /** Absolute path, on the engine's machine, of the file with the address of Redis. */
  readonly secretPath: string;
  /** Variables that every worker gets. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface WorkerFacts {
  readonly workerId: string;
  readonly epoch: number;
  /** Exact, by its digest: never a tag. */
  readonly imageId: string;
}

const MEBIBYTE = 1_048_576;

export function containerSpecOf(
  pool: PoolTemplate,
  release: ReleaseTemplate,
  { stack, network, secretPath, environment, workerId, epoch, imageId }: StackFacts & WorkerFacts,
) {
  const { memoryMb, cpus, pids, user } = pool.container;
  const variables = {
    ...environment,
    SLUICE_REDIS_URL_FILE: SECRET_TARGET,
    SLUICE_RELEASE: release.release,
    SLUICE_APP: release.app,
    SLUICE_QUEUE: pool.queue,
    SLUICE_SLOTS: String(pool.slots),
    SLUICE_WORKER_ID: workerId,
    SLUICE_DRAIN_DEADLINE_MS: String(pool.drainDeadlineMs),
  };
  return {
    Image: imageId,
    ...(release.command === null ? { Cmd: ["worker"] } : { Entrypoint: release.command, Cmd: [] }),
    User: user,
    Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    // Heartbeats tell of a worker's health, and cost no process.
    Healthcheck: { Test: ["NONE"] },
    Labels: {
      [LABELS.stack]: stack,
      [LABELS.pool]: pool.queue,
      [LABELS.release]: release.release,
      [LABELS.worker]: workerId,
      [LABELS.epoch]: String(epoch),
    },
    HostConfig: {
      Privileged: false,
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      // Node as process 1 would ignore a signal that comes before it listens for it.
      Init: true,
      NetworkMode: network,
      Memory: memoryMb * MEBIBYTE,
      // No swap beside it.
      MemorySwap: memoryMb * MEBIBYTE,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: pids,
      Tmpfs: { "/tmp": "rw,noexec,nosuid,nodev,size=64m" },
      Mounts: [{ Type: "bind", Source: secretPath, Target: SECRET_TARGET, ReadOnly: true }],
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
  };
}

export type ContainerSpec = ReturnType<typeof containerSpecOf>;
