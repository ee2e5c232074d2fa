/**
 * Every Redis key of Sluice, and the channel names.
 *
 * All start with the configured prefix, which is also BullMQ's: a lane's keys are
 * `<prefix>:<queue>.r<k>:...`. Lane names hold a dot and none of the names below does, so the two
 * never meet.
 *
 * - `<prefix>:registry`                string, the registry document; `:revision` beside it its revision
 * - `<prefix>:samples`                 hash, `<type>@<version>` to the version's golden samples
 * - `<prefix>:fleet:seen`              sorted set, worker id by its last heartbeat (Redis ms)
 * - `<prefix>:fleet:workers`           hash, worker id to what it last said: `<generation>|<Redis ms>|<JSON>`
 * - `<prefix>:fleet:worker:<id>`       hash, what a worker said at its registration; expires by itself
 * - `<prefix>:fleet:generation:<id>`   counter, raised by each registration; expires by itself
 * - `<prefix>:fleet:orders`            hash, worker id to its standing order
 * - `<prefix>:fleet:holds`             hash, worker id to what a person wants of it, bounded
 * - `<prefix>:fleet:trips`             hash, `<release>|<lane>` to the trip of that lane; expires by itself
 * - `<prefix>:fleet:bullmq-major`      string, the BullMQ major the fleet runs
 * - `<prefix>:release:orders:<queue>`  hash, release to what the leader wants of all its workers
 * - `<prefix>:release:probe:<queue>`   hash, release to what its probe has come to; expires by itself
 * - `<prefix>:release:runs:<queue>:<release>` hash, what it has run, by release-counters.ts, ever rising; expires by itself
 * - `<prefix>:arrivals:<queue>`        hash, `<type>|r<k>` to jobs accepted, ever rising
 * - `<prefix>:service:<queue>`         hash, what the fleet has run, by the names in run-counters.ts, ever rising
 * - `<prefix>:open:<queue>:<tenant>`   sorted set, ids of jobs that have not ended by acceptance (ms)
 * - `<prefix>:looked:<queue>:<tenant>` string, set for a while when its oldest open jobs were looked through for ended ones
 * - `<prefix>:tenants:<queue>`         set, tenants that have had an `open` set of the queue
 * - `<prefix>:idempotency:<hash>`      string, what a key or `(source, id)` was used for; expires by itself
 * - `<prefix>:dedup:<hash>`            string, id of the last job with that dedup key; expires by itself
 * - `<prefix>:admission`               hash, room in memory and jobs admitted, by queue, ever rising
 * - `<prefix>:desired`                 hash, pool to the workers that its last decision asks for
 * - `<prefix>:planner`                 hash, pool to what its planner remembers, by the leader; expires by itself
 * - `<prefix>:rollouts`                hash, pool to the document of its newest rollout: `<revision>|<id>|<JSON>`
 * - `<prefix>:rollouts:past:<pool>`    list, documents of the rollouts before it, newest first, bounded
 * - `<prefix>:rollouts:records:<pool>` list, what was decided on the pool's rollouts, newest first, bounded
 * - `<prefix>:rollouts:bypasses`       hash, `<channel>|<release>` to who opened that channel to it, why and up to when
 * - `<prefix>:decisions:records:<pool>` hash, decision id to its record, bounded; `:index:<pool>` beside it ids by time
 * - `<prefix>:decisions:newest`        sorted set, ids of all pools' decisions by time, bounded
 * - `<prefix>:apikeys`                 hash, key id to the key's document; `:revision` beside it changes with it
 * - `<prefix>:audit`                   list, newest first, bounded; `:count` beside it counts what was ever added
 * - `<prefix>:limits`                  string, the limits document; `:revision` beside it its revision
 * - `<prefix>:scaling-overrides`       string, what operators set over scaling; `:revision` beside it its revision
 * - `<prefix>:throttle:<kind>:<throttle>:<subject>`  string, what a throttle has counted; expires by itself
 * - `<prefix>:schedules`               hash, `<tenant>/<name>` to a schedule; `:states` beside it to how far each is
 * - `<prefix>:schedules:due`           sorted set, `<tenant>/<name>` by when it is to be looked at (Redis ms)
 * - `<prefix>:schedules:refused`       set, `<tenant>/<name>` of those with an occurrence that is not taken
 * - `<prefix>:schedules:of:<tenant>`   sorted set, names of the tenant's schedules
 * - `<prefix>:cancel:<worker id>`      set, job ids that the worker shall cancel; expires by itself
 * - `<prefix>:autoscaler`              string with expiry: an autoscaler is alive; `:epoch` beside it counts terms of leaders
 * - `<prefix>:leader`                  hash with expiry, the leader's lease
 * - `<prefix>:autoscalers`             hash, id of an autoscaler to when it was heard of (Redis ms) and what it is; expires
 */
export interface Keys {
  readonly prefix: string;
  readonly registry: string;
  readonly registryRevision: string;
  readonly samples: string;
  readonly enqueuedChannel: string;
  readonly fleetSeen: string;
  readonly fleetWorkers: string;
  readonly fleetOrders: string;
  readonly fleetHolds: string;
  readonly fleetTrips: string;
  readonly fleetBullmqMajor: string;
  readonly desired: string;
  readonly planner: string;
  readonly rollouts: string;
  readonly rolloutBypasses: string;
  readonly decisions: string;
  readonly autoscaler: string;
  /** Counts the terms of leaders. */
  readonly epoch: string;
  readonly leader: string;
  readonly leaderChannel: string;
  readonly autoscalers: string;
  readonly admission: string;
  readonly apiKeys: string;
  readonly audit: string;
  readonly limits: string;
  readonly limitsRevision: string;
  readonly scalingOverrides: string;
  readonly scalingOverridesRevision: string;
  readonly schedules: string;
  readonly scheduleStates: string;
  readonly schedulesDue: string;
  readonly schedulesRefused: string;
  scheduleNames(tenant: string): string;
  worker(workerId: string): string;
  workerGeneration(workerId: string): string;
  cancel(workerId: string): string;
  rolloutsPast(pool: string): string;
  rolloutRecords(pool: string): string;
  releaseOrders(queue: string): string;
  releaseProbe(queue: string): string;
  releaseRuns(queue: string, release: string): string;
  arrivals(queue: string): string;
  service(queue: string): string;
  open(queue: string, tenant: string): string;
  looked(queue: string, tenant: string): string;
  tenants(queue: string): string;
  idempotency(hash: string): string;
  dedup(hash: string): string;
  throttle(kind: "bucket" | "window", name: string, subject: string): string;
}

export function keysOf(prefix: string): Keys {
  return {
    prefix,
    registry: `${prefix}:registry`,
    registryRevision: `${prefix}:registry:revision`,
    samples: `${prefix}:samples`,
    enqueuedChannel: `${prefix}:enqueued`,
    fleetSeen: `${prefix}:fleet:seen`,
    fleetWorkers: `${prefix}:fleet:workers`,
    fleetOrders: `${prefix}:fleet:orders`,
    fleetHolds: `${prefix}:fleet:holds`,
    fleetTrips: `${prefix}:fleet:trips`,
    fleetBullmqMajor: `${prefix}:fleet:bullmq-major`,
    desired: `${prefix}:desired`,
    planner: `${prefix}:planner`,
    rollouts: `${prefix}:rollouts`,
    rolloutBypasses: `${prefix}:rollouts:bypasses`,
    decisions: `${prefix}:decisions`,
    autoscaler: `${prefix}:autoscaler`,
    epoch: `${prefix}:autoscaler:epoch`,
    leader: `${prefix}:leader`,
    leaderChannel: `${prefix}:leader:released`,
    autoscalers: `${prefix}:autoscalers`,
    admission: `${prefix}:admission`,
    apiKeys: `${prefix}:apikeys`,
    audit: `${prefix}:audit`,
    limits: `${prefix}:limits`,
    limitsRevision: `${prefix}:limits:revision`,
    scalingOverrides: `${prefix}:scaling-overrides`,
    scalingOverridesRevision: `${prefix}:scaling-overrides:revision`,
    schedules: `${prefix}:schedules`,
    scheduleStates: `${prefix}:schedules:states`,
    schedulesDue: `${prefix}:schedules:due`,
    schedulesRefused: `${prefix}:schedules:refused`,
    scheduleNames: (tenant) => `${prefix}:schedules:of:${tenant}`,
    worker: (workerId) => `${prefix}:fleet:worker:${workerId}`,
    workerGeneration: (workerId) => `${prefix}:fleet:generation:${workerId}`,
    cancel: (workerId) => `${prefix}:cancel:${workerId}`,
    rolloutsPast: (pool) => `${prefix}:rollouts:past:${pool}`,
    rolloutRecords: (pool) => `${prefix}:rollouts:records:${pool}`,
    releaseOrders: (queue) => `${prefix}:release:orders:${queue}`,
    releaseProbe: (queue) => `${prefix}:release:probe:${queue}`,
    releaseRuns: (queue, release) => `${prefix}:release:runs:${queue}:${release}`,
    arrivals: (queue) => `${prefix}:arrivals:${queue}`,
    service: (queue) => `${prefix}:service:${queue}`,
    open: (queue, tenant) => `${prefix}:open:${queue}:${tenant}`,
    looked: (queue, tenant) => `${prefix}:looked:${queue}:${tenant}`,
    tenants: (queue) => `${prefix}:tenants:${queue}`,
    idempotency: (hash) => `${prefix}:idempotency:${hash}`,
    dedup: (hash) => `${prefix}:dedup:${hash}`,
    throttle: (kind, name, subject) => `${prefix}:throttle:${kind}:${name}:${subject}`,
  };
}
