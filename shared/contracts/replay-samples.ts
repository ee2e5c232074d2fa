/**
 * Reads golden samples with a build's contract, as a worker of it would read jobs.
 *
 * A sample counts only where the build declares that it reads its version: what a build has dropped, and
 * what is too new for it, it never gets.
 */
import type { ReadableContract } from "./contract.ts";
import { readData, readRangeOf } from "./reader.ts";

export interface SampledVersion {
  readonly version: number;
  readonly minReaderVersion: number;
  readonly samples: readonly unknown[];
}

export interface UnreadableSample {
  readonly version: number;
  /** Place in the version's samples, from 0. */
  readonly index: number;
  /** The reader's own words; never a value. */
  readonly message: string;
}

/** The samples of `published` that a build with this contract cannot read although it says so. */
export function unreadableSamples(
  contract: ReadableContract,
  published: readonly SampledVersion[],
): readonly UnreadableSample[] {
  return readableOf(contract, published).flatMap(({ version, minReaderVersion, samples }) =>
    samples.flatMap((data, index) => {
      try {
        readData(contract, { schemaVersion: version, minReaderVersion, data });
        return [];
      } catch (error) {
        return [{ version, index, message: error instanceof Error ? error.message : String(error) }];
      }
    }),
  );
}

/** Those of `published` that a build with this contract declares to read. */
export function readableOf<Version extends { readonly minReaderVersion: number }>(
  contract: ReadableContract,
  published: readonly Version[],
): readonly Version[] {
  const { oldest, native } = readRangeOf(contract);
  return published.filter((it) => it.minReaderVersion >= oldest && it.minReaderVersion <= native);
}
