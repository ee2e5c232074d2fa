/**
 * Sluice and the baselines on one trace, under one promise and start delay.
 *
 * The opponent that counts is the tuned KEDA: its cheapest setting on this trace that misses no more than Sluice did.
 */
import { Arena, type ArenaTerms, type Player, type Standing } from "./arena.ts";
import { awsBacklogPolicy } from "./policies/aws-backlog.ts";
import { judoscalePolicy } from "./policies/judoscale.ts";
import { keda, kedaDefault } from "./policies/keda.ts";
import { clairvoyantPolicy, constantPolicy } from "./policies/planned.ts";
import { staticPeak } from "./static-peak.ts";
import { type TunedKeda, tuneKeda } from "./tune-keda.ts";

/** Names that a caller may ask for. */
export const POLICY_NAMES = [
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

export type PolicyName = (typeof POLICY_NAMES)[number];

export interface ContestTerms extends ArenaTerms {
  readonly policies: readonly PolicyName[];
  /** Misses that the promise allows, in percent: for those that are tuned to it. */
  readonly missesPercentMax: number;
}

export interface Contestant extends Standing {
  readonly name: PolicyName;
}

export interface ContestResult {
  /** Slots kept busy on average, the mean of the seeds, and the hours that this takes. Nobody can go below. */
  readonly loadSlots: number;
  readonly workHours: number;
  readonly hours: number;
  readonly contestants: readonly Contestant[];
  /** Asked for, but no setting keeps the promise. */
  readonly impossible: readonly PolicyName[];
}

export function holdContest(terms: ContestTerms): ContestResult {
  const arena = new Arena(terms);
  const contestants: Contestant[] = [];
  const impossible: PolicyName[] = [];
  let own: Standing | null = null;
  const sluice = () => {
    own ??= arena.play("sluice", () => arena.sluice);
    return own;
  };
  for (const name of terms.policies) {
    const standing = name === "sluice" ? sluice() : standingOf(name, arena, { sluice, terms });
    if (standing === null) impossible.push(name);
    else contestants.push({ name, ...standing });
  }
  return { ...workOf(arena), contestants, impossible };
}

interface Conditions {
  readonly terms: ContestTerms;
  sluice(): Standing;
}

function standingOf(
  name: Exclude<PolicyName, "sluice">,
  arena: Arena,
  { sluice, terms }: Conditions,
): Standing | null {
  const plays = (policy: string, player: Player) => arena.play(policy, player);
  switch (name) {
    case "keda-tuned":
      return tuned(arena, tuneKeda(arena, meanMisses(sluice())));
    case "keda-tuned-at-bar":
      return tuned(arena, tuneKeda(arena, terms.missesPercentMax));
    case "keda-waiting-5":
      return plays("KEDA waiting, L=5", () => kedaDefault("waiting", 5));
    case "keda-waiting-1":
      return plays("KEDA waiting, L=1", () => kedaDefault("waiting", 1));
    case "keda-in-system-1":
      return plays("KEDA waiting+active, L=1", () => kedaDefault("waiting+active", 1));
    case "aws-backlog":
      return plays("AWS backlog per instance", () => awsBacklogPolicy);
    case "judoscale":
      return plays("Judoscale steps", () => judoscalePolicy);
    case "static-peak": {
      const workers = staticPeak(arena, terms.missesPercentMax);
      if (workers === null) return null;
      const fleet = { workersInitially: workers };
      return arena.play(`static peak, ${workers} workers`, () => constantPolicy(workers), fleet);
    }
    case "clairvoyant":
      return plays("clairvoyant", ({ demand }) => clairvoyantPolicy(demand, arena.fleet.startDelayMs));
  }
}

function tuned(arena: Arena, best: TunedKeda | null): Standing | null {
  return best === null ? null : arena.play(best.settings.name, () => keda(best.settings));
}

function meanMisses({ runs }: Standing): number {
  return runs.reduce((sum, run) => sum + run.missesPercent, 0) / runs.length;
}

function workOf({ rounds, fleet }: Arena): Pick<ContestResult, "loadSlots" | "workHours" | "hours"> {
  const horizonMs = rounds[0]?.workload.horizonMs ?? 1;
  const workMs =
    rounds.reduce((all, { workload }) => all + workload.serviceMs.reduce((sum, ms) => sum + ms, 0), 0) /
    rounds.length;
  return {
    loadSlots: workMs / horizonMs,
    workHours: workMs / fleet.slotsPerWorker / 3_600_000,
    hours: horizonMs / 3_600_000,
  };
}
