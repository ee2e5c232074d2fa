/**
 * Which jobs a demo hands in, and when: how many are due after so long, and what the n-th one is.
 *
 * Pure, and without chance: the same plan makes the same jobs.
 */

export const LOAD_PROFILES = ["steady", "spike", "slow", "poison"] as const;

export type LoadProfile = (typeof LOAD_PROFILES)[number];

export interface LoadPlan {
  readonly profile: LoadProfile;
  /** Jobs a second; a spike has five times as many in its middle fifth. */
  readonly ratePerSecond: number;
  readonly forMs: number;
  /** How long one job takes, in milliseconds; ten times as long where the profile is slow. */
  readonly workMs: number;
  /** Attempts of each job; as many as its type allows when missing. */
  readonly attempts?: number;
}

export interface DemoJob {
  readonly n: number;
  readonly workMs: number;
  /** What it does to its handler; `null`: nothing. */
  readonly act: "throw" | "refuse" | "endless" | null;
  readonly made: "to-succeed" | "to-fail";
  /** Its data does not fit its version: it is to be refused at the door. */
  readonly malformed: boolean;
  readonly attempts?: number;
}

const SPIKE_FACTOR = 5;
const SLOW_FACTOR = 10;

/** Of every so many jobs of a poisoned load one is malformed, one is refused by its handler, one always throws. */
const POISON_EVERY = 30;

/** Jobs that are to be handed in once `elapsedMs` have passed; never falls, and ends with the plan. */
export function jobsDue({ profile, ratePerSecond, forMs }: LoadPlan, elapsedMs: number): number {
  const passedMs = Math.min(Math.max(0, elapsedMs), forMs);
  const fifthMs = forMs / 5;
  const inSpikeMs = profile === "spike" ? Math.min(Math.max(0, passedMs - 2 * fifthMs), fifthMs) : 0;
  return Math.floor((ratePerSecond * (passedMs + (SPIKE_FACTOR - 1) * inSpikeMs)) / 1_000);
}

/** The n-th job of a plan, from 0. */
export function demoJob({ profile, workMs, attempts }: LoadPlan, n: number): DemoJob {
  const tries = attempts === undefined ? {} : { attempts };
  const fine = { n, workMs, act: null, made: "to-succeed", malformed: false, ...tries } as const;
  if (profile === "slow") return { ...fine, workMs: workMs * SLOW_FACTOR };
  if (profile !== "poison") return fine;
  switch (n % POISON_EVERY) {
    case 9:
      return { ...fine, malformed: true };
    case 19:
      return { ...fine, act: "refuse", made: "to-fail" };
    case 29:
      return { ...fine, act: "throw", made: "to-fail" };
    default:
      return fine;
  }
}

/** The data of a job as a version of `demo.order` has it. */
export function orderData({ n, workMs, act, malformed }: DemoJob, version: number): Record<string, unknown> {
  const price = { value: 100 + (n % 900), currency: "EUR" };
  const common = { n, workMs, ...(act !== null && { act }) };
  // A field that no version has is refused, and so is a price of the wrong kind.
  if (malformed) return { ...common, amount: "a hundred", total: 1, lines: null };
  if (version === 1) return { ...common, amount: price.value };
  return version === 2 ? { ...common, total: price } : { ...common, lines: [price] };
}
