/** Contract documents by the name that a person gave: a directory, or a git ref. */
import { resolve } from "node:path";
import type { ContractDocument } from "#shared/contracts/contract-document";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import type { CommandContext } from "../context.ts";
import { isDirectory, parseDocuments, readFiles } from "./contract-files.ts";
import { readCommittedFiles } from "./git.ts";

export interface Place {
  /** A directory or a git ref; the directory wins where it can be both. */
  readonly name: string;
  /** Where a repository keeps its documents, for a ref. */
  readonly contracts: string;
}

/** @throws {CliError} when there are none, or one that cannot be read. */
export async function readDocuments(
  { name, contracts }: Place,
  { cwd, env }: Pick<CommandContext, "cwd" | "env">,
): Promise<readonly ContractDocument[]> {
  const directory = resolve(cwd, name);
  const isPath = await isDirectory(directory);
  const files = isPath ? await readFiles(directory) : await readCommittedFiles({ cwd, env }, name, contracts);
  if (files.length > 0) return parseDocuments(files);
  const where = isPath ? directory : `${name}:${contracts}`;
  throw new CliError({
    exitCode: CLI_EXIT.notFound,
    code: "NO_DOCUMENTS",
    message: `There are no contract documents in ${where}.`,
    hint: isPath
      ? "`sluice contracts export --app FILE` writes them; --against names the directory that has them."
      : "Write them with `sluice contracts export --app FILE` and commit them there first; --contracts names their directory.",
  });
}
