/** What this build makes of the stored jobs of an older lane, from its contracts. */
import type { Clock } from "#shared/clock";
import type { ReadableContract } from "#shared/contracts/contract";
import { readData } from "#shared/contracts/reader";
import { type Envelope, parseEnvelope } from "#shared/envelope";
import { DataInvalidError, EnvelopeInvalidError, SluiceError } from "#shared/errors";
import { fromRfc3339 } from "#shared/system-clock";
import { acceptTestOf } from "./accept-envelope.ts";
import type { MigratingBuild, ReadOutcome } from "./decide-migration.ts";

export function migratingBuildOf(contracts: readonly ReadableContract[], clock: Clock): MigratingBuild {
  const byType = new Map(contracts.map((contract) => [contract.type, contract]));
  const contractOf = (type: string) => {
    const contract = byType.get(type);
    if (contract === undefined) throw new TypeError(`${type} is not a type of this build`);
    return contract;
  };
  return {
    parse,
    isExpired: ({ expirytime }) => {
      const expiresAtMs = expirytime === undefined ? null : fromRfc3339(expirytime);
      return expiresAtMs !== null && expiresAtMs <= clock.nowMs();
    },
    accept: acceptTestOf(contracts),
    ownVersion: (type) => {
      const own = contractOf(type).versions.at(-1);
      if (own === undefined) throw new TypeError(`${type} has no version`);
      return own;
    },
    read: (envelope) => read(contractOf(envelope.type), envelope),
  };
}

function parse(stored: unknown): { readonly envelope: Envelope } | { readonly problem: string } {
  try {
    return { envelope: parseEnvelope(stored) };
  } catch (error) {
    return { problem: error instanceof EnvelopeInvalidError ? error.message : "the envelope cannot be read" };
  }
}

function read(contract: ReadableContract, envelope: Envelope): ReadOutcome {
  try {
    const { data } = readData(contract, {
      schemaVersion: envelope.schemaversion,
      minReaderVersion: envelope.minreaderversion,
      data: envelope.data,
    });
    return { kind: "read", data };
  } catch (error) {
    // Words of others may quote the data.
    const message = error instanceof SluiceError ? error.message : "the data cannot be read";
    if (error instanceof DataInvalidError) return { kind: "invalid", code: error.code, message };
    return { kind: "failed", message };
  }
}
