/**
 * Contract documents in a directory: `<type>.json`, one a type.
 *
 * Reads and writes text; whether a document may change is decided by the build that exports it. Files of
 * other names beside them are left alone, so a README may lie there too.
 */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ContractDocument, contractDocument } from "#shared/contracts/contract-document";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";

/** A file as it was found: in a directory, or in a commit. */
export interface FoundFile {
  /** Name without its directory. */
  readonly name: string;
  /** For messages. */
  readonly path: string;
  readonly text: string;
}

/** Where a repository keeps its documents when nobody says otherwise. */
export const DOCUMENTS_DIRECTORY = "contracts";

/** All documents of a place together; what a worker's task takes on its standard input. */
export const DOCUMENTS_BYTES_MAX = 32 * 1024 * 1024;

/** Documents in one place. */
export const DOCUMENTS_MAX = 2_000;

export function isDocumentName(name: string): boolean {
  return name.endsWith(".json") && !name.startsWith(".");
}

export function documentName(type: string): string {
  return `${type}.json`;
}

/** Two spaces, a newline at the end, members in the order that they have: what does not change stays the same text. */
export function documentText(document: ContractDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

export async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (it) => it.isDirectory(),
    () => false,
  );
}

/** Empty when the directory is not there. @throws {CliError} when it cannot be read or holds too much. */
export async function readFiles(directory: string): Promise<readonly FoundFile[]> {
  let names: string[];
  try {
    names = (await readdir(directory)).filter(isDocumentName).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw usageError(`The directory ${directory} cannot be read (${codeOf(error)}).`);
  }
  requireFew(names.length, directory);
  const files: FoundFile[] = [];
  let bytes = 0;
  for (const name of names) {
    const path = join(directory, name);
    try {
      bytes += (await stat(path)).size;
      requireSmall(bytes, directory);
      files.push({ name, path, text: await readFile(path, "utf8") });
    } catch (error) {
      if (error instanceof CliError) throw error;
      throw usageError(`The file ${path} cannot be read (${codeOf(error)}).`);
    }
  }
  return files;
}

/** @throws {CliError} when it cannot be written. */
export async function writeDocument(directory: string, document: ContractDocument): Promise<string> {
  const path = join(directory, documentName(document.type));
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(path, documentText(document));
  } catch (error) {
    throw usageError(`The file ${path} cannot be written (${codeOf(error)}).`);
  }
  return path;
}

/**
 * The documents in these files.
 *
 * @throws {CliError} listing every file that holds none, or one of another type than its name says.
 */
export function parseDocuments(files: readonly FoundFile[]): readonly ContractDocument[] {
  const problems: string[] = [];
  const documents = files.flatMap((file) => {
    const parsed = parseDocument(file);
    if (typeof parsed !== "string") return [parsed];
    problems.push(`${file.path}: ${parsed}`);
    return [];
  });
  if (problems.length === 0) return documents;
  throw new CliError({
    exitCode: CLI_EXIT.conflict,
    code: "DOCUMENT_INVALID",
    message: `These files are no contract documents:\n${problems.map((it) => `  - ${it}`).join("\n")}`,
    hint: "`sluice contracts export` writes them; nobody needs to edit them.",
  });
}

/** @throws {CliError} */
export function requireFew(files: number, where: string): void {
  if (files > DOCUMENTS_MAX) throw usageError(`${where} has more than ${DOCUMENTS_MAX} documents.`);
}

/** @throws {CliError} */
export function requireSmall(bytes: number, where: string): void {
  if (bytes > DOCUMENTS_BYTES_MAX) {
    throw usageError(`The documents of ${where} are larger than ${DOCUMENTS_BYTES_MAX} bytes together.`);
  }
}

/** A sentence when it is none. */
function parseDocument({ name, text }: FoundFile): ContractDocument | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `it is not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const result = contractDocument.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    return `${issue?.path.map(String).join(".") || "(document)"}: ${issue?.message}`;
  }
  const wanted = documentName(result.data.type);
  return name === wanted ? result.data : `it holds the type ${result.data.type}; name it ${wanted}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
