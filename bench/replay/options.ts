/** The command line of the replay. Every number is bounded, so that no run goes on for ever. */
import { parseArgs } from "node:util";

export interface ReplayOptions {
  /** Where trace files are looked for; `null`: the slices that come with the tests. */
  readonly traces: string | null;
  /** How many times as fast. */
  readonly compress: number;
  /** Length of a slice before it is compressed. */
  readonly minutes: number;
  readonly slices: number;
  /** Times that each slice is replayed on real processes. */
  readonly runs: number;
  readonly json: boolean;
}

export const USAGE = `npm run bench:replay -- [options]

  --traces DIR     replay slices of the CSV files below DIR          default: test/fixtures/traces
  --slices N       how many traces, one slice of each                1 to 20, default 2
  --minutes M      length of a slice before it is compressed         2 to 240, default 25
  --compress C     how many times as fast                            1 to 20, default 5
  --runs N         times that each slice is run on real processes    1 to 20, default 1
  --json           print one JSON object`;

/** @throws {Error} naming the option that is wrong. */
export function readOptions(args: readonly string[]): ReplayOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      traces: { type: "string" },
      slices: { type: "string", default: "2" },
      minutes: { type: "string", default: "25" },
      compress: { type: "string", default: "5" },
      runs: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  return {
    traces: values.traces ?? null,
    slices: whole("slices", values.slices, { min: 1, max: 20 }),
    minutes: whole("minutes", values.minutes, { min: 2, max: 240 }),
    compress: whole("compress", values.compress, { min: 1, max: 20 }),
    runs: whole("runs", values.runs, { min: 1, max: 20 }),
    json: values.json,
  };
}

function whole(name: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}`);
}
