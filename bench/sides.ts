/** What is compared with what. */
import { measureRawWorker, measureSluiceWorker } from "./measure-drain.ts";
import { measureNoQueue, measureQueueAdd, measureSluiceProducer } from "./measure-ingest.ts";
import { BULK_JOBS, measureAdd, measureAddBulk } from "./measure-raw.ts";
import type { BenchOptions, GroupName } from "./options.ts";
import { SLOTS } from "./programs.ts";
import type { Sample } from "./sample.ts";

export interface ComparedSide {
  readonly id: string;
  readonly label: string;
  measure(options: BenchOptions, nodeArgs: readonly string[]): Promise<Sample>;
}

export interface Group {
  readonly name: GroupName;
  readonly title: string;
  /** What one job is on this group's lines. */
  readonly unit: string;
  readonly sides: readonly ComparedSide[];
  /** Ids of the two sides whose ratio is the result; the second is the yardstick. */
  readonly ratio: readonly [string, string] | null;
}

export const SIDE_GROUPS: readonly Group[] = [
  {
    name: "ingest",
    title: "Accepting single jobs over HTTP",
    unit: "requests/s",
    sides: [
      {
        id: "http-no-queue",
        label: "Fastify + zod, no queue",
        measure: (options, nodeArgs) => measureNoQueue({ ...options, nodeArgs }),
      },
      {
        id: "http-queue-add",
        label: "Fastify + zod + queue.add",
        measure: (options, nodeArgs) => measureQueueAdd({ ...options, nodeArgs }),
      },
      {
        id: "sluice-producer",
        label: "Sluice's producer",
        measure: (options, nodeArgs) => measureSluiceProducer({ ...options, nodeArgs }),
      },
    ],
    ratio: ["sluice-producer", "http-queue-add"],
  },
  {
    name: "raw",
    title: "Adding jobs with raw BullMQ, no HTTP",
    unit: "jobs/s",
    sides: [
      {
        id: "raw-add",
        label: "queue.add, many in flight",
        measure: (options, nodeArgs) => measureAdd({ ...options, nodeArgs }),
      },
      {
        id: "raw-add-bulk",
        label: `addBulk(${BULK_JOBS})`,
        measure: (options, nodeArgs) => measureAddBulk({ ...options, nodeArgs }),
      },
    ],
    ratio: null,
  },
  {
    name: "worker",
    title: `Running jobs that do nothing, ${SLOTS} at once in one process`,
    unit: "jobs/s",
    sides: [
      {
        id: "raw-worker",
        label: "BullMQ Worker",
        measure: (options, nodeArgs) => measureRawWorker({ ...options, nodeArgs }),
      },
      {
        id: "sluice-worker",
        label: "Sluice's worker",
        measure: (options, nodeArgs) => measureSluiceWorker({ ...options, nodeArgs }),
      },
    ],
    ratio: ["sluice-worker", "raw-worker"],
  },
];
