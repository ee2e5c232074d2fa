/**
 * The sentence that explains a pool decision to a person: "why 7 workers?".
 *
 * Pure, and words only: it decides nothing, and code must read the decision's fields, never this.
 */

import type { PoolLane } from "./decide-lane-owners.ts";

/** The parts of a decision that are put into words. Fields as in `PoolDecision`. */
export interface PoolFacts {
  readonly lanes: readonly PoolLane[];
  readonly slotsPerWorker: number;
  readonly wantedTotal: number;
  readonly appliedTotal: number;
  readonly limitedBy: "workers-max" | "workers-min" | null;
  /** What cut the number, `null` when nothing did. */
  readonly ceiling: { readonly by: string; readonly sentence: string } | null;
  /** Nobody is taken away because Redis is full. */
  readonly memoryClosed: boolean;
  readonly orphanLanes: readonly string[];
  readonly uncoveredLanes: readonly string[];
  /** Workers that stay although nothing wants them now. */
  readonly heldBeyond: number;
  readonly heldBecause: "recently-wanted" | "not-observed-long-enough";
  /** Workers that drain, beside those applied. */
  readonly draining: number;
}

export function explainPool(facts: PoolFacts): string {
  const { lanes, appliedTotal, limitedBy } = facts;
  const unknownLanes = lanes.filter(({ slots }) => slots === null).map(({ lane }) => lane);

  const clauses = [`wanted ${count(facts.wantedTotal, "worker")}: ${explainNeeds(facts)}`];
  if (unknownLanes.length > 0) {
    clauses.push(`${named(unknownLanes)} could not be observed, so no worker is taken away`);
  }
  if (limitedBy === "workers-max") clauses.push(explainCeiling(facts));
  if (limitedBy === "workers-min") clauses.push(`raised to ${appliedTotal - facts.heldBeyond} by workersMin`);
  if (facts.heldBeyond > 0) clauses.push(explainHold(facts));
  if (facts.memoryClosed)
    clauses.push("Redis takes no more jobs, so nobody who could empty it is taken away");
  if (facts.uncoveredLanes.length > 0) {
    clauses.push(`workersMax leaves no room for a reader of ${named(facts.uncoveredLanes)}`);
  }
  if (facts.orphanLanes.length > 0) {
    clauses.push(`no live release reads ${named(facts.orphanLanes)}, which has work`);
  }
  if (facts.draining > 0) clauses.push(`${facts.draining} more draining`);
  return clauses.join("; ");
}

function explainNeeds({ lanes, slotsPerWorker }: PoolFacts): string {
  const needs = lanes.filter(({ slots }) => slots !== null && slots > 0).map(explainLane);
  if (needs.length === 0) return "no lane is known to need a slot";
  return `${needs.join(" and ")}, ${count(slotsPerWorker, "slot")} a worker`;
}

function explainLane({ lane, slots, terms }: PoolLane): string {
  const need = `lane ${lane} needs ${count(slots ?? 0, "slot")}`;
  if (terms === null) return need;
  const arrivals = terms.fromArrivals ?? "not known";
  const bursts = (terms.fromBursts ?? 0) > 0 ? `, bursts ${terms.fromBursts}` : "";
  return `${need} (in-system ${terms.fromInSystem}, deadline ${terms.fromDeadline}, arrivals ${arrivals}${bursts})`;
}

function explainCeiling({ ceiling, appliedTotal }: PoolFacts): string {
  if (ceiling === null || ceiling.by === "workers-max") return `limited to ${appliedTotal} by workersMax`;
  return `limited to ${appliedTotal}: ${ceiling.sentence}`;
}

function explainHold({ heldBeyond, heldBecause, appliedTotal }: PoolFacts): string {
  const why =
    heldBecause === "recently-wanted"
      ? "wanted within the hold window"
      : "the hold window has not been observed yet";
  return `holding ${heldBeyond} more, ${appliedTotal} in all: ${why}`;
}

function named(lanes: readonly string[]): string {
  return `${lanes.length === 1 ? "lane" : "lanes"} ${lanes.join(", ")}`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
