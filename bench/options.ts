/** The command line of the bench. Every number is bounded, so that no run goes on for ever. */
import { parseArgs } from "node:util";
import { TRANSPORTS, type Transport } from "./redis-server.ts";

export const GROUPS = ["ingest", "raw", "stream", "worker"] as const;
export type GroupName = (typeof GROUPS)[number];

/** A lane keeps that many finished jobs, by which the bench knows that all are finished. */
const JOBS_MAX = 100_000;

export interface BenchOptions {
  /** Times that everything is measured. */
  readonly rounds: number;
  /** Length of one measured load, warm-up not counted. */
  readonly seconds: number;
  /** Jobs that a worker drains in one round. */
  readonly jobs: number;
  /** HTTP connections, each with one request at a time; also the adds in flight of raw `queue.add`. */
  readonly connections: number;
  /** How Redis is reached, by both sides. */
  readonly redis: Transport;
  readonly groups: readonly GroupName[];
  /** One JSON object on standard output instead of tables. */
  readonly json: boolean;
  /** Say where the CPU time goes instead of measuring rounds. */
  readonly profile: boolean;
}

export const USAGE = `npm run bench -- [options]

  --rounds N        times that everything is measured          1 to 100, default 5
  --seconds S       length of one measured load                1 to 120, default 10
  --jobs N          jobs that a worker drains in a round       100 to 100000, default 20000
  --connections N   HTTP connections                           1 to 1000, default 64
  --redis HOW       tcp or socket: how both sides reach Redis  default tcp
  --only GROUP      ingest, raw, stream or worker; may be repeated   default all
  --json            print one JSON object
  --profile         one round under a CPU profiler: where a job's microseconds go`;

/** @throws {Error} naming the option that is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "10" },
      jobs: { type: "string", default: "20000" },
      connections: { type: "string", default: "64" },
      redis: { type: "string", default: "tcp" },
      only: { type: "string", multiple: true, default: [...GROUPS] },
      json: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
    },
  });
  if (values.json && values.profile) throw new Error("--json and --profile do not go together");
  return {
    rounds: whole("rounds", values.rounds, { min: 1, max: 100 }),
    seconds: whole("seconds", values.seconds, { min: 1, max: 120 }),
    jobs: whole("jobs", values.jobs, { min: 100, max: JOBS_MAX }),
    connections: whole("connections", values.connections, { min: 1, max: 1_000 }),
    redis: transportNamed(values.redis),
    groups: GROUPS.filter((group) => groupsNamed(values.only).has(group)),
    json: values.json,
    profile: values.profile,
  };
}

function whole(name: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}`);
}

function transportNamed(name: string): Transport {
  const found = TRANSPORTS.find((it) => it === name);
  if (found === undefined) throw new Error(`--redis must be one of ${TRANSPORTS.join(", ")}`);
  return found;
}

function groupsNamed(names: readonly string[]): ReadonlySet<string> {
  const unknown = names.find((name) => !GROUPS.some((group) => group === name));
  if (unknown !== undefined) throw new Error(`--only must be one of ${GROUPS.join(", ")}`);
  return new Set(names);
}
