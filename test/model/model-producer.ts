/**
 * One producer of the model: the real door, on a copy of the registry that may be old.
 *
 * A door checks data with what it compiled once for `type@version`, which is slow to make; so producers are
 * made once and serve one fleet after the other. The histories' types keep that right: the same name and
 * version are the same schema in every fleet.
 */

import type { Clock } from "#shared/clock";
import { Backlogs } from "#shared/enqueue/backlogs";
import { type EnqueueAnswer, Enqueuer } from "#shared/enqueue/enqueuer";
import type { JobRequest } from "#shared/envelope";
import { EMPTY_LIMITS } from "#shared/limits/limits-document";
import { findJob } from "#shared/redis/job-lookup";
import { EMPTY_REGISTRY, type RegistryDocument } from "#shared/registry/registry-document";
import type { ModelClock } from "./model-clock.ts";
import type { ModelQueues } from "./model-queues.ts";

/** What a producer works on. */
export interface ProducerSide {
  readonly queues: ModelQueues;
  readonly clock: ModelClock;
  /** The registry as it is now. */
  readonly document: RegistryDocument;
}

export const TENANT = "default";

export class ModelProducer {
  /** Its copy of the registry. */
  document: RegistryDocument = EMPTY_REGISTRY;
  #side: ProducerSide | null = null;
  readonly #door: Enqueuer;

  constructor() {
    this.#door = new Enqueuer({
      queues: {
        admit: async (job) =>
          job.revision === this.#serving.document.revision
            ? this.#serving.queues.admit(job)
            : { kind: "stale" },
        admitAll: () => Promise.reject(new TypeError("the model has no batches")),
        admitEach: () => Promise.reject(new TypeError("the model has no batches")),
      },
      reader: { find: (jobId) => findJob(this.#serving.queues, this.#serving.document, jobId) },
      arrivals: { count: () => undefined },
      clock: servedClock(() => this.#serving.clock),
      backlogs: new Backlogs(servedClock(() => this.#serving.clock)),
      throttler: { take: () => Promise.reject(new TypeError("the model has no throttles")) },
      limits: () => EMPTY_LIMITS.base,
      registry: this,
    });
  }

  /** Looks at the registry. */
  async refresh(): Promise<void> {
    this.document = this.#serving.document;
  }

  /** Begins to serve another fleet, knowing nothing of its registry. */
  serve(side: ProducerSide): void {
    this.#side = side;
    this.document = EMPTY_REGISTRY;
  }

  /** Rejects as the real door does. */
  async enqueue(request: JobRequest, delayMs: number): Promise<EnqueueAnswer> {
    const { queues } = this.#serving;
    queues.nextDelayMs = delayMs;
    try {
      return await this.#door.enqueue(request, { tenant: TENANT });
    } finally {
      queues.nextDelayMs = 0;
    }
  }

  get #serving(): ProducerSide {
    if (this.#side === null) throw new TypeError("the producer serves no fleet");
    return this.#side;
  }
}

/** The clock of whichever fleet is served. */
function servedClock(clock: () => ModelClock): Clock {
  return {
    nowMs: () => clock().nowMs(),
    monotonicMs: () => clock().monotonicMs(),
    sleep: (durationMs, signal) => clock().sleep(durationMs, signal),
    after: () => clock().after(),
  };
}
