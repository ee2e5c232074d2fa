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
 * - `<prefix>:fleet:worker:<id>`       hash, what a worker last said; expires by itself
 * - `<prefix>:fleet:generation:<id>`   counter, raised by each registration; expires by itself
 * - `<prefix>:fleet:orders`            hash, worker id to its standing order
 * - `<prefix>:fleet:trips`             hash, `<release>|<lane>` to the trip of that lane; expires by itself
 * - `<prefix>:fleet:bullmq-major`      string, the BullMQ major the fleet runs
 * - `<prefix>:arrivals:<queue>`        hash, `<type>|r<k>` to jobs accepted, ever rising
 * - `<prefix>:service:<queue>`         hash, `<type>|finished` and `<type>|busyms`, ever rising
 * - `<prefix>:decisions`               list, newest first, bounded
 * - `<prefix>:cancel:<worker id>`      set, job ids that the worker shall cancel; expires by itself
 * - `<prefix>:autoscaler`              string with expiry: an autoscaler is alive; `:epoch` beside it counts starts
 */
export interface Keys {
  readonly prefix: string;
  readonly registry: string;
  readonly registryRevision: string;
  readonly samples: string;
  readonly enqueuedChannel: string;
  readonly fleetSeen: string;
  readonly fleetOrders: string;
  readonly fleetTrips: string;
  readonly fleetBullmqMajor: string;
  readonly decisions: string;
  readonly autoscaler: string;
  worker(workerId: string): string;
  workerGeneration(workerId: string): string;
  cancel(workerId: string): string;
  arrivals(queue: string): string;
  service(queue: string): string;
}

export function keysOf(prefix: string): Keys {
  return {
    prefix,
    registry: `${prefix}:registry`,
    registryRevision: `${prefix}:registry:revision`,
    samples: `${prefix}:samples`,
    enqueuedChannel: `${prefix}:enqueued`,
    fleetSeen: `${prefix}:fleet:seen`,
    fleetOrders: `${prefix}:fleet:orders`,
    fleetTrips: `${prefix}:fleet:trips`,
    fleetBullmqMajor: `${prefix}:fleet:bullmq-major`,
    decisions: `${prefix}:decisions`,
    autoscaler: `${prefix}:autoscaler`,
    worker: (workerId) => `${prefix}:fleet:worker:${workerId}`,
    workerGeneration: (workerId) => `${prefix}:fleet:generation:${workerId}`,
    cancel: (workerId) => `${prefix}:cancel:${workerId}`,
    arrivals: (queue) => `${prefix}:arrivals:${queue}`,
    service: (queue) => `${prefix}:service:${queue}`,
  };
}
