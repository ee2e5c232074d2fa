/** What is compared with what. */
import { measureRawWorker, measureSluiceWorker } from "./measure-drain.ts";
import {
  measureNoQueue,
  measureQueueAdd,
  measureSluice,
  measureSluiceBare,
  measureSluiceThrottled,
} from "./measure-ingest.ts";
import { BULK_JOBS, measureAdd, measureAddBulk } from "./measure-raw.ts";
import { measureSluiceStream } from "./measure-stream.ts";
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
  /** Pairs of ids whose ratio is a result; the second of each is the yardstick. */
  readonly ratios: readonly (readonly [string, string])[];
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
        id: "sluice-bare",
        label: "Sluice, no keys",
        measure: (options, nodeArgs) => measureSluiceBare({ ...options, nodeArgs }),
      },
      {
        id: "sluice",
        label: "Sluice, everything on",
        measure: (options, nodeArgs) => measureSluice({ ...options, nodeArgs }),
      },
      {
        id: "sluice-throttled",
        label: "Sluice, a throttle on each job",
        measure: (options, nodeArgs) => measureSluiceThrottled({ ...options, nodeArgs }),
      },
    ],
    ratios: [
      ["sluice", "http-queue-add"],
      ["sluice", "http-no-queue"],
      ["sluice-throttled", "http-queue-add"],
    ],
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
    ratios: [],
  },
  {
    name: "stream",
    title: "Many jobs at once",
    unit: "jobs/s",
    sides: [
      {
        id: "bulk",
        label: `addBulk(${BULK_JOBS}), no HTTP`,
        measure: (options, nodeArgs) => measureAddBulk({ ...options, nodeArgs }),
      },
      {
        id: "sluice-stream",
        label: "Sluice, one stream of lines",
        measure: (options, nodeArgs) => measureSluiceStream({ ...options, nodeArgs }),
      },
    ],
    ratios: [["sluice-stream", "bulk"]],
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
    ratios: [["sluice-worker", "raw-worker"]],
  },
];
