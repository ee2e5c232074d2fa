/**
 * What holds of a rollout whatever people, leaders, releases and the fleet do: the rules of the airlock by name.
 *
 * Each is told by what the model knows to be true at the look, not by what the decision says of itself.
 */

import { decideEvidence } from "#autoscaler/rollout/decide-evidence";
import { decideGates } from "#autoscaler/rollout/decide-gates";
import type { Order } from "#autoscaler/rollout/decide-orders";
import { decideSplit } from "#autoscaler/rollout/decide-split";
import type { Rollout } from "#autoscaler/rollout/rollout-document";
import type { RolloutObservation } from "#autoscaler/rollout/rollout-observation";
import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import type { RolloutWorld } from "./rollout-world.ts";

export interface Step {
  readonly before: Rollout;
  readonly after: Rollout;
  readonly orders: readonly Order[];
  /** `null` for an act. */
  readonly observation: RolloutObservation | null;
  readonly world: RolloutWorld;
  readonly policy: RolloutPolicy;
}

export type Rule = (step: Step) => string | null;

/** Which states may follow which; `unknown` stands for the state before it and is looked at by a rule of its own. */
const FOLLOWING: Readonly<Record<string, readonly string[]>> = {
  registered: ["verifying", "rolling-back"],
  verifying: ["soaking", "rolling-back", "registered"],
  soaking: ["current", "halted", "rolling-back", "registered"],
  current: ["draining", "rolling-back"],
  halted: ["rolling-back", "registered"],
  "rolling-back": ["draining", "registered"],
  draining: ["drained", "registered"],
  drained: ["retired", "draining"],
  retired: [],
};

export const RULES: Readonly<Record<string, Rule>> = {
  "states follow one another as drawn": ({ before, after }) => {
    const [from, to] = [stateOf(before), stateOf(after)];
    return from === to || FOLLOWING[from]?.includes(to) ? null : `${from} -> ${to}`;
  },
  "a change is one revision, with its line in a bounded history": ({ before, after }) => {
    const last = after.history.at(-1);
    const isOne = after.revision === before.revision + 1 && last?.revision === after.revision;
    return isOne && after.history.length <= 100 ? null : `${before.revision} -> ${after.revision}`;
  },
  "one stage at a time, and it opens from the gate of the one before": (step) => {
    const { before, after } = step;
    if (!opens(step)) return null;
    if (before.stage !== null) return before.stage.phase === "gate" ? null : `from ${before.stage.phase}`;
    return stateOf(before) === "verifying" && after.stage?.step === firstStep(step) ? null : stateOf(before);
  },
  "the first step opens only after the probe job succeeded": (step) => {
    const { before, observation } = step;
    if (!opens(step) || before.stage !== null) return null;
    const probe = observation?.probe;
    const isProbed = probe?.outcome === "succeeded" && probe.attempt === before.probe?.attempt;
    return isProbed ? null : JSON.stringify(probe);
  },
  "what is unknown takes no worker away: shares are ordered as before": ({ after, orders, observation }) => {
    const isAsked = after.state === "unknown" && observation !== null && observation.workersWanted !== null;
    return !isAsked || orders.some((it) => it.kind === "share") ? null : JSON.stringify(orders);
  },
  "no step is skipped but by promote --full": (step) => {
    const { before, after } = step;
    if (!opens(step) || before.bypass?.kind === "full") return null;
    const [from, to] = [before.stage?.step ?? -1, after.stage?.step ?? (before.stage?.step ?? 0) + 1];
    return to === from + 1 ? null : `${from} -> ${to}`;
  },
  "a stage opens, and a soak begins, only when what left holds nothing": (step) => {
    const { before, after, observation, policy } = step;
    const begins = after.stage?.phase === "soaking" && before.stage?.phase === "draining";
    if (before.stage?.kind !== "share" || !(opens(step) || begins)) return null;
    const left = observation?.from;
    const split = decideSplit(observation?.workersWanted ?? 0, policy.steps[before.stage.step] ?? 1);
    const isIn = left !== undefined && left.taking !== null && left.taking <= split.from;
    return isIn && left.leavingInFlight === 0 && left.unheard === 0 ? null : JSON.stringify(left);
  },
  "at the last share nobody of the old release takes jobs": (step) => {
    const { before, observation, policy } = step;
    const isLast = before.stage?.kind === "share" && before.stage.step === policy.steps.length - 1;
    return !opens(step) || !isLast || observation?.from.taking === 0
      ? null
      : String(observation?.from.taking);
  },
  "no bypass opens a stage past the contract check": (step) =>
    opens(step) && step.world.brokenLane !== null ? step.world.brokenLane : null,
  "a stage opens only by gates that pass, or a bypass in force": (step) => {
    const { before, observation, policy, world } = step;
    if (!opens(step) || before.stage === null || observation === null) return null;
    const { bypass } = before;
    const isForce = bypass?.kind === "force";
    if (isForce && (bypass.expiresAtMs ?? 0) > world.nowMs) return null;
    const seen = decideEvidence(before, observation);
    if (seen.kind !== "evidence") return seen.kind;
    const { kind } = decideGates(before, { evidence: seen.evidence, components: [], policy });
    return kind === "pass" || (bypass !== null && !isForce && kind !== "fail") ? null : kind;
  },
  "a release worse than the old one becomes current only by somebody's bypass": ({
    before,
    after,
    world,
  }) => {
    if (after.state !== "current" || before.state === "current") return null;
    const isWorse = world.truth(after.from).quality === "good" && world.truth(after.to).quality !== "good";
    const isBypassed = after.history.some(({ what }) => what === "force" || what.startsWith("promote"));
    return isWorse && !isBypassed ? world.truth(after.to).quality : null;
  },
  "a release that fails or takes far longer is halted at the look that shows it": (step) => {
    const { before, after, observation, world } = step;
    if (observation === null || stateOf(before) !== "soaking" || before.bypass?.kind === "force") return null;
    const { quality } = world.truth(before.to);
    const isShown = quality === "failing" || quality === "slow";
    const seen = decideEvidence(before, observation);
    if (!isShown || world.truth(before.from).quality !== "good" || seen.kind !== "evidence") return null;
    const { to, others, isPast } = seen.evidence;
    // Gone drainers and facts that are known again take a look of their own.
    const isBusy = before.missingSinceMs !== null || before.drainers.length > 0;
    if (isPast || isBusy || Math.min(to.finished, others.finished) < 500) return null;
    return after.state === "halted" ? null : `${quality}: ${to.failed} of ${to.finished} failed`;
  },
  "what is not known advances nothing": ({ before, after, observation }) => {
    if (observation === null || observation.workersWanted !== null || observation.contract !== null)
      return null;
    if (observation.from.taking !== null || observation.from.inFlight !== null) return null;
    const isSame = stateOf(before) === stateOf(after) && before.stage?.step === after.stage?.step;
    return isSame || ["halted", "rolling-back"].includes(after.state) ? null : after.state;
  },
  "the gate is raised by the last stage only, when the new release has it all": ({ after, orders }) => {
    const raises = orders.some((it) => it.kind === "set-gate" && it.raise);
    return !raises || after.stage?.kind === "emission" ? null : `in ${after.state}`;
  },
  "going back, the gate is lowered before the old release has it all": ({ before, after, world }) => {
    if (before.state !== "rolling-back" || after.state !== "draining") return null;
    const high = after.gates.filter((it) => world.activeVersion > it.before);
    return high.length === 0 ? null : `at ${world.activeVersion}`;
  },
  "a failed release takes nothing from its halt on, and its lanes stand still": ({ after, orders }) => {
    const hasFailed = after.state === "halted" || (after.direction === "back" && after.back?.failed === true);
    if (!hasFailed || orders.length === 0) return null;
    const shares = orders.filter((it) => it.kind === "share" && it.release === after.to);
    const isFrozen = shares.every((it) => it.kind === "share" && it.workers === 0 && it.takes === "nothing");
    const stands = orders.some((it) => it.kind === "pause-lanes" && it.release === after.to);
    const requeues = orders.some((it) => it.kind === "requeue-exhausted" && it.release === after.to);
    return isFrozen && stands && requeues ? null : JSON.stringify(orders);
  },
  "a healthy release keeps a worker for what only it reads": ({ after, orders, observation }) => {
    if (after.direction !== "back" || after.back?.failed !== false || observation === null) return null;
    if (!["rolling-back", "draining"].includes(after.state) || observation.workersWanted === null)
      return null;
    const share = orders.find((it) => it.kind === "share" && it.release === after.to);
    const workers = share?.kind === "share" ? share.workers : 0;
    const isLeft = observation.to.onlyItReads === null || observation.to.onlyItReads > 0;
    const hasStarted = after.stage !== null || after.currentAtMs !== null;
    return !isLeft || workers >= 1 || !(hasStarted || after.state === "draining")
      ? null
      : JSON.stringify(orders);
  },
  "a draining release with work left has a worker": ({ after, orders, observation }) => {
    if (after.state !== "draining" || after.direction !== "forward" || observation === null) return null;
    const { onlyItReads, inFlight, workers } = observation.from;
    const isLeft = onlyItReads !== 0 || inFlight === null || (inFlight > 0 && workers === 0);
    const share = orders.find((it) => it.kind === "share" && it.release === after.from);
    return !isLeft || (share?.kind === "share" && share.workers >= 1)
      ? null
      : JSON.stringify(observation.from);
  },
  "drained is held, known and empty": ({ before, after, observation, policy, world }) => {
    if (after.state !== "drained" || stateOf(before) !== "draining") return null;
    const view = after.direction === "forward" ? observation?.from : observation?.to;
    const isEmpty = view?.inFlight === 0 && view.unheard === 0 && view.onlyItReads === 0;
    const heldMs = world.nowMs - (before.quietSinceMs ?? world.nowMs);
    return isEmpty && heldMs >= policy.drainHoldMs && before.missingSinceMs === null ? null : `${heldMs} ms`;
  },
  "nothing retires that holds work": ({ after, orders, world }) => {
    const retires = orders.find((it) => it.kind === "retire");
    if (retires?.kind !== "retire") return null;
    const isLeaver = after.state === "drained" && retires.release === after.from;
    return isLeaver && retires.release !== after.to && world.releases.has(retires.release)
      ? null
      : after.state;
  },
  "at most two releases take jobs beside those that leave": ({ after, orders }) => {
    const taking = orders.flatMap((it) => (it.kind === "share" && it.takes === "all" ? [it.release] : []));
    const others = taking.filter((it) => it !== after.from && it !== after.to);
    return others.length === 0 && new Set(taking).size === taking.length ? null : taking.join(", ");
  },
  "a step has at least one new worker, and the sum is what the autoscaler wants": ({
    after,
    orders,
    observation,
  }) => {
    const wanted = observation?.workersWanted ?? 0;
    if (stateOf(after) !== "soaking" || wanted < 2 || after.stage?.phase === "starting") return null;
    const shares = orders.flatMap((it) => (it.kind === "share" && it.takes === "all" ? [it] : []));
    const total = shares.reduce((sum, it) => sum + it.workers, 0);
    const ofNew = shares.find(({ release }) => release === after.to)?.workers ?? 0;
    return total === wanted && ofNew >= 1 ? null : JSON.stringify(shares);
  },
  "new workers are there before old ones leave": ({ before, after, orders, observation }) => {
    const wanted = observation?.workersWanted ?? null;
    if (wanted === null || wanted < 2 || after.stage?.phase !== "starting" || stateOf(after) !== "soaking")
      return null;
    const old = orders.find((it) => it.kind === "share" && it.release === after.from);
    const least = before.stage === null ? wanted : 0;
    return old?.kind === "share" && old.workers >= least ? null : JSON.stringify(orders);
  },
  "an act has who and why, and a force its end": ({ after, observation }) => {
    const last = after.history.at(-1);
    if (observation !== null || last === undefined) return null;
    const isNamed = last.by !== "" && last.why !== "";
    const ends = after.bypass?.kind !== "force" || after.bypass.expiresAtMs !== null;
    return isNamed && ends ? null : JSON.stringify(last);
  },
  "nothing opens while it is paused": ({ before, after }) =>
    before.paused === null || after.paused === null || before.stage?.step === after.stage?.step
      ? null
      : `${before.stage?.step} -> ${after.stage?.step}`,
  "what only goes back never goes forward again but as a new revision": ({ before, after }) => {
    const turns = before.direction === "back" && after.direction === "forward";
    return !turns || after.state === "registered" ? null : after.state;
  },
};

/** @throws {Error} naming the rule that is broken. */
export function requireRules(step: Step): void {
  for (const [name, rule] of Object.entries(RULES)) {
    const broken = rule(step);
    if (broken !== null) {
      const how = `${step.before.state}/${step.before.stage?.phase} -> ${step.after.state}/${step.after.stage?.phase}`;
      throw new Error(`${name}: ${broken} (${how})`);
    }
  }
}

/** A stage opens, or the last one closes for good. */
function opens({ before, after }: Step): boolean {
  const isNew =
    after.stage !== null && after.stage.step !== before.stage?.step && stateOf(after) === "soaking";
  return isNew || (after.state === "current" && stateOf(before) !== "current");
}

function firstStep({ before, policy }: Step): number {
  return before.bypass?.kind === "full" ? policy.steps.length - 1 : 0;
}

function stateOf({ state, knownState }: Rollout): string {
  return state === "unknown" ? (knownState ?? state) : state;
}
