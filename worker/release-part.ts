/**
 * This worker's part in its release: what it was told as one of its workers, what it counts for it, and its probe.
 *
 * Puts them together for `run-worker.ts`; nothing is decided here.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { RedisConnection } from "#shared/redis/connection";
import type { Keys } from "#shared/redis/keys";
import { runProbeJob } from "#shared/redis/probe-job";
import { ProbeStore } from "#shared/redis/probe-store";
import { loadRegistry } from "#shared/redis/registry-store";
import { SampleStore } from "#shared/redis/sample-store";
import type { ResolvedApp } from "./app.ts";
import { readSamples } from "./golden-samples.ts";
import { ProbeRunner } from "./probe-runner.ts";
import { ReleaseCounts } from "./release-counts.ts";
import { ReleaseStanding } from "./release-standing.ts";
import { runProbe } from "./run-probe.ts";

export interface ReleasePartPorts {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly app: ResolvedApp;
  readonly queue: string;
  readonly release: string;
  readonly workerId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the worker stops. */
  readonly stop: AbortSignal;
  /** What the worker takes has changed. */
  onChange(): void;
}

export interface ReleasePart {
  readonly standing: ReleaseStanding;
  readonly counts: ReleaseCounts;
}

export function releasePart(ports: ReleasePartPorts): ReleasePart {
  const { redis, keys, queue, release, workerId, log, onChange } = ports;
  const probes = new ProbeStore(redis, keys);
  const runner = new ProbeRunner({
    workerId,
    log,
    run: () => probeOf(ports),
    say: (outcome) => probes.say(queue, release, outcome),
  });
  const standing = new ReleaseStanding({
    onChange,
    onProbeWanted: (attempt) => runner.wanted(attempt),
  });
  return { standing, counts: new ReleaseCounts(release) };
}

function probeOf(ports: ReleasePartPorts) {
  const { redis, keys, app } = ports;
  return runProbe({
    ...ports,
    readSamples: async () =>
      readSamples(app, await loadRegistry(redis, keys), await new SampleStore(redis, keys).all()),
    runOwnJob: () => runProbeJob({ ...ports, prefix: keys.prefix }),
  });
}
