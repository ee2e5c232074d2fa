/**
 * `sluice contracts diff`: what two contracts, or two versions of one, are to each other, in both directions.
 *
 * Works on documents alone and runs no app. The comparison and the search for documents that show it are
 * loaded only here, so that the other commands start fast.
 */
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { ContractDocument, DocumentedVersion } from "#shared/contracts/contract-document";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import type { CommandContext } from "../context.ts";
import { DOCUMENTS_DIRECTORY, parseDocuments, readFiles } from "./contract-files.ts";
import { decidePairs } from "./decide-pairs.ts";
import { readDocuments } from "./read-documents.ts";
import { showDiff } from "./show-diff.ts";

export interface DiffOptions {
  readonly contracts?: string;
}

/** @throws {CliError} when one of the two is not there. */
export async function diffContracts(
  a: string,
  b: string,
  { contracts = DOCUMENTS_DIRECTORY }: DiffOptions,
  context: CommandContext,
): Promise<void> {
  const [versionA, versionB] = [versionNamed(a), versionNamed(b)];
  if ((versionA === null) !== (versionB === null)) {
    throw usageError(
      `${a} and ${b} cannot be compared.`,
      "Compare a version with a version, e.g. receipt.render@1.",
    );
  }
  const place = { contracts, context };
  const { pairs, onlyA, onlyB } =
    versionA !== null && versionB !== null
      ? { pairs: await versionPair(versionA, versionB, place), onlyA: [], onlyB: [] }
      : decidePairs(await documentsOf(a, place), await documentsOf(b, place));
  const { comparePair } = await import("./compare-pair.ts");
  const compared = pairs.map((pair) => ({ ...pair, ...comparePair(pair) }));
  const areReadable = compared.every((it) => it.findings.length === 0);
  context.answer({
    kind: "ContractsDiff",
    json: {
      a,
      b,
      onlyA,
      onlyB,
      compared: compared.map((it) => ({
        a: { type: it.a.type, version: it.a.version },
        b: { type: it.b.type, version: it.b.version },
        same: it.same,
        findings: it.findings,
      })),
    },
    text: showDiff({ a, b, compared, onlyA, onlyB }, context.paint),
    exitCode: areReadable ? CLI_EXIT.ok : CLI_EXIT.breaking,
  });
}

interface NamedVersion {
  readonly type: string;
  readonly version: number;
}

/** `null`: something else than `type@version`. */
function versionNamed(text: string): NamedVersion | null {
  const match = /^([a-z][a-z0-9.-]*)@([1-9]\d{0,8})$/.exec(text);
  return match === null ? null : { type: String(match[1]), version: Number(match[2]) };
}

interface Where {
  readonly contracts: string;
  readonly context: CommandContext;
}

async function versionPair(a: NamedVersion, b: NamedVersion, { contracts, context }: Where) {
  const documents = parseDocuments(await readFiles(resolve(context.cwd, contracts)));
  const found = (wanted: NamedVersion) => ({
    type: wanted.type,
    ...findVersion(documents, wanted, contracts),
  });
  return [{ a: found(a), b: found(b) }];
}

function findVersion(
  documents: readonly ContractDocument[],
  { type, version }: NamedVersion,
  contracts: string,
): DocumentedVersion {
  const known = documents.find((it) => it.type === type)?.versions ?? [];
  const found = known.find((it) => it.version === version);
  if (found !== undefined) return found;
  const there = known.map((it) => it.version).join(", ");
  throw new CliError({
    exitCode: CLI_EXIT.notFound,
    code: "VERSION_NOT_FOUND",
    message: `There is no ${type}@${version} in ${contracts}.`,
    hint: there === "" ? "--contracts names the directory of the documents." : `Versions there: ${there}.`,
  });
}

/** A file, a directory or a git ref. */
async function documentsOf(
  name: string,
  { contracts, context }: Where,
): Promise<readonly ContractDocument[]> {
  const path = resolve(context.cwd, name);
  const isFile = await stat(path).then(
    (it) => it.isFile(),
    () => false,
  );
  if (!isFile) return readDocuments({ name, contracts }, context);
  const { readFile } = await import("node:fs/promises");
  return parseDocuments([{ name: basename(path), path, text: await readFile(path, "utf8") }]);
}
