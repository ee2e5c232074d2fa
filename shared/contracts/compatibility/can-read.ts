/**
 * Whether a reader's JSON Schema accepts every document that a writer's accepts: a proof, or what stands
 * against it.
 *
 * An empty answer is a proof. Anything that is not proved is an incompatibility, also where the two may be
 * compatible after all: unknown keywords, patterns that cannot be followed, comparisons that grow too big. The
 * schemas are taken as they are; who means a closed writer closes it first (`closed` in ../wire-schema.ts).
 */
import type { JsonSchema } from "../wire-schema.ts";
import { compareDefaults } from "./containment/compare-defaults.ts";
import { BudgetSpent, Comparison } from "./containment/comparison.ts";
import { Findings, type Incompatibility } from "./containment/incompatibility.ts";
import { sideAt } from "./containment/schema-atom.ts";

export type { Incompatibility, IncompatibilityCode, Side } from "./containment/incompatibility.ts";

export interface CanReadOptions {
  /** The reader fills in its defaults, as zod does and validators do not: such fields are not required. */
  readonly readerAppliesDefaults?: boolean;
  /** A default that changed or went away is an incompatibility: a document without the field means something else. */
  readonly comparesDefaults?: boolean;
  /**
   * Both sides test `multipleOf` in decimals, so that what is a multiple of 0.1 is one of 0.01. Without it
   * nothing is concluded from steps that a double cannot hold, since validators divide doubles: by such a
   * division 1.1 is a multiple of 0.1 but not of 0.01.
   */
  readonly decimalMultiples?: boolean;
  /** Steps of work before the comparison is given up. */
  readonly stepsMax?: number;
  /** Incompatibilities answered at most. */
  readonly limit?: number;
}

/** A contract takes a few steps a field. Spending all of them takes less than half a second. */
const STEPS_MAX = 50_000;
const LIMIT = 100;

/** What `reader` may refuse of what `writer` accepts, in the order of the reader's schema. */
export function canRead(
  reader: JsonSchema | boolean,
  writer: JsonSchema | boolean,
  options: CanReadOptions = {},
): readonly Incompatibility[] {
  const comparison = new Comparison([writer, reader], {
    readerAppliesDefaults: options.readerAppliesDefaults ?? false,
    isDecimal: options.decimalMultiples ?? false,
    stepsMax: options.stepsMax ?? STEPS_MAX,
  });
  const findings = new Findings(options.limit ?? LIMIT);
  findings.add(refusedOrGivenUp(comparison, findings.room));
  if (options.comparesDefaults) findings.add(compareDefaults(comparison.writer, comparison.reader));
  return findings.list;
}

function refusedOrGivenUp(comparison: Comparison, limit: number): readonly Incompatibility[] {
  try {
    return comparison.refused(limit);
  } catch (error) {
    // A RangeError is the stack's end: schemas nested thousands of levels deep.
    if (error instanceof BudgetSpent || error instanceof RangeError) return [givenUp(comparison)];
    throw error;
  }
}

function givenUp({ writer, reader }: Comparison): Incompatibility {
  return {
    path: "",
    code: "BUDGET_EXCEEDED",
    message: "The schemas are too entangled to be compared within the budget of steps, so nothing is proved.",
    writer: sideAt(writer),
    reader: sideAt(reader),
  };
}
