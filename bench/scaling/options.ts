/** What the command line asks for. */
import { parseArgs } from "node:util";

export interface ScalingOptions {
  readonly traces: string;
  readonly json: boolean;
  readonly seeds: number;
  /** Part of the names of the traces to play; `null` for all. */
  readonly only: string | null;
}

const SEEDS = 10;
const SEEDS_QUICK = 3;
const SEEDS_MAX = 1_000;

export const USAGE = `Usage: npm run bench:scaling -- --traces DIR [--seeds N] [--only TEXT] [--quick] [--json]

  --traces DIR  every CSV file below it is played: counts by bin, or requests, told apart by the header
  --seeds N     runs of each policy, 1 to ${SEEDS_MAX} (default ${SEEDS})
  --only TEXT   only traces whose name has this in it
  --quick       ${SEEDS_QUICK} seeds
  --json        the result as JSON`;

/** @throws {Error} naming the option, the rule and the fix. */
export function readOptions(args: readonly string[]): ScalingOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      traces: { type: "string" },
      seeds: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean" },
      json: { type: "boolean" },
    },
    strict: true,
  });
  if (values.traces === undefined) {
    throw new Error("--traces is missing. Name the directory with the CSV files, e.g. --traces ./traces.");
  }
  const seeds = Number(values.seeds ?? (values.quick ? SEEDS_QUICK : SEEDS));
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > SEEDS_MAX) {
    throw new Error(`--seeds must be a whole number from 1 to ${SEEDS_MAX}, e.g. --seeds ${SEEDS}.`);
  }
  return { traces: values.traces, json: values.json ?? false, seeds, only: values.only ?? null };
}
