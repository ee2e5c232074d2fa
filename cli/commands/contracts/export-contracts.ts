/**
 * `sluice contracts export`: writes the app's contracts as documents, for version control.
 *
 * The build says what the documents are, given those that are there; it keeps what is published. Only files
 * whose text differs are written, and none when anything is refused.
 */
import { resolve } from "node:path";
import { z } from "zod";
import { type ContractDocument, contractDocument } from "#shared/contracts/contract-document";
import { understood } from "../../answers.ts";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { findBuild } from "../../find-build.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import {
  DOCUMENTS_DIRECTORY,
  documentName,
  documentText,
  parseDocuments,
  readFiles,
  writeDocument,
} from "./contract-files.ts";
import { runContractTask } from "./contract-task.ts";
import { exportAnswer } from "./report-answer.ts";

export interface ExportOptions {
  readonly app?: string;
  readonly out?: string;
  readonly check?: boolean;
}

type FileState = "unchanged" | "new" | "changed";

interface ExportedFile {
  readonly document: ContractDocument;
  readonly name: string;
  readonly state: FileState;
  /** Versions that the file did not have. */
  readonly added: readonly number[];
}

/** @throws {CliError} when the app or a document cannot be read, or something is refused. */
export async function exportContracts(options: ExportOptions, context: CommandContext): Promise<void> {
  const { check = false, out = DOCUMENTS_DIRECTORY } = options;
  const directory = resolve(context.cwd, out);
  const build = await findBuild(options.app, context);
  const files = await readFiles(directory);
  const existing = parseDocuments(files);
  const raw = await runContractTask("contracts-export", { build, input: { existing } }, context);
  const { documents, refused } = understood(exportAnswer, raw, "answer");
  if (refused.length > 0) throw notExported(refused);
  const texts = new Map(files.map(({ name, text }) => [name, text]));
  const exported = understood(z.array(contractDocument), documents, "documents").map((document) =>
    compared(document, { texts, existing }),
  );
  const stale = exported.filter((it) => it.state !== "unchanged");
  if (!check) for (const { document } of stale) await writeDocument(directory, document);
  context.answer({
    kind: "ContractsExport",
    json: {
      out,
      check,
      files: exported.map(({ document, ...it }) => ({ type: document.type, ...it })),
    },
    text: showExport(exported, { out, check }),
    exitCode: check && stale.length > 0 ? CLI_EXIT.conflict : CLI_EXIT.ok,
  });
}

function compared(
  document: ContractDocument,
  {
    texts,
    existing,
  }: { readonly texts: ReadonlyMap<string, string>; readonly existing: readonly ContractDocument[] },
): ExportedFile {
  const name = documentName(document.type);
  const before = texts.get(name);
  const known = existing.find((it) => it.type === document.type)?.versions.map((it) => it.version) ?? [];
  const added = document.versions.map((it) => it.version).filter((it) => !known.includes(it));
  const state = before === undefined ? "new" : before === documentText(document) ? "unchanged" : "changed";
  return { document, name, state, added };
}

function showExport(
  files: readonly ExportedFile[],
  { out, check }: { readonly out: string; readonly check: boolean },
): string {
  const stale = files.filter((it) => it.state !== "unchanged");
  const verb = check ? "out of date" : "written";
  const lines = stale.map(({ name, state, added }) => {
    const what =
      state === "new" ? "new" : added.length === 0 ? "formatted" : `added version ${added.join(", ")}`;
    return `${neutraliseLine(`${out}/${name}`)}  ${verb}: ${what}`;
  });
  const unchanged = files.length - stale.length;
  if (stale.length === 0) {
    const what = files.length === 1 ? "1 document is" : `${files.length} documents are`;
    return `${what} up to date in ${neutraliseLine(out)}.\n`;
  }
  const rest = unchanged === 0 ? [] : [`${unchanged} unchanged`];
  const hint = check ? ["Run `sluice contracts export` without --check and commit what it writes."] : [];
  return `${[...lines, ...rest, ...hint].join("\n")}\n`;
}

function notExported(refused: readonly { readonly type: string; readonly problems: readonly string[] }[]) {
  const problems = refused.flatMap((it) => it.problems);
  return new CliError({
    exitCode: CLI_EXIT.rejected,
    code: "EXPORT_REFUSED",
    message: `Nothing was written. These contracts cannot be published:\n${problems.map((it) => `  - ${it}`).join("\n")}`,
    hint: "`sluice contracts check` shows more of each.",
    details: { refused },
  });
}
