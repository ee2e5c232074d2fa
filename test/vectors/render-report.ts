/** What a run over vectors came to, as text. */
import type { Outcome, Tally, VectorReport } from "./run-vectors.ts";

export function renderVectorReport({ inProfile, outOfProfile, millis }: VectorReport): string {
  const pairs = inProfile.pairs + outOfProfile.pairs;
  const unsound = inProfile.unsound.length + outOfProfile.unsound.length;
  return [
    ...renderTally("In the zod profile", inProfile),
    "",
    ...renderTally("Outside of it", outOfProfile),
    "",
    `${pairs} pairs in ${Math.round(millis)} ms. Unsound: ${unsound}. ` +
      `Proved: ${share(inProfile)} in the profile, ${share(outOfProfile)} outside.`,
  ].join("\n");
}

function renderTally(title: string, tally: Tally): string[] {
  const { pairs, refuted, unsound, missed } = tally;
  return [
    `${title}: ${pairs} pairs`,
    `  unsound (called compatible, a counterexample is known): ${unsound.length} of ${refuted}`,
    ...unsound.map((outcome) => `    ${nameOf(outcome)}`),
    `  compatible, and proved: ${share(tally)}`,
    ...missed.flatMap((outcome) => [`    missed: ${nameOf(outcome)}`, ...outcome.reasons.map(renderReason)]),
  ];
}

function renderReason({ code, path, message }: Outcome["reasons"][number]): string {
  return `      ${code} at ${path === "" ? "the document" : path}: ${message}`;
}

function nameOf({ suite, id, row, semantic }: Outcome): string {
  return `row ${row}, ${suite}: ${id}${semantic === null ? "" : ` (${semantic})`}`;
}

function share({ proved, expected }: Tally): string {
  const percent = expected === 0 ? 100 : (100 * proved) / expected;
  return `${proved} of ${expected} (${percent.toFixed(1)} %)`;
}
