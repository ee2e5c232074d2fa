/**
 * Tries an upcaster on made-up data of every version it may be given.
 *
 * A step must be what the reader takes it for: total on valid data, synchronous, pure, and leading to valid
 * data of its version; fields that nobody knows should come out again. This finds what is wrong by running
 * the step, so it proves nothing for data that was not tried. Loads the generator of documents: not for a
 * running worker.
 */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { ReadableContract, ReadableVersion } from "../contract.ts";
import { closed } from "../wire-schema.ts";
import { arbitraryOf } from "./arbitrary-of.ts";
import type { VersionSchema } from "./tombstones.ts";

export type UpcastCode =
  | "UPCAST_THROWS"
  | "UPCAST_ASYNC"
  /** Changes its input, or gives something else for the same input. */
  | "UPCAST_IMPURE"
  | "UPCAST_INVALID_RESULT"
  /** Loses a field that neither version knows. A warning: the job can be run all the same. */
  | "UPCAST_DROPS_UNKNOWN";

/** Codes that do not speak against publishing the version. */
export const UPCAST_WARNINGS: ReadonlySet<UpcastCode> = new Set(["UPCAST_DROPS_UNKNOWN"]);

export interface UpcastFinding {
  readonly code: UpcastCode;
  /** The version whose step it is. */
  readonly version: number;
  /** The version whose data it was tried on. */
  readonly fromVersion: number;
  readonly message: string;
  /** Data of `fromVersion`, made small. */
  readonly counterexample: unknown;
}

export interface ProofOptions {
  /** @default 1 */
  readonly seed?: number;
  /** Documents tried for each older version. @default 200 */
  readonly runs?: number;
}

/**
 * What is wrong with the step of `version`, empty when nothing was found.
 *
 * @param writers the published versions of the read group before it: whose data the step may be given.
 */
export function upcastFindings(
  contract: ReadableContract,
  version: number,
  { writers, ...options }: ProofOptions & { readonly writers: readonly VersionSchema[] },
): readonly UpcastFinding[] {
  const trial = trialOf(contract, version);
  return trial === null ? [] : writers.flatMap((writer) => findingsFor(trial, writer, options));
}

interface Trial {
  readonly version: number;
  readonly step: (older: unknown) => unknown;
  /** Every schema that must take the result. */
  readonly targets: readonly ReadableVersion[];
  /** Data as the newest reader of the older group has it, `null` when it does not take it. */
  read(document: unknown): Record<string, unknown> | null;
}

function trialOf(contract: ReadableContract, version: number): Trial | null {
  const { versions } = contract;
  const index = versions.findIndex((it) => it.version === version);
  const [own, before] = [versions[index], versions[index - 1]];
  if (own?.upcast === undefined || before === undefined) return null;
  const newest = versions.findLast((it) => it.minReaderVersion === own.minReaderVersion) ?? own;
  return {
    version,
    step: own.upcast,
    targets: [...new Set([own, newest])],
    read: (document) => {
      const result = before.schema.safeParse(document);
      return result.success && isObject(result.data) ? result.data : null;
    },
  };
}

interface Defect {
  readonly code: UpcastCode;
  readonly message: string;
}

function findingsFor(
  trial: Trial,
  writer: VersionSchema,
  { seed = 1, runs = 200 }: ProofOptions,
): readonly UpcastFinding[] {
  const documents = documentsOf(writer);
  if (documents === null) return [];
  const kept: Kept[] = [];
  const found: (Defect & { readonly counterexample: unknown })[] = [];
  const newDefect = (document: unknown) =>
    defectsOf(trial, document, kept).find(({ code }) => !found.some((it) => it.code === code));
  const smallest = (shows: (document: unknown) => boolean): unknown => {
    const property = fc.property(documents, (document) => !shows(document));
    return fc.check(property, { seed, numRuns: runs }).counterexample?.[0];
  };
  for (;;) {
    const any = smallest((it) => newDefect(it) !== undefined);
    const defect = any === undefined ? undefined : newDefect(any);
    if (defect === undefined) break;
    // Made small once more for this defect alone: on the way to `any` another one may have been followed.
    const own = (document: unknown) => defectsOf(trial, document, kept).find((it) => it.code === defect.code);
    const counterexample = smallest((it) => own(it) !== undefined) ?? any;
    found.push({ ...(own(counterexample) ?? defect), counterexample });
  }
  const changed = kept.find((it) => isChanged(trial, it));
  if (changed !== undefined && !found.some((it) => it.code === NOT_THE_SAME.code)) {
    found.push({ ...NOT_THE_SAME, counterexample: changed.document });
  }
  return found.map((it) => ({ ...it, version: trial.version, fromVersion: writer.version }));
}

function documentsOf({ schema }: VersionSchema): fc.Arbitrary<unknown> | null {
  try {
    return arbitraryOf(closed(schema)).map((it): unknown => JSON.parse(JSON.stringify(it)));
  } catch {
    // Nothing can be written as this version, so nothing of it is ever stored.
    return null;
  }
}

/** What a step gave once, to be asked again later: a step that looks at a clock gives the same at first. */
interface Kept {
  readonly document: unknown;
  readonly older: Record<string, unknown>;
  readonly result: unknown;
}

const KEPT_MAX = 50;

/** A field that no version has. */
const UNKNOWN_FIELD = "fieldOfANewerProducer";

const NOT_THE_SAME: Defect = {
  code: "UPCAST_IMPURE",
  message: "it gives something else when it is called again; use nothing but the data it is given",
};

function defectsOf(trial: Trial, document: unknown, kept: Kept[]): readonly Defect[] {
  const read = trial.read(document);
  if (read === null) return [];
  const older = { ...read, [UNKNOWN_FIELD]: "kept" };
  const input = structuredClone(older);
  const first = run(trial, input);
  if ("defect" in first) return [first.defect];
  const defects = resultDefects(trial, first.result);
  if (!isDeepStrictEqual(input, older)) {
    defects.push({ code: "UPCAST_IMPURE", message: "it changes the data it is given; return new data" });
  }
  const again = run(trial, structuredClone(older));
  if (!("result" in again) || !isDeepStrictEqual(again.result, first.result)) defects.push(NOT_THE_SAME);
  else if (kept.length < KEPT_MAX) kept.push({ document, older, result: first.result });
  return defects;
}

function isChanged(trial: Trial, { older, result }: Kept): boolean {
  const again = run(trial, structuredClone(older));
  return !("result" in again) || !isDeepStrictEqual(again.result, result);
}

function run(trial: Trial, input: unknown): { readonly result: unknown } | { readonly defect: Defect } {
  let result: unknown;
  try {
    result = trial.step(input);
  } catch (error) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { defect: { code: "UPCAST_THROWS", message: `it throws on valid data: ${what}` } };
  }
  if (!isThenable(result)) return { result };
  result.then(undefined, () => undefined);
  return { defect: { code: "UPCAST_ASYNC", message: "it returns a promise; a step is synchronous" } };
}

function resultDefects({ targets, version }: Trial, result: unknown): Defect[] {
  for (const target of targets) {
    const [issue] = target.schema.safeParse(result).error?.issues ?? [];
    if (issue === undefined) continue;
    const at = issue.path.length === 0 ? "the result" : issue.path.map(String).join(".");
    const message = `what it gives is not valid as version ${target.version}: ${at}: ${issue.message}`;
    return [{ code: "UPCAST_INVALID_RESULT", message }];
  }
  if (isObject(result) && result[UNKNOWN_FIELD] === "kept") return [];
  const message = `it loses fields that version ${version} does not know; spread what is left of the data into the result`;
  return [{ code: "UPCAST_DROPS_UNKNOWN", message }];
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === "object" && "then" in value && typeof value.then === "function";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
