/** What to do about each reason why a gate stays where it is. */
import { CliError } from "../../cli-error.ts";

/** Refusals that end by themselves, as workers start and loads are measured. */
const PASSING = new Set(["LOAD_UNKNOWN", "SLOTS_MISSING", "NO_READER"]);

const HINTS: Readonly<Record<string, (type: string) => string>> = {
  GATE_MOVED: (type) =>
    `Somebody moved it. \`sluice gate get ${type}\` shows who and why; then decide again.`,
  NO_READER: () =>
    "Publish a release that reads it, or wait with --wait until one is live: `sluice release list` shows them.",
  LOAD_UNKNOWN: () => "The load is measured within seconds: use --wait, or --force to go on without knowing.",
  SLOTS_MISSING: () =>
    "Start more workers that read it, wait for them with --wait, or use --force to go on without them.",
  MORE_THAN_ONE_STEP: (type) => `One step at a time: \`sluice gate raise ${type}\` takes the next.`,
  VERSION_UNKNOWN: (type) =>
    `\`sluice gate get ${type}\` shows the versions; publish a release that has this one.`,
  TYPE_UNKNOWN: () => "`sluice gate get` shows the types that are published.",
  SCOPE_MISSING: () => "Set SLUICE_API_KEY to a key with the scope ops:write.",
};

export function isPassingRefusal({ failure }: CliError): boolean {
  return PASSING.has(failure.code);
}

/** The error with what to do about it, where that is known. */
export function withHint(error: unknown, type: string): unknown {
  if (!(error instanceof CliError)) return error;
  const hint = HINTS[error.failure.code]?.(type);
  return hint === undefined ? error : new CliError({ ...error.failure, hint });
}
