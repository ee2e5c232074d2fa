/**
 * The tolerant reader of one contract: turns stored data of any version the build reads into data of
 * its own version.
 *
 * Data of the native read group is read by the native schema directly; older data goes up one step a
 * group, and each step's result is validated before it counts as the next version. Unknown fields
 * are kept all the way. What is not valid against its own declared version is the writer's fault
 * (poison); a step that fails is this build's fault.
 */
import type { z } from "zod";
import { DataInvalidError, type Issue, UpcastFailedError } from "../errors.ts";
import { pointerTo } from "../json-pointer.ts";
import type { ReadableContract, ReadableVersion } from "./contract.ts";
import type { ReadRange } from "./decide-accept.ts";

export interface ReadResult {
  /** Data as the build's own version has it, unknown fields kept. */
  readonly data: unknown;
  /** Versions stepped to on the way, in order; empty when the data was read directly. */
  readonly upcasts: readonly number[];
}

/** H and L of a contract. */
export function readRangeOf(contract: ReadableContract): ReadRange {
  return { native: nativeVersion(contract).version, oldest: firstVersion(contract).minReaderVersion };
}

/**
 * Reads `data` written as `schemaVersion`, which the accept test has let pass with this `minReaderVersion`.
 *
 * @throws {DataInvalidError} when the data is not what its own version promises.
 * @throws {UpcastFailedError} when a step of this build throws or misses its target.
 */
export function readData(contract: ReadableContract, stored: StoredData): ReadResult {
  const group = groupOf(contract, stored.minReaderVersion);
  let current = check(contract, group.newest, stored, stored.data);
  const upcasts: number[] = [];
  for (const step of contract.versions) {
    const opensGroup = step.version === step.minReaderVersion && step.version > stored.minReaderVersion;
    if (!opensGroup) continue;
    const newest = groupOf(contract, step.minReaderVersion).newest;
    current = stepUp(contract.type, { step, newest, older: current });
    upcasts.push(step.version);
  }
  return { data: current, upcasts };
}

export interface StoredData {
  readonly schemaVersion: number;
  readonly minReaderVersion: number;
  readonly data: unknown;
}

/**
 * Validates against the declared version when the build has it, so that poison is told from a defect
 * of ours, and gives the data as the newest reader of its group reads it. Of a version that the build
 * does not have it cannot say what is valid, so it never blames the writer.
 */
function check(
  contract: ReadableContract,
  newest: ReadableVersion,
  stored: StoredData,
  data: unknown,
): unknown {
  const declared = contract.versions.find((version) => version.version === stored.schemaVersion);
  const asDeclared = declared?.schema.safeParse(data);
  if (asDeclared?.success === false) {
    throw new DataInvalidError(contract.type, stored.schemaVersion, issuesOf(asDeclared.error));
  }
  if (asDeclared !== undefined && declared === newest) return asDeclared.data;
  const asNewest = newest.schema.safeParse(data);
  if (asNewest.success) return asNewest.data;
  const detail = `it cannot read version ${stored.schemaVersion} of its own group`;
  throw new UpcastFailedError(contract.type, newest.version, detail);
}

interface Step {
  readonly step: ReadableVersion;
  readonly newest: ReadableVersion;
  readonly older: unknown;
}

function stepUp(type: string, { step, newest, older }: Step): unknown {
  let stepped: unknown;
  try {
    stepped = step.upcast === undefined ? older : step.upcast(structuredClone(older));
  } catch (error) {
    const reason = error instanceof Error ? error.name : "a thrown value";
    throw new UpcastFailedError(type, step.version, `it threw ${reason}`, { cause: error });
  }
  for (const target of new Set([step, newest])) {
    const result = target.schema.safeParse(stepped);
    if (!result.success) {
      const issues = issuesOf(result.error).map((issue) => `${issue.pointer || "data"} ${issue.message}`);
      throw new UpcastFailedError(type, target.version, `its result is not valid: ${issues.join("; ")}`);
    }
    stepped = result.data;
  }
  return stepped;
}

/** The versions that share `minReaderVersion`, by their newest. */
function groupOf(contract: ReadableContract, minReaderVersion: number): { readonly newest: ReadableVersion } {
  const newest = contract.versions.filter((version) => version.minReaderVersion === minReaderVersion).at(-1);
  return { newest: newest ?? nativeVersion(contract) };
}

function nativeVersion(contract: ReadableContract): ReadableVersion {
  const native = contract.versions.at(-1);
  if (native === undefined) throw new TypeError(`${contract.type} has no version`);
  return native;
}

function firstVersion(contract: ReadableContract): ReadableVersion {
  return contract.versions[0] ?? nativeVersion(contract);
}

/** A zod error as issues with JSON pointers into `data`. */
function issuesOf(error: z.ZodError): Issue[] {
  return error.issues.map((issue) => ({
    pointer: pointerTo(issue.path),
    rule: issue.code.replaceAll("_", "-"),
    message: issue.message,
  }));
}
