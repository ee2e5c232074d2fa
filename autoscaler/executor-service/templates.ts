/**
 * What the Docker executor may start, declared beforehand in the configuration file: pools that name it, and releases
 * that name an image. Nothing that a command says adds to it.
 */
import type { z } from "zod";
import { ConfigInvalidError } from "#shared/errors";
import {
  containerLimits,
  type PoolConfig,
  type ReleaseConfig,
  type SluiceConfig,
} from "#shared/sluice-config";

export interface PoolTemplate {
  readonly queue: string;
  readonly workersMin: number;
  readonly workersMax: number;
  readonly slots: number;
  readonly drainDeadlineMs: number;
  readonly container: z.output<typeof containerLimits>;
}

export interface ReleaseTemplate {
  readonly release: string;
  /** As the configuration names it. */
  readonly image: string;
  /** Path of the app's module inside the image. */
  readonly app: string;
  /** Program and arguments; `null`: what the image starts with `worker`. */
  readonly command: readonly string[] | null;
}

export class Templates {
  readonly pools: ReadonlyMap<string, PoolTemplate>;
  readonly releases: ReadonlyMap<string, ReleaseTemplate>;

  /** @throws {ConfigInvalidError} when there is nothing that it could start. */
  constructor(config: SluiceConfig, drainDeadlineMs: number) {
    this.pools = new Map(Object.entries(config.pools).flatMap((it) => poolOf(it, drainDeadlineMs)));
    this.releases = new Map(config.releases.flatMap(releaseOf));
    const problems = [
      ...(this.pools.size === 0
        ? ['pools: none has "executor": "docker", so this process has nothing to do']
        : []),
      ...(this.releases.size === 0
        ? ["releases: none names an `image`, so no container could be started"]
        : []),
    ];
    if (problems.length > 0) throw new ConfigInvalidError(`The configuration ${config.path}`, problems);
  }

  get longestDrainMs(): number {
    return Math.max(0, ...[...this.pools.values()].map((it) => it.drainDeadlineMs));
  }
}

function poolOf([queue, pool]: [string, PoolConfig], drainDeadlineMs: number): [string, PoolTemplate][] {
  if (pool.executor !== "docker") return [];
  const { workersMin, workersMax, slotsPerWorker } = pool;
  const container = pool.container ?? containerLimits.parse({});
  const deadlineMs = pool.drainDeadlineMs ?? drainDeadlineMs;
  const template = {
    queue,
    workersMin,
    workersMax,
    slots: slotsPerWorker,
    drainDeadlineMs: deadlineMs,
    container,
  };
  return [[queue, template]];
}

function releaseOf({ id, image, app, command }: ReleaseConfig): [string, ReleaseTemplate][] {
  return image === undefined ? [] : [[id, { release: id, image, app, command }]];
}
