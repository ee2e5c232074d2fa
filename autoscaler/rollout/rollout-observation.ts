/**
 * What a rollout is decided on: measurements of one moment, and what people ask for.
 *
 * Types only. `null` is "not known": it is neither zero nor healthy, holds everything and advances nothing. Counters
 * only ever rise; what a stage has seen is their difference to the stage's baseline.
 */
import type { Tally } from "./rollout-document.ts";

export interface WorkerTally {
  readonly worker: string;
  /** First attempts since the worker started, as in {@link Tally}. */
  readonly finished: number;
  readonly failed: number;
  readonly failedElsewhere: number;
  readonly stalls: number;
  /** It takes jobs, or holds some. */
  readonly isAtWork?: boolean;
}

export interface ReleaseView {
  /** Workers that are heard of and take jobs. */
  readonly taking: number | null;
  /** Workers in any state but dead. */
  readonly workers: number | null;
  /** Jobs in flight with all its workers, and with those that take nothing new. */
  readonly inFlight: number | null;
  readonly leavingInFlight: number | null;
  /** Workers not heard of lately whose lease may still run: they may hold jobs. */
  readonly unheard: number | null;
  /** Unfinished jobs in lanes that no other live release reads. */
  readonly onlyItReads: number | null;
  /** Ever-rising. */
  readonly tally: Tally | null;
  /** First attempts that failed one after the other up to now. */
  readonly failuresInRow: number | null;
  readonly byWorker: readonly WorkerTally[];
}

/** One part of what ran on the new release: who or what its failures belong to. Since the stage opened. */
export interface ComponentTally {
  readonly kind: "tenant" | "type" | "dependency";
  readonly name: string;
  readonly finished: number;
  readonly failed: number;
}

export interface ContractView {
  /** Lanes that hold jobs, or may get them, and that nobody would read once the old release is gone. */
  readonly lanesWithoutReader: readonly string[];
  /** The largest number of read groups that a type's gate has to go up. */
  readonly readGroupsUp: number;
}

export interface RolloutObservation {
  readonly atMs: number;
  /** Workers that the autoscaler wants for the pool. */
  readonly workersWanted: number | null;
  readonly from: ReleaseView;
  readonly to: ReleaseView;
  /** By release; one that is missing is not known. */
  readonly drainers: Readonly<Record<string, ReleaseView>>;
  readonly contract: ContractView | null;
  /** The probe job of this number of try. */
  readonly probe: {
    readonly attempt: number;
    readonly outcome: "pending" | "succeeded" | "failed";
    readonly detail: string;
  } | null;
  /** Where the gates of the types stand. */
  readonly activeVersions: Readonly<Record<string, number>> | null;
  readonly components: readonly ComponentTally[];
  /** The leaving release is entered as retired. */
  readonly retired: boolean | null;
}

export type ActKind =
  | "pause"
  | "resume"
  | "retry"
  | "promote"
  | "promote-full"
  | "force"
  | "abort"
  | "undo"
  | "revise"
  | "close";

/** What an operator asks for. */
export interface OperatorAct {
  readonly kind: ActKind;
  readonly by: string;
  readonly why: string;
  /** For `force`: up to when. */
  readonly expiresAtMs?: number;
  /** For `revise`: the release that takes the new one's place, and the gates it raises. */
  readonly to?: string;
  readonly gates?: readonly { readonly type: string; readonly before: number; readonly wanted: number }[];
}

/** Something that happened, and the revision of the document that its author had before it. */
export type RolloutEvent =
  | { readonly kind: "observed"; readonly revision: number; readonly observation: RolloutObservation }
  | { readonly kind: "act"; readonly revision: number; readonly act: OperatorAct };
