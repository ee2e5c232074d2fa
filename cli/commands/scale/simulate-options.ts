/** The options of `sluice scale simulate` as the input of the autoscaler's task. */
import { resolve } from "node:path";
import { usageError } from "../../cli-error.ts";
import { readPlaces } from "../../config.ts";
import { DURATION_RULE, parseDurationMs } from "../../parse-duration.ts";
import type { CommandContext } from "../context.ts";

export interface SimulateOptions {
  readonly trace: readonly string[];
  readonly pool?: readonly string[];
  readonly promise?: string;
  readonly startDelay?: string;
  readonly startDelayScv?: string;
  readonly startFailures?: string;
  readonly crashes?: string;
  readonly slots?: string;
  readonly min?: string;
  readonly max?: string;
  readonly load?: string;
  readonly service?: string;
  readonly seeds?: string;
  readonly late?: string;
  readonly policy?: readonly string[];
  readonly cold?: boolean;
  readonly svg?: string;
}

/** Names of the policies, as autoscaler/simulator/contest.ts knows them. */
export const POLICIES = [
  "sluice",
  "keda-tuned",
  "keda-tuned-at-bar",
  "keda-waiting-5",
  "keda-waiting-1",
  "keda-in-system-1",
  "aws-backlog",
  "judoscale",
  "static-peak",
  "clairvoyant",
] as const;

const DEFAULTS = {
  startDelay: "15s",
  startDelayScv: "0",
  startFailures: "0",
  crashes: "0",
  load: "20",
  service: "30s",
  seeds: "10",
  late: "1",
  policy: ["sluice", "keda-tuned", "keda-waiting-5", "static-peak", "clairvoyant"],
  cold: false,
};

/** @throws {CliError | ConfigInvalidError} naming the option, the rule and the fix. */
export function simulationOf(options: SimulateOptions, context: Pick<CommandContext, "cwd" | "env">): object {
  const pools = poolsOf(options, context.cwd);
  const given = { ...DEFAULTS, ...options };
  const { configPath } = readPlaces(context);
  if (configPath === null && options.promise === undefined) {
    throw usageError(
      "--promise is missing, and SLUICE_CONFIG names no configuration with the pool.",
      "Say within which time a job is to start, e.g. --promise 60s.",
    );
  }
  return {
    configPath,
    pools,
    pickupPromiseMs: options.promise === undefined ? null : duration("--promise", options.promise),
    slotsPerWorker: wholeOrNull("--slots", options.slots, 1),
    workersMin: wholeOrNull("--min", options.min, 0),
    workersMax: wholeOrNull("--max", options.max, 1),
    startDelayMs: duration("--start-delay", given.startDelay),
    startDelayScv: amount("--start-delay-scv", given.startDelayScv, 100),
    startFailureShare: amount("--start-failures", given.startFailures, 100) / 100,
    crashesPerWorkerHour: amount("--crashes", given.crashes, 3_600),
    loadSlots: given.load === "as-is" ? null : positive("--load", given.load),
    serviceMeanMs: duration("--service", given.service),
    seeds: wholeOrNull("--seeds", given.seeds, 1),
    policies: policiesOf(given.policy),
    missesPercentMax: amount("--late", given.late, 100),
    cold: given.cold,
    plot: options.svg !== undefined,
  };
}

/** One trace for all the pools, or one for each, in the order in which they are named. */
function poolsOf({ trace, pool = ["pool"] }: SimulateOptions, cwd: string) {
  if (trace.length !== 1 && trace.length !== pool.length) {
    throw usageError(
      `--trace was given ${trace.length} times and --pool ${pool.length} times.`,
      "Give one trace for all the pools, or one for each pool in the same order.",
    );
  }
  const twice = pool.find((name, at) => pool.indexOf(name) !== at);
  if (twice !== undefined) throw usageError(`--pool names ${twice} twice.`);
  return pool.map((name, at) => ({ pool: name, trace: resolve(cwd, trace[at] ?? trace[0] ?? "") }));
}

function policiesOf(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !(POLICIES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw usageError(`--policy ${unknown} is none that is known.`, `There are: ${POLICIES.join(", ")}.`);
  }
  // Everything is compared with ours.
  return [...new Set(["sluice", ...names])];
}

function duration(option: string, text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw usageError(`${option} ${DURATION_RULE}.`);
  return ms;
}

function amount(option: string, text: string, max: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= 0 && value <= max)) throw usageError(`${option} must be a number from 0 to ${max}.`);
  return value;
}

function positive(option: string, text: string): number {
  const value = amount(option, text, 100_000);
  if (value === 0) throw usageError(`${option} must be above 0, or \`as-is\` for the counts as they are.`);
  return value;
}

function wholeOrNull(option: string, text: string | undefined, min: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > 1_000) {
    throw usageError(`${option} must be a whole number from ${min} to 1000.`);
  }
  return value;
}
