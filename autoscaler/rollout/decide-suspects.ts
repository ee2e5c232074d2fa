/**
 * Which one it is: a worker that is bad among its siblings, or what the failures of a release belong to.
 *
 * Pure. Each candidate is compared with the rest of its kind, pooled and without itself; the error rate is shared
 * among the candidates. A worker needs siblings to be told from its release: the only worker of a release is
 * never called bad, its release is.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { type Evidence, failuresOf } from "./decide-evidence.ts";
import { type Comparison, isCountedWorse, isWorse } from "./decide-failure-gate.ts";
import { rateOf, type Share } from "./estimate-bounds.ts";
import { chanceOfSoMany } from "./estimate-exact-chance.ts";
import type { Suspect } from "./rollout-document.ts";
import type { ComponentTally, WorkerTally } from "./rollout-observation.ts";

interface Candidate {
  readonly kind: Suspect["kind"];
  readonly name: string;
  readonly failures: Share;
}

/** How often naming may err; nothing is halted for a name alone. */
const NAMING_ERROR = 0.01;

/** The same for a bad worker when a gate fails: a wrong name costs one more watch, none costs a good release. */
const NAMING_ERROR_FAILING = 0.05;

/**
 * The bad workers, worst first.
 *
 * @param isFailing a gate fails. Against the old release's many jobs that is proven before a few siblings prove which
 * worker it is by bounds that hold at all looks. This look alone counts then: when it comes depends on the workers'
 * failures together and not on whose they are, so an exact test of one look holds. A second one is the release's fault.
 */
export function decideBadWorkers(
  workers: readonly WorkerTally[],
  policy: RolloutPolicy,
  isFailing = false,
): readonly Suspect[] {
  if (workers.length < 2) return [];
  const candidates = workers.map((it) => ({
    kind: "worker" as const,
    name: it.worker,
    failures: failuresOf(it),
  }));
  const errorRate = isFailing ? Math.max(policy.errorRate, NAMING_ERROR_FAILING) : policy.errorRate;
  const failing = worseThanTheirRest(candidates, errorRate, (it) =>
    isFailing ? isWorseExactly(it, policy) : isWorse(it, policy),
  );
  return failing.length > 0 ? failing : stallingAlone(workers, candidates);
}

/** Whether the release is no worse than the others once these workers are left out. */
export function isCleared(evidence: Evidence, bad: readonly Suspect[], policy: RolloutPolicy): boolean {
  const siblings = evidence.workers.filter(({ worker }) => bad.every(({ name }) => name !== worker));
  if (siblings.some(({ stalls }) => stalls > 0)) return false;
  const suspect = pooled(siblings.map(failuresOf));
  const rest = failuresOf(evidence.others);
  return !isWorse({ suspect, rest, error: policy.errorRate, allowance: 1 }, policy);
}

/** The release itself and, within it, what its failures belong to, worst first. */
export function decideSuspects(
  release: string,
  evidence: Evidence,
  { components, policy }: { readonly components: readonly ComponentTally[]; readonly policy: RolloutPolicy },
): readonly Suspect[] {
  const rest = failuresOf(evidence.others);
  const itself = suspectOf(
    { kind: "release", name: release, failures: failuresOf(evidence.to) },
    rateOf(rest),
  );
  const kinds = ["type", "tenant", "dependency"] as const;
  const within = kinds.flatMap((kind) => {
    const ofKind = components.filter((it) => it.kind === kind);
    const candidates = ofKind.map((it) => ({
      kind,
      name: it.name,
      failures: { hits: it.failed, trials: it.finished },
    }));
    return worseThanTheirRest(candidates, NAMING_ERROR, (it) => isWorse(it, policy));
  });
  return [itself, ...within.toSorted(worstFirst)];
}

function worseThanTheirRest(
  candidates: readonly Candidate[],
  errorRate: number,
  isProven: (comparison: Comparison) => boolean,
): readonly Suspect[] {
  const all = pooled(candidates.map(({ failures }) => failures));
  const error = errorRate / Math.max(candidates.length, 1);
  return candidates
    .flatMap((candidate) => {
      const { hits, trials } = candidate.failures;
      const rest = { hits: all.hits - hits, trials: all.trials - trials };
      const isOne = isProven({ suspect: candidate.failures, rest, error, allowance: 1 });
      return isOne ? [suspectOf(candidate, rateOf(rest))] : [];
    })
    .toSorted(worstFirst);
}

/** As {@link isWorse}, at one look: whether the failures would rarely fall on this one if they were dealt at random. */
function isWorseExactly(comparison: Comparison, policy: RolloutPolicy): boolean {
  const { suspect, rest, error } = comparison;
  return isCountedWorse(comparison, policy) && chanceOfSoMany(suspect, pooled([suspect, rest])) <= error;
}

/** The one worker whose jobs stall, if no sibling's do. */
function stallingAlone(
  workers: readonly WorkerTally[],
  candidates: readonly Candidate[],
): readonly Suspect[] {
  const stalling = workers.filter(({ stalls }) => stalls > 0);
  const [only] = stalling;
  const candidate = candidates.find(({ name }) => name === only?.worker);
  return stalling.length === 1 && candidate !== undefined ? [suspectOf(candidate, 0)] : [];
}

function suspectOf({ kind, name, failures }: Candidate, restRate: number): Suspect {
  return { kind, name, rate: rateOf(failures), restRate, finished: failures.trials };
}

function worstFirst(left: Suspect, right: Suspect): number {
  return right.rate - left.rate || (left.name < right.name ? -1 : 1);
}

function pooled(shares: readonly Share[]): Share {
  let hits = 0;
  let trials = 0;
  for (const share of shares) {
    hits += share.hits;
    trials += share.trials;
  }
  return { hits, trials };
}
