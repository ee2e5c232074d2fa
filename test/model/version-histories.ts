/**
 * Job types with a life of six versions each, made by a simple recipe: real schemas, real upcasters, and
 * for every version data whose right reading by any other version is known without asking the reader.
 *
 * A version has `n` (the job's number, never touched), the required field `r<core>` that holds the same
 * number in another shape, and the optional fields `o<k>` of the additive versions k so far. A breaking
 * version replaces the required field; a version that only changes the meaning keeps the shape and still
 * opens a read group.
 *
 * Each history has a type name of its own, so that what is compiled once for `type@version` stays right
 * for the whole run. No data here is random: it follows from the job's number and a mask of options.
 */
import { z } from "zod";
import { type ContractVersion, defineContract } from "#shared/contracts/contract";
import { type ResolvedContract, type ResolvedVersion, resolved } from "#shared/contracts/resolve-contract";
import type { DescribedType } from "#shared/registry/registry-document";

export const QUEUE = "model";

/** How a version follows from the one before: additive, breaking, or a change of meaning only. */
type Step = "a" | "b" | "m";

const STEPS: readonly string[] = ["abaab", "babma", "aabba", "mabab", "bbaam"];

export interface HistoryVersion {
  readonly version: number;
  readonly minReaderVersion: number;
  /** The version that brought the required field. */
  readonly core: number;
  /** The versions that brought the optional fields, ascending. */
  readonly optional: readonly number[];
  readonly schema: z.ZodType;
  /** The required field of the version before, when this one replaces it. */
  readonly replaces: number | null;
}

export interface History {
  readonly type: string;
  /** Ascending from 1 without gaps. */
  readonly versions: readonly HistoryVersion[];
}

/** Versions `first` to `last` of a history: what one build has of a type. */
export interface Window {
  readonly history: History;
  readonly first: number;
  readonly last: number;
}

/** What a build's own step does: its work, or one of two defects that only show when it runs. */
export type Upcasters = "right" | "throwing" | "wrong";

export const HISTORIES: readonly History[] = STEPS.map((steps, index) =>
  historyOf(`model.h${index}`, steps.split("") as Step[]),
);

export const VERSIONS_MAX = Math.max(...HISTORIES.map((it) => it.versions.length));

function historyOf(type: string, steps: readonly Step[]): History {
  const versions: HistoryVersion[] = [versionOf({ version: 1, minReaderVersion: 1, core: 1, optional: [] })];
  for (const step of steps) {
    const before = versions.at(-1);
    if (before === undefined) throw new TypeError("a history begins with version 1");
    versions.push(nextVersion(before, step));
  }
  return { type, versions };
}

function nextVersion(before: HistoryVersion, step: Step): HistoryVersion {
  const version = before.version + 1;
  switch (step) {
    case "a":
      return versionOf({ ...before, version, optional: [...before.optional, version] });
    case "b":
      return {
        ...versionOf({ ...before, version, minReaderVersion: version, core: version }),
        replaces: before.core,
      };
    case "m":
      return versionOf({ ...before, version, minReaderVersion: version });
  }
}

function versionOf(facts: Omit<HistoryVersion, "schema" | "replaces">): HistoryVersion {
  const { version, minReaderVersion, core, optional } = facts;
  const options = Object.fromEntries(optional.map((it) => [`o${it}`, z.int().optional()]));
  const schema = z.looseObject({ n: z.int(), [`r${core}`]: coreSchema(core), ...options });
  return { version, minReaderVersion, core, optional, schema, replaces: null };
}

/** Three shapes in turn, none of which reads another. */
function coreSchema(core: number): z.ZodType {
  return [z.string(), z.int(), z.looseObject({ value: z.int() })][core % 3] ?? z.never();
}

function coreValue(core: number, n: number): unknown {
  return [`s${n}`, n, { value: n }][core % 3];
}

export function versionIn({ type, versions }: History, version: number): HistoryVersion {
  const found = versions[version - 1];
  if (found === undefined) throw new RangeError(`${type} has no version ${version}`);
  return found;
}

/** Data of job number `n` as a writer of `version` sends it; bit k of `options` sends the k-th optional field. */
export function dataOf(history: History, version: number, { n, options }: Written): Record<string, unknown> {
  const { core, optional } = versionIn(history, version);
  const sent = optional.filter((_it, bit) => (options & (1 << bit)) !== 0).map((it) => [`o${it}`, n + it]);
  return { n, [`r${core}`]: coreValue(core, n), ...Object.fromEntries(sent) };
}

export interface Written {
  readonly n: number;
  readonly options: number;
}

/** What a handler of native version `native` must be given of data written as `version`. */
export function dataAsRead(
  history: History,
  { version, native }: { readonly version: number; readonly native: number },
  written: Written,
): Record<string, unknown> {
  const { core } = versionIn(history, version);
  const { [`r${core}`]: _asWritten, ...kept } = dataOf(history, version, written);
  const nativeCore = versionIn(history, native).core;
  return { ...kept, [`r${nativeCore}`]: coreValue(nativeCore, written.n) };
}

/** What a build has of a type: its contract as the worker resolves it, and what the registry is told of it. */
export interface TypeOfBuild {
  readonly contract: ResolvedContract;
  readonly described: DescribedType;
}

const known = new Map<string, TypeOfBuild>();

/**
 * The same object for the same window. Each history is resolved once, whole, and a window is cut out of that:
 * resolving compiles every schema anew, which hundreds of windows would pay for again and again.
 */
export function typeOfBuild(window: Window, upcasters: Upcasters): TypeOfBuild {
  const { history, first, last } = window;
  const key = `${history.type} ${first}-${last} ${upcasters}`;
  let type = known.get(key);
  if (type === undefined) {
    const whole = wholeContract(history);
    const versions = whole.versions
      .slice(first - 1, last)
      .map((version) => withUpcast(version, { isFirst: version.version === first, upcasters }));
    const contract = { ...whole, versions };
    type = { contract, described: describe(contract) };
    known.set(key, type);
  }
  return type;
}

const wholeContracts = new Map<string, ResolvedContract>();

function wholeContract(history: History): ResolvedContract {
  const { type, versions } = history;
  let contract = wholeContracts.get(type);
  if (contract === undefined) {
    // Short backoffs: the replays on a real Redis wait for them.
    const policy = { attempts: 3, backoff: { baseMs: 20, maxMs: 100 } };
    contract = resolved(defineContract({ type, queue: QUEUE, policy, versions: versions.map(declared) }));
    wholeContracts.set(type, contract);
  }
  return contract;
}

function declared({ version, minReaderVersion, schema, core, replaces }: HistoryVersion): ContractVersion {
  if (replaces === null) return { version, minReaderVersion, schema };
  const upcast = ({ [`r${replaces}`]: _older, ...kept }: Record<string, unknown>) => ({
    ...kept,
    [`r${core}`]: coreValue(core, Number(kept.n)),
  });
  return { version, minReaderVersion, schema, upcast };
}

/** The step that this build brings: the first version of a build has none, whatever it was published with. */
function withUpcast(
  version: ResolvedVersion,
  { isFirst, upcasters }: { readonly isFirst: boolean; readonly upcasters: Upcasters },
): ResolvedVersion {
  const { upcast, ...rest } = version;
  if (isFirst) return rest;
  if (upcasters === "right" || version.version !== version.minReaderVersion) return version;
  return { ...rest, upcast: upcasters === "throwing" ? throwing : wrong };
}

function throwing(): never {
  throw new Error("a defect of this build");
}

function wrong(): unknown {
  return { n: "not a number" };
}

function describe({ type, queue, policy, versions }: ResolvedContract): DescribedType {
  const described = versions.map(({ version, minReaderVersion, jsonSchema, upcast }) => ({
    version,
    minReaderVersion,
    schema: jsonSchema,
    hasUpcast: upcast !== undefined,
  }));
  return { type, queue, policy, versions: described };
}
