/**
 * How a rollout's document is changed, and what one look at it comes to.
 *
 * Pure. Every change goes through `changed`, which alone counts revisions and writes the history: a document with the
 * same revision is the same document.
 */
import type { GateEvaluation } from "./decide-gate-words.ts";
import type { HistoryEntry, Rollout, RolloutStage } from "./rollout-document.ts";

/** Kept here as well as in the schema: this file may not import it. A test holds them together. */
const HISTORY_LENGTH_MAX = 100;
const TEXT_LENGTH_MAX = 500;

/** Who the rollout itself is in a history. */
export const ITSELF = "rollout";

/** What one look came to. The document is the same object when nothing changed. */
export interface Outcome {
  readonly rollout: Rollout;
  /** A fixed word for machines. */
  readonly code: string;
  readonly sentence: string;
  /** What would have to happen for it to go on. */
  readonly wouldChange: string;
  readonly evaluations: readonly GateEvaluation[];
  /** A fact that was needed is not known. */
  readonly isMissing: boolean;
}

export interface Change {
  readonly nowMs: number;
  readonly code: string;
  readonly sentence: string;
  readonly by?: string;
  readonly why?: string;
  readonly evaluations?: readonly GateEvaluation[];
}

/** A change of the document, with its line in the history. */
export function changed(rollout: Rollout, patch: Partial<Rollout>, change: Change): Outcome {
  const { nowMs, code, sentence } = change;
  const revision = rollout.revision + 1;
  const state = patch.state ?? rollout.state;
  const entry: HistoryEntry = {
    atMs: nowMs,
    revision,
    from: rollout.state,
    to: state,
    by: change.by ?? ITSELF,
    what: code,
    why: cut(change.why ?? sentence),
  };
  return {
    rollout: {
      ...rollout,
      ...patch,
      revision,
      stateSinceMs: state === rollout.state ? rollout.stateSinceMs : nowMs,
      updatedAtMs: nowMs,
      history: [...rollout.history, entry].slice(-HISTORY_LENGTH_MAX),
    },
    code,
    sentence,
    wouldChange: "",
    evaluations: change.evaluations ?? [],
    isMissing: false,
  };
}

export function stayed(
  rollout: Rollout,
  said: Pick<Outcome, "code" | "sentence" | "wouldChange"> & Partial<Pick<Outcome, "evaluations">>,
): Outcome {
  return { rollout, evaluations: [], ...said, isMissing: false };
}

/** Not known is neither zero nor healthy: nothing goes on. */
export function missing(rollout: Rollout, what: string): Outcome {
  return {
    rollout,
    code: "not-known",
    sentence: `${what} is not known`,
    wouldChange: `${what} being measured`,
    evaluations: [],
    isMissing: true,
  };
}

export function inPhase(stage: RolloutStage, phase: RolloutStage["phase"], nowMs: number): RolloutStage {
  return { ...stage, phase, phaseSinceMs: nowMs };
}

export function cut(text: string): string {
  return text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX - 3)}...`;
}
