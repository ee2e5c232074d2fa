/**
 * One producer of the model: the real door, on a copy of the registry that may be old.
 *
 * A door checks data with what it compiled once for `type@version`, which is slow to make; so producers are
 * made once and serve one fleet after the other. The histories' types keep that right: the same name and
 * version are the same schema in every fleet.
 */
import { type EnqueueAnswer, Enqueuer, type EnqueuerPorts } from "#shared/enqueue/enqueuer";
import type { JobRequest } from "#shared/envelope";
import { EMPTY_REGISTRY, type RegistryDocument } from "#shared/registry/registry-document";
import type { ModelClock } from "./model-clock.ts";
import type { ModelQueues } from "./model-queues.ts";

/** What a producer works on. */
export interface ProducerSide {
  readonly queues: ModelQueues;
  readonly clock: ModelClock;
}

export const TENANT = "default";

export class ModelProducer {
  /** Its copy of the registry. */
  document: RegistryDocument = EMPTY_REGISTRY;
  #side: ProducerSide | null = null;
  readonly #door: Enqueuer;

  constructor() {
    const queues: Pick<EnqueuerPorts["queues"], "add" | "find"> = {
      add: (place, job) => this.#serving.queues.add(place, job),
      find: (places, jobId) => this.#serving.queues.find(places, jobId),
    };
    this.#door = new Enqueuer({
      // A class of production's with private parts; these two are all that the door asks of it.
      queues: queues as EnqueuerPorts["queues"],
      arrivals: { count: () => undefined } as unknown as EnqueuerPorts["arrivals"],
      clock: {
        nowMs: () => this.#serving.clock.nowMs(),
        monotonicMs: () => this.#serving.clock.monotonicMs(),
        sleep: (durationMs, signal) => this.#serving.clock.sleep(durationMs, signal),
        after: () => this.#serving.clock.after(),
      },
      registry: () => this.document,
    });
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
      return await this.#door.enqueue(request, TENANT);
    } finally {
      queues.nextDelayMs = 0;
    }
  }

  get #serving(): ProducerSide {
    if (this.#side === null) throw new TypeError("the producer serves no fleet");
    return this.#side;
  }
}
