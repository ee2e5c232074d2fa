/**
 * The numbers behind a lane's slots, under the names that the law gives them.
 *
 * Only their shapes: decide-lane-slots.ts works them out, explain-lane-terms.ts puts them into words.
 */

/** Slots each term of the law asks for, whole numbers >= 0. */
export interface LaneSlotTerms {
  readonly fromInSystem: number;
  readonly fromDeadline: number;
  /** `null` when the arrival rate is not known. */
  readonly fromArrivals: number | null;
  /** `null` when the arrival rate is not known. */
  readonly fromBursts: number | null;
}

/** The term that is the largest, the first of equals. `forecast`: raised above all of them. `work`: no term asks, but work keeps one slot. `none`: 0 slots. */
export type RulingTerm = "in-system" | "deadline" | "bursts" | "arrivals" | "forecast" | "work" | "none";

/** What the law worked with. */
export interface LaneFigures {
  /** X: waiting, due soon and in flight. */
  readonly jobsInSystem: number;
  /** q: waiting or due soon. */
  readonly backlog: number;
  /** L: jobs in the system for each slot, 1 + phi W / s. */
  readonly jobsPerSlot: number;
  /** phi. */
  readonly promiseShare: number;
  /** R: arrival rate x service time, `null` when not known. */
  readonly loadSlots: number | null;
  /** b. */
  readonly headroomB: number;
  /** z. */
  readonly safetyZ: number;
  readonly serviceTimeMs: number;
  readonly startDelayMs: number;
  readonly pickupPromiseMs: number;
  readonly oldestAgeMs: number;
  readonly readySlots: number;
  /** Slots on their way. */
  readonly startingSlots: number;
}

/** So much of a slot is not rounded up: binary fractions leave it behind. */
export const DUST = 1e-9;

/** At which number of jobs in the system the lane would need another number of slots. `null`: other things decide. */
export interface LaneChange {
  readonly moreAtJobsInSystem: number | null;
  readonly lessAtJobsInSystem: number | null;
  readonly sentence: string;
}

/** One slot more or fewer, all else being equal. */
export function laneChange(slots: number, ruledBy: RulingTerm, figures: LaneFigures): LaneChange {
  const { jobsPerSlot, jobsInSystem } = figures;
  const moreAt = Math.floor((slots + DUST) * jobsPerSlot) + 1;
  const more = `one slot more at ${moreAt} jobs in the system at the latest (now ${jobsInSystem})`;
  if (ruledBy !== "in-system" || slots <= 1) {
    return {
      moreAtJobsInSystem: moreAt,
      lessAtJobsInSystem: null,
      sentence: `${more}; ${FEWER_WHEN[ruledBy]}`,
    };
  }
  const lessAt = Math.floor((slots - 1 + DUST) * jobsPerSlot);
  const sentence = `${more}, one fewer at ${lessAt}`;
  return { moreAtJobsInSystem: moreAt, lessAtJobsInSystem: lessAt, sentence };
}

const FEWER_WHEN: Readonly<Record<RulingTerm, string>> = {
  "in-system": "none when the last job has ended",
  deadline: "fewer when the oldest jobs have been started",
  bursts: "fewer when less comes, or comes more evenly",
  arrivals: "fewer when less comes",
  forecast: "fewer when less is forecast",
  work: "none when the last job has ended",
  none: "none is there to be given up",
};
