/**
 * What Redis really promises for a job it has taken, read from Redis itself.
 *
 * `disk`: the job is on disk before the answer (AOF always). `process`: it survives a crash of any
 * process, not a power loss (AOF everysec). `none`: neither. Where a managed Redis hides CONFIG the
 * operator may assert the level, and it is shown as asserted.
 */
import { DurabilityTooLowError } from "../errors.ts";
import type { RedisConnection } from "./connection.ts";

export const DURABILITY_LEVELS = ["process", "disk"] as const;

/** The levels that can be asked for. */
export type DurabilityLevel = (typeof DURABILITY_LEVELS)[number];

export interface Durability {
  /** The level in force. */
  readonly level: DurabilityLevel | "none";
  /** Whether Redis said so itself, or the operator did for it. */
  readonly basis: "verified" | "asserted";
  /** Things that could lose or refuse jobs, in sentences; empty when safe. */
  readonly problems: readonly string[];
}

export interface DurabilityPolicy {
  readonly required: DurabilityLevel;
  /** The operator vouches for `required` where CONFIG cannot be read. */
  readonly asserted: boolean;
}

type Settings = Readonly<Record<string, string>>;

const SETTING_NAMES = [
  "appendonly",
  "appendfsync",
  "no-appendfsync-on-rewrite",
  "maxmemory",
  "maxmemory-policy",
];

/** Reads the level in force. Rejects only when Redis is not reached. */
export async function readDurability(redis: RedisConnection, policy: DurabilityPolicy): Promise<Durability> {
  const settings = await readSettings(redis);
  if (settings === null) return hiddenDurability(policy);
  const level = levelOf(settings);
  return { level, basis: "verified", problems: problemsOf(settings, level, policy.required) };
}

/** @throws {DurabilityTooLowError} listing every setting to change. */
export function requireSafe(durability: Durability): void {
  if (durability.problems.length > 0) throw new DurabilityTooLowError(durability.problems);
}

/** `null` when the server hides CONFIG. */
async function readSettings(redis: RedisConnection): Promise<Settings | null> {
  try {
    const lists = await Promise.all(SETTING_NAMES.map((name) => redis.config("GET", name)));
    return Object.fromEntries(lists.map((pair) => pairOf(pair)));
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError") return null;
    throw error;
  }
}

/** RESP2 answers CONFIG GET with a list, RESP3 with a map, which the client may show either way. */
function pairOf(reply: unknown): [string, string] {
  if (Array.isArray(reply)) return [String(reply[0]), String(reply[1])];
  return (Object.entries(reply ?? {})[0] as [string, string] | undefined) ?? ["", ""];
}

function hiddenDurability({ required, asserted }: DurabilityPolicy): Durability {
  if (asserted) return { level: required, basis: "asserted", problems: [] };
  return {
    level: "none",
    basis: "verified",
    problems: [
      "Redis does not show its settings (CONFIG GET is refused); check that it keeps an append-only file " +
        `for level "${required}" and evicts nothing, then set SLUICE_DURABILITY_ASSERTED=true`,
    ],
  };
}

function levelOf(settings: Settings): Durability["level"] {
  if (settings.appendonly !== "yes") return "none";
  const always = settings.appendfsync === "always" && settings["no-appendfsync-on-rewrite"] === "no";
  if (always) return "disk";
  return settings.appendfsync === "no" ? "none" : "process";
}

function problemsOf(settings: Settings, level: Durability["level"], required: DurabilityLevel): string[] {
  const problems: string[] = [];
  const rank = { none: 0, process: 1, disk: 2 };
  if (rank[level] < rank[required]) {
    const fix =
      required === "disk"
        ? "set appendonly yes, appendfsync always and no-appendfsync-on-rewrite no"
        : "set appendonly yes and appendfsync everysec or always";
    problems.push(`durability is "${level}", but SLUICE_DURABILITY asks for "${required}": ${fix}`);
  }
  const eviction = settings["maxmemory-policy"];
  if (eviction !== "noeviction") {
    problems.push(`maxmemory-policy is "${eviction}", which may delete jobs: set it to noeviction`);
  }
  if (settings.maxmemory === "0") {
    problems.push("maxmemory is 0 (no limit), so a full machine would kill Redis: set maxmemory, e.g. 512mb");
  }
  return problems;
}
