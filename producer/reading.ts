/** Brings the parts together that read and control jobs over HTTP; `addReadingRoutes` adds their routes. */
import type { FastifyInstance } from "fastify";
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import { AuditStore } from "#shared/redis/audit-store";
import { JobCanceller } from "#shared/redis/cancel-job";
import type { RedisConnection } from "#shared/redis/connection";
import { FleetStore } from "#shared/redis/fleet-store";
import { JobLister } from "#shared/redis/job-list";
import { JobReader } from "#shared/redis/job-reader";
import { JobWatch } from "#shared/redis/job-watch";
import type { Keys } from "#shared/redis/keys";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { addJobRoutes, type JobPorts } from "./routes/job.ts";
import { addJobCancelRoute, type JobCancelPorts } from "./routes/job-cancel.ts";
import { addJobEventsRoute, type JobEventsPorts } from "./routes/job-events.ts";
import { addJobListRoute, type JobListPorts } from "./routes/job-list.ts";

export interface ReadingPorts extends JobPorts, JobCancelPorts, JobEventsPorts, JobListPorts {
  readonly watch: JobPorts["watch"] & JobEventsPorts["watch"];
}

export interface ReadingSetup {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
  /** The newest copy of the registry. */
  registry(): RegistryDocument;
}

/** What the routes need; the one that hands jobs in waits at the same watch. */
export function readingPorts(setup: ReadingSetup): ReadingPorts {
  const { redis, keys, clock, log, registry } = setup;
  const reader = new JobReader(redis, keys.prefix, registry);
  const watch = new JobWatch({ reader, clock });
  return {
    clock,
    watch,
    audit: new AuditStore({ redis, keys, clock, log }),
    findJob: (jobId) => reader.find(jobId),
    canceller: new JobCanceller({ redis, keys, registry, fleet: new FleetStore(redis, keys) }),
    lister: new JobLister({ redis, keys, registry }),
  };
}

export function addReadingRoutes(server: FastifyInstance, ports: ReadingPorts): void {
  addJobRoutes(server, ports);
  addJobCancelRoute(server, ports);
  addJobEventsRoute(server, ports);
  addJobListRoute(server, ports);
}
